#!/usr/bin/env bash
# Every object of dist/ (or of the folder given) against the real CRDs and
# schemas, with a validator that is not ours. Broken samples must be refused.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

dist=${1:-$ROOT/dist}
upstream=$(upstream) || skip "no CRDs here; fetch them with: tests/e2e/upstream.sh target/upstream"
[ -d "$dist" ] || die "$dist does not exist; write it with: cargo run --bin synth"
venv=$(venv "$ROOT/tests/e2e/requirements.txt") || die "the Python packages of tests/e2e/requirements.txt cannot be installed"

mapfile -t files < <(find "$dist" -maxdepth 1 -name '*.k8s.yaml' | sort)
[ ${#files[@]} -gt 0 ] || die "$dist holds no *.k8s.yaml"
"$venv/bin/python" "$ROOT/tests/e2e/schemas.py" "$upstream" "$ROOT/tests/e2e/samples" "${files[@]}"
