// Command buildkit says what BuildKit itself makes of Dockerfiles.
//
//	buildkit truth [-bare] <cases >truths what BuildKit answers to each case;
//	                                      -bare leaves the files out
//	buildkit generate -seed N -count N    cases made up from a seed
//	buildkit samples FOLDER...            cases of the files in these folders
//
// Cases and truths are JSON, one on a line.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
)

// Case is a Dockerfile and what a build is told beside it.
type Case struct {
	ID         string            `json:"id"`
	Dockerfile []byte            `json:"dockerfile,omitempty"`
	BuildArgs  map[string]string `json:"buildArgs,omitempty"`
	Target     string            `json:"target,omitempty"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "buildkit:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say one of: truth, generate, samples")
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	switch args[0] {
	case "truth":
		flags := flag.NewFlagSet("truth", flag.ContinueOnError)
		bare := flags.Bool("bare", false, "leave the Dockerfiles out")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return truths(os.Stdin, out, *bare)
	case "generate":
		flags := flag.NewFlagSet("generate", flag.ContinueOnError)
		seed := flags.Uint64("seed", 1, "the same seed makes the same cases")
		count := flags.Int("count", 1000, "how many cases")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return generate(*seed, *count, out)
	case "samples":
		return samples(args[1:], out)
	default:
		return fmt.Errorf("no command %q", args[0])
	}
}

// truths answers all cases, several at once, in their order.
func truths(in *os.File, out *bufio.Writer, bare bool) error {
	type job struct {
		line   []byte
		answer chan []byte
	}
	jobs := make(chan *job, 256)
	ordered := make(chan *job, 256)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for j := range jobs {
				j.answer <- answer(j.line, bare)
			}
		})
	}
	var failed error
	go func() {
		defer close(ordered)
		defer close(jobs)
		reader := bufio.NewReaderSize(in, 1<<20)
		for {
			line, err := reader.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) > 0 {
				j := &job{line: line, answer: make(chan []byte, 1)}
				jobs <- j
				ordered <- j
			}
			if err != nil {
				if err != io.EOF {
					failed = err
				}
				return
			}
		}
	}()
	for j := range ordered {
		out.Write(<-j.answer)
		out.WriteByte('\n')
	}
	workers.Wait()
	return failed
}

func answer(line []byte, bare bool) []byte {
	var c Case
	var t *Truth
	if err := json.Unmarshal(line, &c); err != nil {
		t = &Truth{Verdict: "error", Message: "not a case: " + err.Error()}
	} else {
		t = truth(&c)
		// Of several suggestions that are as good, BuildKit makes any.
		t.Message, _, _ = strings.Cut(t.Message, " (did you mean ")
		if bare {
			t.Dockerfile = nil
		}
	}
	text, err := json.Marshal(t)
	if err != nil {
		text = []byte(`{"verdict":"error","message":"the truth is no JSON"}`)
	}
	return text
}

// samples makes a case of every file below the folders. Beside a file NAME a
// NAME.json may give build arguments and a target.
func samples(folders []string, out *bufio.Writer) error {
	encoder := json.NewEncoder(out)
	for _, folder := range folders {
		var paths []string
		err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() && !strings.HasSuffix(path, ".json") {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil {
			return err
		}
		sort.Strings(paths)
		for _, path := range paths {
			var c Case
			if options, err := os.ReadFile(path + ".json"); err == nil {
				if err := json.Unmarshal(options, &c); err != nil {
					return fmt.Errorf("%s.json: %w", path, err)
				}
			}
			if c.Dockerfile, err = os.ReadFile(path); err != nil {
				return err
			}
			if c.ID, err = filepath.Rel(folder, path); err != nil {
				return err
			}
			if err := encoder.Encode(&c); err != nil {
				return err
			}
		}
	}
	return nil
}
