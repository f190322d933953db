package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

const scratch = "scratch"

// walk is one survey of a Dockerfile: the places that name images, with the
// words, the expansion and the references left to BuildKit's packages.
type walk struct {
	c      *Case
	lex    *shell.Lex
	env    *environment
	stages []*stage // with the sources that are no stages, behind the last one
	byName map[string]*stage
	uses   []*Use
	found  []Stage
	// What BuildKit refuses: hard for good, soft for a variable without value.
	hard, soft error
	// doubt says that a soft one may have another cause as well.
	doubt bool
	holes []hole
}

// hole is the word of a FROM that certainly lacks a value.
type hole struct {
	line int
	word string
}

type stage struct {
	index    int
	line     int
	name     string
	image    string // what it starts from, expanded
	base     *stage // or the stage that it starts from
	needs    []*stage
	sources  []source // of its instructions, in their order
	triggers []*instructions.OnbuildCommand
	fired    bool
	outside  bool // no stage: an image that an instruction names
	parsed   bool
	late     bool // reached only once ONBUILD had fired
	use      *Use
}

type source struct {
	from *stage
	used bool // a mount without a source still counts as one
}

// environment is what FROM can see, and which values are missing.
type environment struct {
	values map[string]string
	// For each variable with a value: those without one that it was made of.
	unset map[string][]string
	blank map[string]bool
}

func (e *environment) Get(name string) (string, bool) { v, ok := e.values[name]; return v, ok }

func (e *environment) Keys() []string {
	var keys []string
	for k := range e.values {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// lenient has a value for everything that lacks one, or a part of one.
type lenient struct{ *environment }

func (e lenient) Get(name string) (string, bool) {
	if v, ok := e.values[name]; ok && len(e.unset[name]) == 0 {
		return v, true
	}
	return "x", true
}

// Only plain variables: nothing that could give a missing value another one.
var plain = regexp.MustCompile(`^(?:[^$\\` + "`" + `'"{}]|\$[A-Za-z_][A-Za-z0-9_]*|\$\{[A-Za-z_][A-Za-z0-9_]*\})*$`)
var variable = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)

// expand has BuildKit expand a word, and says which missing variables it saw,
// and whether one of them surely left a hole.
func (w *walk) expand(word string) (value string, unset []string, blank bool, err error) {
	r, err := w.lex.ProcessWordWithMatches(word, w.env)
	if err != nil {
		// Refused whatever the missing ones are, or only for want of them?
		if _, other := w.lex.ProcessWordWithMatches(word, lenient{w.env}); other != nil {
			return "", nil, false, err
		}
	}
	seen := map[string]bool{}
	for name := range r.Unmatched {
		seen[name] = true
	}
	for name := range r.Matched {
		for _, other := range w.env.unset[name] {
			seen[other] = true
		}
	}
	for name := range seen {
		unset = append(unset, name)
	}
	sort.Strings(unset)
	if plain.MatchString(word) {
		for _, m := range variable.FindAllStringSubmatch(word, -1) {
			if _, ok := w.env.values[m[1]]; !ok || w.env.blank[m[1]] {
				blank = true
			}
		}
	}
	return r.Result, unset, blank, err
}

func survey(c *Case) (w *walk) {
	w = &walk{c: c, byName: map[string]*stage{}}
	defer func() {
		if p := recover(); p != nil {
			w.hard = fmt.Errorf("BuildKit panics: %v", p)
		}
	}()
	w.hard = w.run()
	return w
}

func (w *walk) run() error {
	if len(w.c.Dockerfile) == 0 {
		return errors.New("the file is empty")
	}
	check, _, _, _ := parser.ParseDirective("check", w.c.Dockerfile)
	options, err := linter.ParseLintOptions(check)
	if err != nil {
		return err
	}
	file, err := parser.Parse(bytes.NewReader(w.c.Dockerfile))
	if err != nil {
		return err
	}
	stages, arguments, err := instructions.Parse(file.AST, linter.New(options))
	if err != nil {
		return err
	}
	if len(stages) == 0 {
		return errors.New("no stages")
	}
	w.lex = shell.NewLex(file.EscapeToken)
	target := w.c.Target
	if target == "" {
		target = stages[len(stages)-1].Name
	}
	if err := w.arguments(target, arguments); err != nil {
		return err
	}
	for i := range stages {
		if err := w.stage(&stages[i]); err != nil {
			return err
		}
	}
	wanted := w.stages[len(w.stages)-1]
	if w.c.Target != "" {
		var ok bool
		if wanted, ok = w.byName[strings.ToLower(w.c.Target)]; !ok {
			return fmt.Errorf("no target stage %q", w.c.Target)
		}
	}
	for i := range stages {
		for _, command := range stages[i].Commands {
			if err := w.command(w.stages[i], command, nil); err != nil {
				return err
			}
		}
	}
	if s := w.circle(); s != nil {
		return fmt.Errorf("stage %d needs itself", s.index)
	}
	return w.resolve(wanted)
}

// arguments collects what FROM can see.
func (w *walk) arguments(target string, commands []instructions.ArgCommand) error {
	w.env = &environment{values: map[string]string{}, unset: map[string][]string{}, blank: map[string]bool{}}
	if target == "" {
		target = "default"
	}
	builtin := map[string]string{"TARGETSTAGE": target}
	for _, side := range []string{"BUILD", "TARGET"} {
		builtin[side+"PLATFORM"] = "linux/amd64"
		builtin[side+"OS"] = "linux"
		builtin[side+"OSVERSION"] = ""
		builtin[side+"ARCH"] = "amd64"
		builtin[side+"VARIANT"] = ""
	}
	for name, value := range builtin {
		if given, ok := w.c.BuildArgs[name]; ok {
			value = given
		}
		w.env.values[name] = value
	}
	for i := range commands {
		for _, argument := range commands[i].Args {
			if given, ok := w.c.BuildArgs[argument.Key]; ok {
				w.env.values[argument.Key] = given
				delete(w.env.unset, argument.Key)
				delete(w.env.blank, argument.Key)
				continue
			}
			if argument.Value == nil {
				continue
			}
			value, unset, blank, err := w.expand(*argument.Value)
			if err != nil {
				if len(unset) == 0 {
					return err
				}
				w.refuseSoftly(err, false)
			}
			w.env.values[argument.Key] = value
			w.env.unset[argument.Key] = unset
			w.env.blank[argument.Key] = blank
		}
	}
	return nil
}

func (w *walk) refuseSoftly(err error, certain bool) {
	w.doubt = w.doubt || !certain
	if w.soft == nil {
		w.soft = err
	}
}

func lines(location []parser.Range) (first, last int) {
	for i, r := range location {
		if i == 0 || r.Start.Line < first {
			first = r.Start.Line
		}
		last = max(last, r.End.Line)
	}
	return first, last
}

func (w *walk) stage(parsed *instructions.Stage) error {
	image, unset, blank, err := w.expand(parsed.BaseName)
	if err == nil && image == "" {
		err = errors.New("the base name is blank")
	}
	if err != nil && len(unset) == 0 {
		return err
	}
	if err != nil {
		w.refuseSoftly(err, blank)
	}
	if parsed.Platform != "" {
		if err := w.platform(parsed.Platform); err != nil {
			return err
		}
	}
	first, last := lines(parsed.Location)
	s := &stage{index: len(w.stages), line: first, name: parsed.Name, image: image}
	s.use = &Use{Reference: image, Kind: "from", First: first, Last: last, Stage: s.index, Unset: unset, Blank: blank}
	if err != nil {
		s.use.Reference = ""
	}
	if blank {
		w.holes = append(w.holes, hole{first, parsed.BaseName})
	}
	w.add(s)
	return nil
}

func (w *walk) platform(word string) error {
	value, unset, _, err := w.expand(word)
	if err == nil && value == "" {
		err = errors.New("the platform is empty")
	}
	if err == nil {
		_, err = platforms.Parse(value)
	}
	if err != nil && len(unset) > 0 {
		w.refuseSoftly(err, false)
		return nil
	}
	return err
}

func (w *walk) add(s *stage) {
	w.stages = append(w.stages, s)
	s.base = w.byName[s.image]
	if s.name != "" {
		w.byName[strings.ToLower(s.name)] = s
	}
}

// command notes what an instruction needs; use is given when it was fired.
func (w *walk) command(s *stage, command instructions.Command, fired *Use) error {
	first, last := lines(command.Location())
	use := func(reference, kind string) *Use {
		u := &Use{Reference: reference, Kind: kind, First: first, Last: last, Stage: s.index}
		if fired != nil {
			u.First, u.Last, u.Fired = fired.First, fired.Last, true
		}
		return u
	}
	switch c := command.(type) {
	case *instructions.OnbuildCommand:
		s.triggers = append(s.triggers, c)
	case *instructions.CopyCommand:
		if c.From == "" {
			return nil
		}
		r, err := w.lex.ProcessWordWithMatches(c.From, shell.EnvsFromSlice(nil))
		if err != nil {
			return err
		}
		if r.Result != c.From {
			return errors.New("--from is not expanded")
		}
		index, err := strconv.Atoi(c.From)
		if err != nil {
			w.need(s, c.From, use(c.From, "copy"), true)
			return nil
		}
		if index < 0 || index >= len(w.stages) {
			return fmt.Errorf("no stage %d", index)
		}
		s.needs = append(s.needs, w.stages[index])
		s.sources = append(s.sources, source{w.stages[index], true})
	case *instructions.RunCommand:
		for _, mount := range instructions.GetMounts(c) {
			from := mount.From
			if from == "" {
				from = scratch
			}
			w.need(s, from, use(from, "mount"), mount.From != "")
		}
	}
	return nil
}

func (w *walk) need(s *stage, name string, use *Use, used bool) {
	from, ok := w.byName[strings.ToLower(name)]
	if !ok {
		from = &stage{index: -1, image: name, outside: true, use: use}
		w.add(from)
	}
	s.needs = append(s.needs, from)
	s.sources = append(s.sources, source{from, used})
}

// circle finds a stage that needs itself by its instructions.
func (w *walk) circle() *stage {
	const open, done = 1, 2
	state := map[*stage]int{}
	var visit func(*stage) *stage
	visit = func(s *stage) *stage {
		state[s] = open
		for _, n := range s.needs {
			if state[n] == open {
				return n
			}
			if state[n] == 0 {
				if found := visit(n); found != nil {
					return found
				}
			}
		}
		state[s] = done
		return nil
	}
	for _, s := range w.stages {
		if state[s] == 0 {
			if found := visit(s); found != nil {
				return found
			}
		}
	}
	return nil
}

func reach(s *stage, reached map[*stage]bool) {
	if s == nil || reached[s] {
		return
	}
	reached[s] = true
	reach(s.base, reached)
	for _, n := range s.needs {
		reach(n, reached)
	}
}

// resolve looks at the references, fires ONBUILD where a reached stage starts
// from one of the file, and goes on until that brings nothing new.
func (w *walk) resolve(target *stage) error {
	for round := 0; ; round++ {
		for _, s := range w.stages {
			if err := w.name(s); err != nil {
				return err
			}
		}
		reached := map[*stage]bool{}
		reach(target, reached)
		if round == 0 {
			for _, s := range w.stages {
				s.late = !reached[s]
			}
		}
		again := false
		for _, s := range append([]*stage{}, w.stages...) {
			if reached[s] && s.base != nil && !s.fired {
				s.fired = true
				if err := w.fire(s); err != nil {
					return err
				}
				again = again || len(s.base.triggers) > 0
			}
		}
		if !again {
			w.finish(reached)
			return w.order(reached)
		}
	}
}

// name parses the reference of a stage or source, once.
func (w *walk) name(s *stage) error {
	if s.parsed || s.base != nil {
		return nil
	}
	s.parsed = true
	if s.image == scratch || s.use.Reference == "" {
		return nil
	}
	named, err := reference.ParseNormalizedNamed(s.image)
	if err != nil {
		if len(s.use.Unset) > 0 {
			w.refuseSoftly(err, s.use.Blank)
			s.use.Reference = ""
			return nil
		}
		return fmt.Errorf("line %d: %q: %w", s.use.First, s.image, err)
	}
	s.use.Canonical = reference.TagNameOnly(named).String()
	return nil
}

func (w *walk) fire(s *stage) error {
	return w.triggers(s, func(command instructions.Command, use *Use) error {
		return w.command(s, command, use)
	})
}

func (w *walk) triggers(s *stage, do func(instructions.Command, *Use) error) error {
	for _, trigger := range s.base.triggers {
		file, err := parser.Parse(strings.NewReader(trigger.Expression))
		if err != nil {
			return err
		}
		if len(file.AST.Children) != 1 {
			return errors.New("ONBUILD of several instructions")
		}
		command, err := instructions.ParseCommand(file.AST.Children[0])
		if err != nil {
			return err
		}
		use := &Use{}
		use.First, use.Last = lines(trigger.Location())
		if err := do(command, use); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) finish(reached map[*stage]bool) {
	for _, s := range w.stages {
		if !s.outside {
			w.found = append(w.found, Stage{Name: s.name, Line: s.line, Reachable: reached[s]})
		}
		if s.base != nil || (s.image == scratch && len(s.use.Unset) == 0) {
			continue
		}
		s.use.Reachable = reached[s]
		s.use.late = s.outside && s.late
		w.uses = append(w.uses, s.use)
	}
	// What unreached stages would fire, if anything built them.
	for _, s := range append([]*stage{}, w.stages...) {
		if s.base == nil || s.fired {
			continue
		}
		known := len(w.stages)
		fork := &walk{c: w.c, lex: w.lex, env: w.env, byName: w.byName, stages: append([]*stage{}, w.stages...)}
		// What one trigger lacks does not take the others away.
		all := s.base.triggers
		for i := range all {
			one := *s
			one.base = &stage{triggers: all[i : i+1]}
			_ = fork.fire(&one)
		}
		for _, extra := range fork.stages[known:] {
			if extra.base == nil && extra.image != scratch && fork.name(extra) == nil {
				extra.use.Optional = true
				w.uses = append(w.uses, extra.use)
			}
		}
	}
	sort.SliceStable(w.uses, func(i, j int) bool { return w.uses[i].First < w.uses[j].First })
}

// order refuses a source that is built later than the stage that wants it.
func (w *walk) order(reached map[*stage]bool) error {
	for _, s := range w.stages {
		if !reached[s] || s.outside {
			continue
		}
		for _, source := range s.sources {
			if source.used && !source.from.outside && source.from.index > s.index {
				return fmt.Errorf("stage %d is a source of stage %d, and built later", source.from.index, s.index)
			}
		}
	}
	return nil
}
