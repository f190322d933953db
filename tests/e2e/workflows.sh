#!/usr/bin/env bash
# The workflows that `init --with-workflow` writes, as their hosts read them: GitHub's by
# actionlint, both against the published schemas, and their scripts run with what
# triggers send and with what they should refuse.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

venv=$(venv "$ROOT/tests/e2e/requirements-workflows.txt") || skip "check-jsonschema cannot be installed"
# src/workflows/tests.rs holds these to what is written.
files=$ROOT/tests/workflows
"$venv/bin/check-jsonschema" --builtin-schema vendor.gitlab-ci \
    "$files"/gitlab/gitlab-ci.yml "$files"/gitlab/gitlab/image-factory/*.yml || die "not what GitLab takes"
"$venv/bin/check-jsonschema" --builtin-schema vendor.github-workflows \
    "$files"/github/github/workflows/*.yml "$ROOT"/.github/workflows/*.yml || die "not what GitHub takes"
"$venv/bin/python" "$ROOT/tests/e2e/workflows.py" "$files" || die "a script does something else"

command -v go >/dev/null || skip "no go here: the schemas and scripts were checked, actionlint was not run"
cd "$ROOT/tests/e2e/workflows" && go build -o "$WORK/actionlint" github.com/rhysd/actionlint/cmd/actionlint ||
    skip "actionlint cannot be built: the schemas and scripts were checked"
cd "$ROOT" && "$WORK/actionlint" "$files"/github/github/workflows/*.yml .github/workflows/*.yml || die "actionlint"
say "passed: workflows are right by schema and actionlint, and their scripts do what they say"
