#!/usr/bin/env bash
# Every object of dist/ and of tests/golden (or of the folders given) against
# the real CRDs and schemas, with a validator that is not ours. Broken samples
# must be refused.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

upstream=$(upstream) || skip "the CRDs of Kargo and Argo Rollouts are not here, and not to be had from their Go modules"
folders=()
manifests "$@"
venv=$(venv "$ROOT/tests/e2e/requirements.txt") || die "the Python packages of tests/e2e/requirements.txt cannot be installed"

mapfile -t files < <(find "${folders[@]}" -maxdepth 1 -name '*.k8s.yaml' | sort)
[ ${#files[@]} -gt 0 ] || die "${folders[*]}: no *.k8s.yaml"
"$venv/bin/python" "$ROOT/tests/e2e/schemas.py" "$upstream" "$ROOT/tests/e2e/samples" "${files[@]}"
