package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Truth is BuildKit's answer to a case.
//
// Verdict is
//   - ok: BuildKit builds it;
//   - unset: it refuses or guesses only where a reference depends on a variable
//     without value, of which we say so and go on;
//   - refused: it refuses the file, its stages or its references;
//   - dispatch: these are fine, and it refuses when it carries an instruction
//     out, which takes the environment of the image that the stage starts from;
//   - error: this program contradicts BuildKit, and is wrong.
type Truth struct {
	Case
	Verdict string `json:"verdict"`
	Message string `json:"message,omitempty"`
	// Doubt says of unset that more than a missing value may be wrong.
	Doubt  bool    `json:"doubt,omitempty"`
	Uses   []*Use  `json:"uses"`
	Stages []Stage `json:"stages"`
}

// Stage is a FROM and what follows it.
type Stage struct {
	Name      string `json:"name,omitempty"`
	Line      int    `json:"line"`
	Reachable bool   `json:"reachable"`
}

// Use is a place that names an image.
type Use struct {
	Reference string `json:"reference"`
	Canonical string `json:"canonical"`
	Kind      string `json:"kind"`
	// First and Last are the lines of the instruction.
	First int `json:"first"`
	Last  int `json:"last"`
	Stage int `json:"stage"`
	// Reachable says that the target needs it.
	Reachable bool `json:"reachable"`
	// Fired is set where an ONBUILD instruction of an earlier stage names it;
	// First and Last are those of that instruction.
	Fired bool `json:"fired,omitempty"`
	// Optional is set where BuildKit never looks, as nothing needs the stage.
	Optional bool `json:"optional,omitempty"`
	// Unset are variables without value that were looked at on the way.
	Unset []string `json:"unset,omitempty"`
	// Blank says that the value of such a variable is part of the reference.
	Blank bool `json:"blank,omitempty"`
	// late: a source of a stage that only an ONBUILD made needed. BuildKit looks
	// at sources once, so it pulls this one without a question for its metadata.
	late bool
}

var linux = ocispecs.Platform{OS: "linux", Architecture: "amd64"}

// An image that exists, has a layer, and says nothing.
var imageConfig = []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:` +
	strings.Repeat("0", 64) + `"]}}`)

// recorder answers every question for an image, and remembers which were asked.
type recorder struct {
	lock  sync.Mutex
	asked []string
}

func (r *recorder) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.asked = append(r.asked, ref)
	return ref, "", imageConfig, nil
}

// convert has BuildKit convert the case; all says: every stage, not the target's.
func convert(c *Case, all bool) (asked []string, err error) {
	r := &recorder{}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("BuildKit panics: %v", p)
		}
		sort.Strings(r.asked)
		asked = r.asked
	}()
	args := make(map[string]string, len(c.BuildArgs))
	for k, v := range c.BuildArgs {
		args[k] = v
	}
	caps := pb.Caps.CapSet(pb.Caps.All())
	_, err = dockerfile2llb.Dockerfile2LLB(context.Background(), c.Dockerfile, dockerfile2llb.ConvertOpt{
		Config: dockerui.Config{
			BuildArgs:      args,
			Target:         c.Target,
			BuildPlatforms: []ocispecs.Platform{platforms.Normalize(linux)},
		},
		MetaResolver: r,
		LLBCaps:      &caps,
		AllStages:    all,
	})
	return nil, err
}

// truth finds where the references stand by walking what BuildKit's parser
// found, and lets BuildKit's own conversion say whether that is right.
func truth(c *Case) *Truth {
	asked, err := convert(c, false)
	askedAll, _ := convert(c, true)
	w := survey(c)
	t := &Truth{Case: *c, Uses: []*Use{}, Stages: []Stage{}}
	if w.hard == nil {
		t.Uses = append(t.Uses, w.uses...)
		t.Stages = append(t.Stages, w.found...)
	}
	switch {
	case w.hard != nil:
		t.Verdict, t.Message = "refused", w.hard.Error()
		if err == nil {
			return contradiction(t, "BuildKit takes it")
		}
		return t
	case w.soft != nil:
		t.Verdict, t.Message = "unset", w.soft.Error()
		if err == nil {
			return contradiction(t, "BuildKit takes it")
		}
		t.Doubt = w.doubt || !w.sound()
		return t
	case err != nil:
		t.Verdict, t.Message = "dispatch", err.Error()
	default:
		t.Verdict = "ok"
	}
	var reachable, without, every []string
	for _, use := range w.uses {
		if use.Canonical == "" || use.Optional {
			continue
		}
		every = append(every, use.Canonical)
		if use.Reachable {
			reachable = append(reachable, use.Canonical)
			if !use.late {
				without = append(without, use.Canonical)
			}
		}
	}
	sort.Strings(reachable)
	sort.Strings(without)
	sort.Strings(every)
	if !same(reachable, asked) && !same(without, asked) {
		return contradiction(t, fmt.Sprintf("BuildKit asked for %q, found were %q", asked, reachable))
	}
	if !same(every, askedAll) {
		return contradiction(t, fmt.Sprintf("BuildKit asked in all stages for %q, found were %q", askedAll, every))
	}
	return t
}

// sound says whether BuildKit would take the file if all of the references that
// lack a value were good ones.
func (w *walk) sound() bool {
	text := strings.SplitAfter(string(w.c.Dockerfile), "\n")
	for _, hole := range w.holes {
		line := &text[hole.line-1]
		at := strings.LastIndex(*line, hole.word)
		if at < 0 {
			return false
		}
		*line = (*line)[:at] + "hole.invalid/x" + (*line)[at+len(hole.word):]
	}
	filled := *w.c
	filled.Dockerfile = []byte(strings.Join(text, ""))
	_, err := convert(&filled, false)
	return err == nil
}

func same(a, b []string) bool {
	x, _ := json.Marshal(append([]string{}, a...))
	y, _ := json.Marshal(append([]string{}, b...))
	return string(x) == string(y)
}

func contradiction(t *Truth, what string) *Truth {
	t.Message = t.Verdict + ": " + t.Message + "; but " + what
	t.Verdict = "error"
	return t
}
