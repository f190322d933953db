package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// generate writes cases made up from the seed. Each has its own source of
// chance, so that a case keeps its text when others come or go.
func generate(seed uint64, count int, out *bufio.Writer) error {
	encoder := json.NewEncoder(out)
	for i := range count {
		g := &generator{rand.New(rand.NewPCG(seed, uint64(i)))}
		family := families[i%len(families)]
		c := family.make(g)
		c.ID = fmt.Sprintf("%s-%d-%d", family.name, seed, i)
		if err := encoder.Encode(c); err != nil {
			return err
		}
	}
	return nil
}

type generator struct{ *rand.Rand }

var families = []struct {
	name string
	make func(*generator) *Case
}{
	{"file", (*generator).file},
	{"mutated", (*generator).mutated},
	{"expansion", (*generator).expansion},
	{"mutated", (*generator).mutated},
	{"reference", (*generator).referenced},
	{"stages", (*generator).stages},
	{"lines", (*generator).lines},
	{"mutated", (*generator).mutated},
	{"heredoc", (*generator).heredoc},
	{"mount", (*generator).mount},
	{"noise", (*generator).noise},
	{"folded", (*generator).folded},
	{"sound", (*generator).sound},
	{"onbuild", (*generator).onbuild},
}

func (g *generator) pick(of ...string) string { return of[g.IntN(len(of))] }
func (g *generator) chance(percent int) bool  { return g.IntN(100) < percent }

// maybe gives the text in so many cases of a hundred.
func (g *generator) maybe(percent int, text string) string {
	if g.chance(percent) {
		return text
	}
	return ""
}

// some joins a few things.
func (g *generator) some(least, most int, with string, make func() string) string {
	var all []string
	for range least + g.IntN(most-least+1) {
		all = append(all, make())
	}
	return strings.Join(all, with)
}

func (g *generator) blank() string {
	if g.chance(85) {
		return " "
	}
	return g.pick("  ", "\t", " \t ", "\v", "\f", "\r", "\u00a0", "\u2003", "\u0085", "\x00", "\u3000")
}

// cased spells a keyword in some case.
func (g *generator) cased(word string) string {
	switch g.IntN(8) {
	case 0:
		return strings.ToLower(word)
	case 1:
		return strings.ToUpper(word[:1]) + strings.ToLower(word[1:])
	default:
		return word
	}
}

// --- references -----------------------------------------------------------------

func (g *generator) hexadecimal(length int) string {
	return g.letters(length, "0123456789abcdef")
}

func (g *generator) letters(length int, of string) string {
	var text strings.Builder
	for range length {
		text.WriteByte(of[g.IntN(len(of))])
	}
	return text.String()
}

// image is a reference that mostly is a good one.
func (g *generator) image() string {
	return g.pick("alpine", "node:22", "golang:1.24-bookworm", "ghcr.io/acme/tool:v1.0", "localhost:5000/x/y", "debian",
		"quay.io/a/b@sha256:"+strings.Repeat("a", 64), "python:3.13-slim", "busybox:1", "scratch", "registry.example.com:8443/team/app")
}

func (g *generator) reference() string {
	if g.chance(25) {
		return g.image()
	}
	registry := g.pick("", "", "", "docker.io/", "index.docker.io/", "docker.io/library/", "localhost/", "localhost:5000/", "LOCALHOST/", "REGISTRY/",
		"Registry/", "ghcr.io/", "GHCR.io/", "registry.example.com:443/", "127.0.0.1:5000/", "[::1]/", "[fd00::1]:5000/", "[FD00::1]:5000/", "[::1/",
		"x:/", "x:5000/", "a..b/", "-a.b/", "a-.b/", "a_b.c/", ".a/", "a./", "a:b/", "http://", "https://x/", "registry-1.docker.io/", "[1.2.3.4]/", "[]/", "[:]:1/", "[fe80::1%eth0]/", "é.com/")
	path := g.some(1, 3, g.pick("/", "/", "/", "/", "//", "."), func() string {
		return g.pick("a", "node", "library", "foo-bar", "foo--bar", "foo---bar", "foo_bar", "foo__bar", "foo___bar", "foo.bar", "foo..bar", "foo.-bar",
			"foo-.bar", "foo_.bar", "-foo", "foo-", "_foo", "foo_", ".foo", "foo.", "Foo", "foO", "0", "00", "1.2", "x", "é", "a b", "", ".", "..",
			g.hexadecimal(63), g.hexadecimal(64), g.hexadecimal(65), strings.ToUpper(g.hexadecimal(64)), g.letters(120, "abc"), "scratch", "SCRATCH", "stage-0", "builder")
	})
	tag := g.maybe(50, ":"+g.pick("latest", "1", "1.2.3", "v1", "V1-Alpine", "_x", "-x", ".x", "x.", "x-", "x_y", "", "a:b", "a/b", "é", "a+b",
		g.letters(127, "aZ9._-"), "a"+g.letters(127, "aZ9._-"), "a"+g.letters(128, "aZ9._-"), "sha256", "@", "1@"))
	digest := g.maybe(30, "@"+g.pick("sha256:"+g.hexadecimal(64), "sha256:"+g.hexadecimal(64), "sha256:"+g.hexadecimal(64), "sha512:"+g.hexadecimal(128),
		"sha384:"+g.hexadecimal(96), "sha256:"+g.hexadecimal(63), "sha256:"+g.hexadecimal(65), "SHA256:"+g.hexadecimal(64), "sha256:"+strings.ToUpper(g.hexadecimal(64)),
		"sha1:"+g.hexadecimal(40), "md5:"+g.hexadecimal(32), "sha256", "sha256:", ":"+g.hexadecimal(64), "", "sha512:"+g.hexadecimal(64), "blake3:"+g.hexadecimal(64),
		"sha256+b64:"+g.hexadecimal(64), "sha256:"+g.hexadecimal(64)+":x"))
	return registry + path + tag + digest
}

func (g *generator) referenced() *Case {
	var text strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&text, format+"\n", a...) }
	switch g.IntN(5) {
	case 0:
		line("FROM %s", g.reference())
	case 1:
		line("FROM %s AS a", g.reference())
		line("FROM %s", g.reference())
	case 2:
		line("FROM scratch")
		line("COPY --from=%s /a /b", g.reference())
	case 3:
		line("FROM scratch")
		line("RUN --mount=from=%s,target=/x true", g.reference())
	case 4:
		line("ARG V=%s", g.reference())
		line("FROM $V")
	}
	return &Case{Dockerfile: []byte(text.String())}
}

// --- expansion --------------------------------------------------------------------

func (g *generator) name() string {
	return g.pick("A", "B", "C", "V", "VERSION", "BASE", "TARGETARCH", "TARGETVARIANT", "BUILDPLATFORM", "a", "A_1", "_x", "UNSET", "TARGETSTAGE")
}

// literal is what stands between variables.
func (g *generator) literal() string {
	return g.pick("", "", "a", "b", "node", "1", ".", "-", "_", "/", ":", "22", "x-y", "alpine", "é", `\$`, `\\`, `\a`, `\"`, `'`, `"`, "$", "`", `""`, `''`, "}", "{", "<", "<<", "=", "#", "%", "@", "*", "?", "+", "|", "~", "!", "^", "[a]", "(", ")", "\ufffd", "\xff")
}

// tame is a literal that can stand in a reference.
func (g *generator) tame() string {
	return g.pick("", "a", "b", "node", "1", "-x", "_y", "/z", "22", "alpine", ".v")
}

func (g *generator) expand(depth int) string {
	word := func() string {
		if depth <= 0 {
			if g.chance(80) {
				return g.tame()
			}
			return g.literal()
		}
		return g.some(0, 2, "", func() string {
			switch g.IntN(6) {
			case 0:
				return g.expand(depth - 1)
			case 1:
				return g.literal()
			case 2:
				return `"` + g.tame() + `"`
			case 3:
				return "'" + g.tame() + g.maybe(20, "$A") + "'"
			default:
				return g.tame()
			}
		})
	}
	pattern := func() string {
		return g.some(0, 3, "", func() string {
			return g.pick("*", "?", "a", "b", "1", "-", ".", "/", "é", `\*`, `\?`, `\\`, `\/`, `\}`, `\a`, "[", "]", "(", "+", "^", "$", "node", "$A", "${B}", `"*"`, `'?'`, "%", "#", "\n"[:0])
		})
	}
	name := g.name()
	if g.chance(3) {
		name = g.pick("", "1", "12", "0", "@", "*", "#", "?", "-", "$", "!", "é", "A-", "A.", "{A}", ":")
	}
	switch g.IntN(16) {
	case 0, 1:
		return "$" + name
	case 2, 3:
		return "${" + name + "}"
	case 4, 5:
		return "${" + name + ":-" + word() + "}"
	case 6:
		return "${" + name + "-" + word() + "}"
	case 7:
		return "${" + name + ":+" + word() + "}"
	case 8:
		return "${" + name + "+" + word() + "}"
	case 9:
		return "${" + name + g.pick(":?", "?") + word() + "}"
	case 10:
		return "${" + name + g.pick("#", "##") + pattern() + "}"
	case 11:
		return "${" + name + g.pick("%", "%%") + pattern() + "}"
	case 12:
		return "${" + name + "/" + pattern() + "/" + word() + "}"
	case 13:
		return "${" + name + "//" + pattern() + "/" + word() + "}"
	case 14:
		return "${" + name + g.pick(":=", "=", "^", "^^", ",", ",,", ":", "::-", ":#", ":%", ":/", "/", "//", "/a", "@Q", " ", "!", "[0]", ":1:2", "") + g.tame() + g.maybe(80, "}")
	default:
		return "$" + name + g.tame()
	}
}

// value is the value of an ARG before FROM.
func (g *generator) value() string {
	switch g.IntN(8) {
	case 0:
		return `"` + g.tame() + g.maybe(50, g.expand(1)) + `"`
	case 1:
		return "'" + g.tame() + g.maybe(50, g.expand(1)) + "'"
	case 2:
		return g.expand(2)
	case 3:
		return g.literal() + g.literal()
	case 4:
		return g.tame() + `\ ` + g.tame()
	default:
		return g.some(0, 3, "", g.tame)
	}
}

func (g *generator) arguments() string {
	return g.cased("ARG") + g.blank() + g.some(1, 3, g.blank(), func() string {
		return g.name() + g.maybe(85, "="+g.value())
	}) + "\n"
}

func (g *generator) given() map[string]string {
	if g.chance(60) {
		return nil
	}
	args := map[string]string{}
	for range 1 + g.IntN(2) {
		args[g.name()] = g.pick("", "a", "node", "$A", "${B}", "22", "a b", `"q"`, `\x`, "x/y:1", "linux/arm64", "é", "aXbXc", "1.2.3", "node-22-alpine")
	}
	return args
}

func (g *generator) expansion() *Case {
	var text strings.Builder
	if g.chance(10) {
		text.WriteString("# escape=`\n")
	}
	text.WriteString(g.maybe(50, g.pick("ARG A=a B=node-22 C=1.2.3\nARG V=aXbXc BASE=node\n", "ARG A=node\nARG B=$A-b\nARG C=${UNSET:-c}\n", "ARG a=lib/node/22 VERSION=22.1 BASE=alpine _x=\n")))
	text.WriteString(g.some(0, 4, "", g.arguments))
	for range 1 + g.IntN(2) {
		platform := g.maybe(15, "--platform="+g.pick("$BUILDPLATFORM", "${TARGETPLATFORM}", "linux/amd64", "$A", "linux/$TARGETARCH", "${A:-linux/arm64}", "", "'linux/amd64'", "nonsense/x/y/z", "linux")+" ")
		image := g.some(1, 3, "", func() string {
			if g.chance(60) {
				return g.expand(2)
			}
			return g.tame()
		})
		if g.chance(30) {
			image = `"` + image + `"`
		} else if g.chance(40) {
			image = "x" + image
		}
		text.WriteString("FROM " + platform + image + g.maybe(20, " AS "+g.pick("a", "b", "A", "$A", "a$A", `"a"`)) + "\n")
		if g.chance(20) {
			text.WriteString(g.arguments())
		}
	}
	return &Case{Dockerfile: []byte(text.String()), BuildArgs: g.given()}
}

// --- stages -----------------------------------------------------------------------

func (g *generator) stageName() string {
	if g.chance(60) {
		return g.pick("a", "b", "c", "d", "Builder", "base")
	}
	return g.pick("a", "b", "c", "a", "b", "builder", "Builder", "BUILDER", "base", "scratch", "node", "alpine", "a.b", "a-b_c", "stage-0", "x1", "1x", "0", "-a", "_a", "a/b", "a:b", "é", "context", "target")
}

// origin is what FROM, COPY --from and a mount name.
func (g *generator) origin() string {
	switch g.IntN(8) {
	case 0:
		return g.image()
	case 1:
		return g.pick("0", "1", "2", "3", "00", "01", "-1", "+1", "+0", "-0", "1_0", "0x1", "99", "99999999999999999999", " 0", "")
	case 2:
		return g.pick("$A", "${A}", `\a`, "$", "a$", `"a"`, `'b'`, "Alpine", "a:latest", "base:latest", "stage-0", "stage-1", "$1")
	default:
		return g.stageName()
	}
}

func (g *generator) stages() *Case {
	var text strings.Builder
	text.WriteString(g.maybe(20, "ARG A="+g.pick("a", "b", "alpine", "scratch", "", "Builder", "base")+"\n"))
	for range 1 + g.IntN(5) {
		from := g.image()
		if g.chance(45) {
			from = g.stageName()
		}
		if g.chance(8) {
			from = g.origin()
		}
		text.WriteString("FROM " + from + g.maybe(75, " "+g.cased("AS")+" "+g.stageName()) + "\n")
		text.WriteString(g.some(0, 2, "", func() string {
			switch g.IntN(6) {
			case 0:
				return "RUN --mount=type=bind,target=/x,from=" + g.origin() + " true\n"
			case 1:
				return "ONBUILD COPY --from=" + g.origin() + " /a /b\n"
			case 2:
				return "RUN --mount=type=cache,target=/x true\n"
			default:
				return "COPY " + g.maybe(20, "--chown=1:1 ") + "--from=" + g.origin() + g.maybe(10, " --link") + " /a /b\n"
			}
		}))
	}
	c := &Case{Dockerfile: []byte(text.String())}
	if g.chance(35) {
		c.Target = g.pick("a", "b", "A", "builder", "Builder", "0", "1", "stage-0", "missing", "scratch", "node", "base")
	}
	return c
}

func (g *generator) onbuild() *Case {
	var text strings.Builder
	trigger := func() string {
		return g.cased("ONBUILD") + g.blank() + g.pick("COPY --from=alpine /a /b", "COPY --from=b /a /b", "COPY --from=0 /a /b", "RUN --mount=from=busybox,target=/x true",
			"RUN --mount=type=cache,target=/c,from=c true", "FROM x", "ONBUILD RUN x", "MAINTAINER x", "COPY x", "COPY", "", "NONSENSE x", "RUN", "RUN <<E\nx\nE", "COPY <<E /x\nFROM y\nE",
			"ADD --from=x /a /b", "COPY --from=Bad /a /b", "COPY --from=$A /a /b", "RUN \\\n  x", "ENV A", "HEALTHCHECK x", "CMD [1]", "ARG A", "COPY --from=2 /a /b", "COPY --from=later /a /b",
			"RUN --mount=from=x$,target=/x true", "# c", "copy --FROM=alpine /a /b", "COPY [\"--from=x\", \"/a\", \"/b\"]", "COPY --from=d /a /b") + "\n"
	}
	for i := range 2 + g.IntN(3) {
		text.WriteString("FROM " + g.pick("a", "a", "a", "b", "debian", "c") + " AS " + g.pick("a", "b", "c", "d", "later"))
		text.WriteString("\n")
		if i == 0 || g.chance(40) {
			text.WriteString(g.some(0, 2, "", trigger))
		}
	}
	c := &Case{Dockerfile: []byte(text.String())}
	if g.chance(30) {
		c.Target = g.pick("a", "b", "c", "d")
	}
	return c
}

// --- instructions -------------------------------------------------------------------

func (g *generator) flag() string {
	return g.pick("--from=a", "--from=alpine", `--from="alpine"`, `"--from=alpine"`, "--from='a'", "--from=", "--from", "--FROM=a", "--chown=1:1", "--chmod=755", "--link", "--link=true", "--link=maybe", "--link=",
		"--parents", "--exclude=x", "--exclude=y", "--unknown", "--unknown=1", "--", "-", "---", "--=", "--fr\\om=alpine", "--from=al\\pine", "--network=none", "--security=insecure", "--mount=type=tmpfs,target=/t",
		"--platform=linux/amd64", "--interval=1s", "--checksum=x", "--keep-git-dir", "--unpack", "--network=bad", "--device=x", "--from=\"al pine\"", "--from=0", "--start-interval=1s")
}

func (g *generator) instruction() string {
	word := g.pick("RUN", "RUN", "RUN", "COPY", "COPY", "ADD", "ENV", "LABEL", "CMD", "ENTRYPOINT", "EXPOSE", "USER", "WORKDIR", "VOLUME", "STOPSIGNAL", "ARG", "SHELL", "HEALTHCHECK", "MAINTAINER", "ONBUILD", "NONSENSE", "FROM", "#", "INCLUDE", "")
	rest := g.pick("", "a", "a b", "a b c", "A=1", "A=1 B=2", "A", "A 1", "=1", "A=", `A="x y"`, `["a"]`, `["a", "b"]`, `["a"`, `[1]`, `['a']`, `[]`, `["a","b"] c`, `"a" b`, `a "b`, "80", "80/tcp", "/x", ". .", "NONE",
		"CMD a", "CMD", "NONE x", "cmd [\"a\"]", "echo <<E", "$A", "a #b", "9", "SIGTERM", "RUN a", "x=y z", `{"a":1}`, `[null]`, `["\u0041", "b"]`, `["a\qb", "c"]`, ` ["a", "b"]`, `["a", "b"] `, "\"\"", "[ ]", "https://x/y /z", "--x", "-- a b", "A=1 B", "é", "\x00", "\xff\xfe b")
	flags := ""
	if g.chance(25) {
		flags = g.some(1, 2, " ", g.flag) + " "
	}
	return g.cased(word + " ")[:len(word)] + g.blank() + flags + rest + "\n"
}

func (g *generator) sane() string {
	return g.pick("RUN apt-get update && apt-get install -y curl\n", "COPY . /app\n", "WORKDIR /app\n", "ENV A=1 B=\"x y\"\n", "EXPOSE 8080\n", "CMD [\"node\", \"x.js\"]\n", "USER 1000:1000\n",
		"LABEL a=b c=\"d e\"\n", "HEALTHCHECK --interval=5s CMD true\n", "ENTRYPOINT [\"/x\"]\n", "VOLUME /data\n", "STOPSIGNAL SIGTERM\n", "SHELL [\"/bin/sh\", \"-c\"]\n", "ARG X=1\n", "ADD a.tgz /b\n", "MAINTAINER me\n",
		"RUN a \\\n  && b \\\n  # a comment\n  && c\n", "RUN <<EOF\nFROM not\nEOF\n", "RUN x \\\n\n  y\n", "# comment\n", "\n", "COPY --from=a /a /b\n", "COPY --from=alpine:3 /a /b\n", "RUN --mount=type=cache,target=/c true\n", "RUN --mount=type=bind,from=golang:1,target=/g true\n",
		"CMD x <<E\n", "ENV A=<<E\n", "RUN [\"a\", \"<<E\"]\n", "RUN cat <<< x\n", "RUN a <<-X b\n\tc\n\tX\n", "COPY <<\"E\" /x\n$A\nE\n")
}

func (g *generator) file() *Case {
	var text strings.Builder
	text.WriteString(g.maybe(15, g.pick("# syntax=docker/dockerfile:1\n", "#syntax = docker/dockerfile:1.7\n", "# check=skip=all\n", "# escape=\\\n", "# hello\n", "\n", "#!/bin/sh\n", "# check=error=true\n")))
	text.WriteString(g.some(0, 2, "", g.arguments))
	for range 1 + g.IntN(3) {
		image := g.image()
		if g.chance(15) {
			image = g.pick("$A", "${VERSION:-alpine}", "node:${VERSION}", "a", "b", `"alpine"`)
		}
		text.WriteString(g.cased("FROM") + " " + g.maybe(10, "--platform=$BUILDPLATFORM ") + image + g.maybe(50, " AS "+g.pick("a", "b", "c")) + "\n")
		text.WriteString(g.some(0, 5, "", func() string {
			if g.chance(7) {
				return g.instruction()
			}
			return g.sane()
		}))
	}
	return &Case{Dockerfile: []byte(text.String()), BuildArgs: g.given(), Target: g.maybe(10, g.pick("a", "b"))}
}

func (g *generator) noise() *Case {
	text := "FROM alpine AS a\n" + g.some(1, 3, "", g.instruction) + g.maybe(50, "FROM a\n"+g.instruction())
	return &Case{Dockerfile: []byte(text)}
}

// --- lines, heredocs, mounts -----------------------------------------------------------

func (g *generator) lines() *Case {
	var text strings.Builder
	escape := `\`
	if g.chance(70) {
		text.WriteString(g.maybe(10, "\ufeff"))
		text.WriteString(g.some(0, 3, "", func() string {
			return g.pick("# escape=`\n", "#escape=`\n", "# ESCAPE = `\n", "# escape=\\\n", "# escape=x\n", "# escape=`  \n", "# escape=` x\n", "# syntax=x\n", "# check=skip=all\n", "# check=nonsense\n", "# unknown=1\n", "# c\n", "\n", " # escape=`\n", "# escape=\n", "## escape=`\n", "#\tescape\t=\t`\r\n", "# syntax=y\n", "#\n", "# es cape=`\n", "# escape=``\n", "# escape1=`\n")
		}))
		if strings.Contains(text.String(), "`") && g.chance(80) {
			escape = "`"
		}
	}
	end := func() string {
		return g.pick("\n", "\n", "\n", "\r\n", " \n", "\t\n", "\r", "\n\n", " "+escape+"\n", escape+"\n", escape+" \n", escape+"\t\r\n", escape+escape+"\n", escape+"\n\n", escape+"\n# c\n", escape+"\n  # c "+escape+"\n", escape+"\n \t\n", " "+escape+"\n"+escape+"\n", escape+"\u00a0\n", escape+"\r\r\n", escape+"\n#\n", escape+"\n\ufeff", escape+"\v\n")
	}
	word := func() string {
		return g.pick("FROM", "alpine", "AS", "a", "RUN", "x", "COPY", "--from=a", "--from=busybox", "/b", "FR", "OM", "al", "pine", " ", "  ", "\t", "#", "# c", "ARG", "A=1", "$A", "b", "node:22", "&&", `"`, `'`, "ENV", "\u00a0", "\x00", "\xff", "ONBUILD", "from", "--platform=linux/amd64")
	}
	text.WriteString(g.maybe(30, "ARG A=alpine\n"))
	if g.chance(70) {
		text.WriteString(g.pick("FROM alpine AS a\n", "FROM"+escape+"\n alpine\n", "FROM "+escape+"\nalpine AS a\n", "FROM al"+escape+"\npine\n", "F"+escape+"\nROM alpine as a\r\n", "  FROM alpine\n", "\tfrom\talpine\tas\ta\n", "FROM alpine "+escape+"\n# c\nAS a\n", "\vFROM alpine\n", "\u00a0FROM alpine\n", "\u2003FROM alpine\n", "\x00FROM alpine\n", "\ufeffFROM alpine\n", "\xffFROM alpine\n"))
	}
	for range g.IntN(6) {
		text.WriteString(g.some(1, 4, " ", word) + end())
	}
	text.WriteString(g.pick("RUN x\n", "RUN x", "FROM b", "FROM b\n", "FROM b "+escape, "FROM b\r", "RUN x "+escape+"\n", "", "# c", escape))
	dockerfile := []byte(text.String())
	if g.chance(4) {
		dockerfile = append(dockerfile, []byte("\nRUN "+strings.Repeat("x", g.IntN(2)*4+65528)+g.maybe(50, "\n"))...)
	}
	return &Case{Dockerfile: dockerfile}
}

func (g *generator) heredoc() *Case {
	var text strings.Builder
	text.WriteString(g.maybe(12, "# escape=`\n"))
	text.WriteString("FROM alpine AS a\n")
	for range 1 + g.IntN(2) {
		name := g.pick("E", "EOF", "a", "E1", "é", "E.F", "-E", "1", "E-", "FROM")
		opening := g.pick("<<", "<<", "<<-", "<< ", "<<- ", "3<<", "<<\t", "0<<-", "x<<", "<<<", `\<<`, "<<=", "<")
		spelled := g.pick(name, name, `"`+name+`"`, "'"+name+"'", `\`+name, name[:1]+`"`+name[1:]+`"`, name+"x", `"`+name, "$A", "$"+name, "${A:-"+name+"}", name+"<", name+"|cat", name+";", name+")", `""`)
		head := g.pick("RUN ", "RUN ", "RUN cat ", "COPY ", "ADD ", "ONBUILD RUN ", "ONBUILD COPY ", "ONBUILD ADD ", "CMD ", "ENV A=", "LABEL a=", "ENTRYPOINT ", "run ", "RUN [\"x\"] ", "RUN [\"", "# ", "ONBUILD ENV A=", "RUN x # ", "RUN \"", "RUN '", "RUN $((1 ", "RUN --mount=type=cache,target=/x ", "COPY --from=a ", "RUN echo \\\n ", "HEALTHCHECK CMD ", "WORKDIR ", "RUN echo \"$(cat ", "RUN a=`cat ", "RUN ${A:-", "RUN it's ", "RUN \\\"", "RUN $'\\n' ")
		tail := g.pick("", "", " /x", " > /x", "\"]", " <<F", " && true", "\"", "'", " \\\n  y", " # c", ")", ")\"", "}", "/x", " | sh", "\r", " $A", " <<E", " \\")
		if g.chance(60) { // Where the same lines are sound without a heredoc too.
			name = g.pick("RUN", "CMD", "FROM z", "RUN x", "COPY --from=z /a /b", "USER")
			spelled = g.pick(`"`+name+`"`, "'"+name+"'", `"`+name[:2]+`"'`+name[2:]+"'")
			tail = g.pick("", "", " /x", "  # c", "/x", " /y", " /z \\\n /q")
			text.WriteString(head + opening + spelled + tail + "\n")
			text.WriteString(g.some(0, 3, "", func() string {
				return g.pick("FROM x AS x\n", "RUN y\n", "COPY --from=y /a /b\n", "# c\n", "\n", "RUN a \\\n  b\n", "\tRUN z\n", name+" \n", " "+name+"\n", "RUN --mount=from=w,target=/w x\n")
			}))
			text.WriteString(g.maybe(85, g.maybe(20, "\t")+name+g.pick("\n", "\n", "\r\n")))
			continue
		}
		text.WriteString(head + opening + spelled + tail + g.pick("\n", "\n", "\r\n"))
		text.WriteString(g.some(0, 3, "", func() string {
			return g.pick("FROM x\n", "  "+name+"\n", name+" \n", "\t"+name+"x\n", "text\n", "# c\n", "\n", "a \\\n", "COPY --from=y /a /b\n", "\xff\x00\n", "\r\n", strings.Repeat("x", g.IntN(3)*10)+"\n", "<<Z\n")
		}))
		text.WriteString(g.pick(name+"\n", name+"\n", name+"\n", "\t"+name+"\n", name+"\r\n", name, "", "F\n"+name+"\n", name+"\nF\n", " "+name+"\n", name+"\n"+name+"\n", "\t\t"+name+"\r\r\n", "$A\n", "\n"))
	}
	text.WriteString(g.pick("", "FROM b\n", "RUN x\n", "COPY --from=c /a /b\n"))
	return &Case{Dockerfile: []byte(text.String())}
}

func (g *generator) mount() *Case {
	var text strings.Builder
	text.WriteString("ARG A=b\nFROM alpine AS a\n")
	text.WriteString(g.maybe(30, "FROM debian AS "+g.pick("b", "scratch", "cache")+"\n"))
	for range 1 + g.IntN(2) {
		pair := func() string {
			key := g.pick("type", "type", "from", "from", "from", "target", "target", "dst", "source", "src", "ro", "rw", "readonly", "id", "sharing", "size", "mode", "uid", "required", "env", "FROM", "From", "Type", " from", "unknown", "")
			value := g.pick("a", "b", "A", "busybox", "golang:1.24", "/x", "/y", "bind", "cache", "tmpfs", "secret", "ssh", "BIND", "nonsense", "true", "false", "locked", "0755", "1000", "10m", "$A", "${A}", "x$", "", "0", "1", "scratch", "Bad/Name", "a b", "a=b", `\a`, "ghcr.io/x/y@sha256:"+strings.Repeat("b", 64), "stage-0")
			switch strings.ToLower(key) {
			case "type":
				value = g.pick("bind", "cache", "bind", "cache", "tmpfs", "secret", "ssh", "BIND", "Cache", "nonsense", "$A", "")
			case "target", "dst":
				value = g.pick("/x", "/y", "x", "/", "", "$A", "/x y", "${B:-/z}", "${")
			}
			switch g.IntN(14) {
			case 0:
				return key
			case 1:
				return `"` + key + "=" + value + `"`
			case 2:
				return key + `="` + value + `"`
			case 3:
				return key + "='" + value + "'"
			case 4:
				return key + " = " + value
			default:
				return key + "=" + value
			}
		}
		flag := func() string {
			body := g.some(1, 4, g.pick(",", ",", ",", ", ", ",,"), pair)
			if g.chance(60) {
				body = "target=/" + g.letters(3, "abc") + g.maybe(70, ","+g.pick("from", "FROM", "from", "from")+"="+g.pick("a", "A", "b", "busybox", "golang:1", "scratch", "0", "a:1", `\b`, "x$", "Bad", "$A")) +
					g.maybe(60, ","+g.pick("type=bind", "type=cache", "type=tmpfs", "type=ssh", "TYPE=Cache", "ro", "rw", "source=/s", "ro=true", "type=bind,rw=false", "type=cache,sharing=locked,id=i", "type=cache,mode=0755,uid=1", "type=$A", "type=secret", `"source=/a,b"`))
			}
			switch g.IntN(12) {
			case 0:
				return `--mount="` + body + `"`
			case 1:
				return "--mount='" + body + "'"
			case 2:
				return "--mount=" + body + ","
			case 3:
				return "--mount " + body
			default:
				return "--mount=" + body
			}
		}
		text.WriteString("RUN " + g.some(1, 2, g.pick(" ", " ", " --network=none ", " \\\n  "), flag) + " " + g.pick("true", "true", "[\"x\"]", "--mount=from=z,target=/z x", "", "-- x", "<<E\nx\nE") + "\n")
	}
	c := &Case{Dockerfile: []byte(text.String())}
	c.Target = g.maybe(15, "a")
	return c
}

// --- mutation -----------------------------------------------------------------------

// sound is a file that BuildKit takes, unless a name in it is taken twice.
func (g *generator) sound() *Case {
	var text strings.Builder
	text.WriteString("ARG A=alpine B=3.20\nARG C=${A}:${B}\n")
	var known []string
	image := func() string {
		if len(known) > 0 && g.chance(40) {
			return known[g.IntN(len(known))]
		}
		return g.pick("alpine", "node:22", "$A", "$C", "${UNSET:-debian}", "ghcr.io/x/y:${B%.*}", `"busybox"`, "golang@sha256:"+strings.Repeat("c", 64), "scratch", "${C/3/4}", "${A:+fedora}", "localhost:5000/${A}")
	}
	source := func() string {
		if len(known) > 0 && g.chance(60) {
			i := g.IntN(len(known))
			return g.pick(known[i], strings.ToUpper(known[i]), known[i]+":1")
		}
		return g.pick("alpine", "node:22", "scratch", "x.y/z", "stage-0", "golang@sha256:"+strings.Repeat("d", 64))
	}
	for i := range 1 + g.IntN(6) {
		name := fmt.Sprintf("%s%d", g.pick("s", "build-", "a.", "x_"), i)
		text.WriteString("FROM " + g.maybe(20, g.pick("--platform=$BUILDPLATFORM ", "--platform=linux/arm64 ", `--platform="linux/$TARGETARCH" `)) + image() + " " + g.cased("AS") + " " + name + "\n")
		text.WriteString(g.some(0, 5, "", func() string {
			switch g.IntN(9) {
			case 0, 1:
				return "COPY " + g.maybe(20, "--chown=1:1 ") + "--from=" + source() + g.maybe(20, " --link") + " /a /b\n"
			case 2:
				return fmt.Sprintf("COPY --from=%s /a /b\n", source())
			case 3:
				return "RUN --mount=type=" + g.pick("bind", "cache") + ",target=/x,from=" + source() + g.maybe(30, " --mount=type=secret,id=a") + " true\n"
			case 4:
				if i > 0 {
					return fmt.Sprintf("COPY --from=%d /a /b\n", g.IntN(i))
				}
				return "RUN --mount=from=0,target=/y true\n"
			case 5:
				return "ONBUILD " + g.pick("COPY --from="+source()+" /a /b", "RUN --mount=target=/x,from="+source()+" x", "RUN y", "ENV X=1") + "\n"
			default:
				for {
					if line := g.sane(); !strings.Contains(line, "--from=a ") {
						return line
					}
				}
			}
		}))
		known = append(known, name)
	}
	c := &Case{Dockerfile: []byte(text.String())}
	if g.chance(50) {
		c.Target = known[g.IntN(len(known))]
	}
	return c
}

// folded writes a sound file otherwise, so that it still says the same.
func (g *generator) folded() *Case {
	c := g.sound()
	if bytes.Contains(c.Dockerfile, []byte("<<")) {
		return c
	}
	end := "\n"
	if g.chance(30) {
		end = "\r\n"
	}
	escape := `\`
	var text strings.Builder
	if g.chance(30) && !bytes.Contains(c.Dockerfile, []byte(`\`)) {
		escape = "`"
		text.WriteString("# escape=`" + end)
	}
	for _, line := range strings.SplitAfter(string(c.Dockerfile), "\n") {
		for _, part := range strings.SplitAfter(strings.TrimSuffix(line, "\n"), " ") {
			text.WriteString(part)
			if strings.HasSuffix(part, " ") && g.chance(25) && !strings.HasPrefix(strings.TrimSpace(line), "#") {
				text.WriteString(escape + g.maybe(20, g.pick(" ", "\t", "  ")) + end)
				text.WriteString(g.some(0, 2, "", func() string {
					return g.pick("# FROM c", "  # c "+escape, "", " \t", "#", "\t#x") + end
				}))
				text.WriteString(g.maybe(50, g.pick("  ", "\t")))
			}
		}
		if strings.HasSuffix(line, "\n") {
			text.WriteString(end)
		}
		if g.chance(10) && !strings.HasSuffix(line, escape+"\n") {
			text.WriteString(g.pick("# c", "", "  ", "# FROM z", "\t# "+escape) + end)
		}
	}
	c.Dockerfile = []byte(g.maybe(10, "\ufeff") + strings.TrimRight(text.String(), g.pick("", "\r\n")))
	return c
}

// mutated damages a file of another family a little.
func (g *generator) mutated() *Case {
	var c *Case
	switch g.IntN(8) {
	case 0:
		c = g.heredoc()
	case 1:
		c = g.stages()
	case 2:
		c = g.mount()
	case 3:
		c = g.expansion()
	case 4:
		c = g.onbuild()
	default:
		c = g.file()
	}
	for range 1 + g.IntN(3) {
		c.Dockerfile = g.damage(c.Dockerfile)
	}
	return c
}

func (g *generator) damage(text []byte) []byte {
	if len(text) == 0 {
		return text
	}
	at := g.IntN(len(text))
	insert := func(what string) []byte {
		return append(append(append([]byte{}, text[:at]...), what...), text[at:]...)
	}
	switch g.IntN(12) {
	case 0:
		return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	case 1:
		return append([]byte("\ufeff"), text...)
	case 2:
		return bytes.TrimRight(text, "\n")
	case 3: // a line away
		all := bytes.SplitAfter(text, []byte("\n"))
		i := g.IntN(len(all))
		return bytes.Join(append(append([][]byte{}, all[:i]...), all[i+1:]...), nil)
	case 4: // a line twice
		all := bytes.SplitAfter(text, []byte("\n"))
		i := g.IntN(len(all))
		return bytes.Join(append(append(append([][]byte{}, all[:i+1]...), all[i]), all[i+1:]...), nil)
	case 5: // a line elsewhere
		all := bytes.SplitAfter(text, []byte("\n"))
		i, j := g.IntN(len(all)), g.IntN(len(all))
		all[i], all[j] = all[j], all[i]
		return bytes.Join(all, nil)
	case 6:
		return append(append([]byte{}, text[:at]...), text[at+1:]...)
	case 7: // a blank becomes a continuation
		i := bytes.IndexByte(text[at:], ' ')
		if i < 0 {
			return insert("\\\n")
		}
		return append(append(append([]byte{}, text[:at+i]...), " \\\n"...), text[at+i+1:]...)
	case 8:
		return text[:at]
	case 9:
		return append([]byte(g.pick("# escape=`\n", "# syntax=x\n", "# c\n", "\n", "#\n", "ARG A\n", "ARG A=1\n")), text...)
	default:
		return insert(g.pick("\\", "\"", "'", "$", "{", "}", "<", "<<", "#", "\n", " ", "\t", "\r", "\x00", "\xff", "\u00a0", "`", "-", "--", "=", ":", "/", "@", ",", "é", "\\\n", "\n\n", "\n# c\n", "FROM", "[", "]", "A", "0"))
	}
}
