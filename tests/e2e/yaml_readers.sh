#!/usr/bin/env bash
# What our YAML emitter writes, read by PyYAML and kubectl: every string that some
# reader might misread must come back as it was.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

folder=$WORK/yaml-readers
rm -rf "$folder"
mkdir -p "$folder"
(cd "$ROOT" && YAML_READERS_DIR=$folder cargo test --quiet --lib hazard_files_for_other_readers >/dev/null)
[ -s "$folder/hazards.json" ] || die "the test that writes the hazards did not run"
python=python3
if venv=$(venv "$ROOT/tests/e2e/requirements.txt"); then python=$venv/bin/python; fi
command -v "$python" >/dev/null || skip "no python3"
"$python" "$ROOT/tests/e2e/yaml_readers.py" "$folder"
