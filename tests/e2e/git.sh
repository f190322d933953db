#!/usr/bin/env bash
# Against a real git server (git http-backend behind lighttpd, with a password): the
# state of a new factory is discovered, committed and pushed; then fifty analyses at
# once, each from a clone of its own as the Jobs are, all land.
#
#   tests/e2e/git.sh [WRITERS]
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/servers.sh"
trap stop_servers EXIT
WRITERS=${1:-50}
PASSWORD=git-password-6b1f

cargo build --quiet --locked --bin image-factory --manifest-path "$ROOT/Cargo.toml" || die "image-factory does not build"
PROGRAM=${CARGO_TARGET_DIR:-$ROOT/target}/debug/image-factory
SCRATCH=$WORK/git
rm -rf "$SCRATCH" && mkdir -p "$SCRATCH/repos" "$SCRATCH/home" "$SCRATCH/clones" "$SCRATCH/logs"
git_server "$SCRATCH/repos" robot "$PASSWORD" || skip "lighttpd cannot be installed"
python3 "$ROOT/tests/e2e/factory.py" "$SCRATCH/repos" "$GIT_URL" "$WRITERS" || die "the repositories cannot be made"

# What the Jobs' pods have, and nothing else of this machine's settings.
job() (
    for name in $(compgen -e); do [ "$name" = PATH ] || unset "$name"; done
    export HOME="$SCRATCH/home" LC_ALL=C GIT_TERMINAL_PROMPT=0 \
        GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="credential.$GIT_URL.helper" \
        GIT_CONFIG_VALUE_0='!f() { printf '"'username=%s\npassword=%s\n'"' "$GIT_USERNAME" "$GIT_PASSWORD"; }; f' \
        GIT_USERNAME=robot GIT_PASSWORD="$PASSWORD" \
        XDG_CACHE_HOME="$SCRATCH/cache"
    exec "$@"
)

clone() {
    job git clone --quiet --depth=1 --no-tags --single-branch --branch main -- "$GIT_URL/factory.git" "$1"
}

head_commit() { git -C "$SCRATCH/repos/factory.git" rev-parse main; }
commits() { git -C "$SCRATCH/repos/factory.git" rev-list --count main; }
at_head() { git -C "$SCRATCH/repos/factory.git" show "main:$1"; }

say "discover, commit, push"
clone "$SCRATCH/clones/first" || die "no clone"
(cd "$SCRATCH/clones/first" && job "$PROGRAM" discover --commit --push) >"$SCRATCH/logs/discover" 2>&1 ||
    { cat "$SCRATCH/logs/discover"; die "discover --commit --push"; }
[ "$(commits)" = 2 ] || die "expected one commit of discovery, found $(($(commits) - 1))"
[ "$(at_head state/images/app-00.yaml | grep -c '^discoveryStatus: success$')" = 1 ] || die "app-00 was not discovered"
at_head dist/image-factory.k8s.yaml >/dev/null || die "dist/ is not in the commit"
before=$(head_commit)
(cd "$SCRATCH/clones/first" && job "$PROGRAM" discover --commit --push) >"$SCRATCH/logs/again" 2>&1 || die "discover again"
[ "$(head_commit)" = "$before" ] || die "a second discover made a commit"

say "$WRITERS analyses at once"
analyze() {
    local number digest=sha256:
    number=$(printf '%02d' "$1")
    digest+=$(printf 'build %s' "$1" | sha256sum | cut -d' ' -f1)
    clone "$SCRATCH/clones/$number" && cd "$SCRATCH/clones/$number" && job "$PROGRAM" analyze \
        --image="app-$number" --tag="1.0.$1" --digest="$digest" --dockerfile="app-$number/Dockerfile" \
        --source-repo=acme/apps --source-provider=github --git-repo="$GIT_URL/factory.git" --git-branch=main \
        --image-factory-dir="$SCRATCH/clones/$number" --commit --push
}
# What looks for the password must not have it among its own arguments.
printf '%s\n' "$PASSWORD" >"$SCRATCH/password"
started=$SECONDS
pids=()
# Not as an argument of grep, which would find itself.
printf '%s\n' "$PASSWORD" >"$SCRATCH/password"
for number in $(seq 0 $((WRITERS - 1))); do
    analyze "$number" >"$SCRATCH/logs/analyze-$number" 2>&1 &
    pids+=($!)
done
# While they run: no argument of any process may hold the password.
while kill -0 "${pids[@]}" 2>/dev/null; do
    cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -F -f "$SCRATCH/password" >>"$SCRATCH/leaks"
    sleep 0.2
done
failed=0
for number in $(seq 0 $((WRITERS - 1))); do
    wait "${pids[$number]}" || { failed=$((failed + 1)); say "analysis $number:"; tail -5 "$SCRATCH/logs/analyze-$number"; }
done
[ "$failed" = 0 ] || die "$failed of $WRITERS analyses failed"
say "all landed after $((SECONDS - started)) s"
[ ! -s "$SCRATCH/leaks" ] || die "the password stood among the arguments of a process"
if grep -rlF -f "$SCRATCH/password" "$SCRATCH/logs" "$SCRATCH/clones" "$SCRATCH/cache" "$SCRATCH/home" 2>/dev/null; then die "the password was written down"; fi

[ "$(commits)" = $((WRITERS + 2)) ] || die "expected $((WRITERS + 2)) commits, found $(commits)"
[ "$(git -C "$SCRATCH/repos/factory.git" rev-list --merges --count main)" = 0 ] || die "there are merge commits"
for number in $(seq 0 $((WRITERS - 1))); do
    digest=sha256:$(printf 'build %s' "$number" | sha256sum | cut -d' ' -f1)
    state=$(at_head "state/images/app-$(printf '%02d' "$number").yaml")
    grep -q "^currentDigest: \"*$digest\"*\$" <<<"$state" || die "the digest of image $number was lost"
    grep -q "^currentVersion: \"1.0.$number\"\$" <<<"$state" || die "the version of image $number was lost"
done
if git -C "$SCRATCH/repos/factory.git" grep -lE '^(<<<<<<<|>>>>>>>)' main; then die "conflict markers in a file"; fi
git -C "$SCRATCH/repos/factory.git" fsck --no-dangling >/dev/null 2>&1 || die "the repository is damaged"

say "what landed is whole"
rm -rf "$SCRATCH/last" && clone "$SCRATCH/last" || die "no clone"
(cd "$SCRATCH/last" && job "$PROGRAM" synth --check && job "$PROGRAM" discover --check) >"$SCRATCH/logs/last" 2>&1 ||
    { cat "$SCRATCH/logs/last"; die "the head is not in step"; }
say "passed: $WRITERS commits of $WRITERS writers, one line of history"
