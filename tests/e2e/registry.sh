#!/usr/bin/env bash
# `discover --resolve` against three real registries on loopback: open, with a
# password, and with a password and a certificate of an authority of its own. What
# is pushed under a tag is recorded, a new digest under the same tag as an update;
# and one registry that refuses, errs or is gone stops no other.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/servers.sh"
trap stop_servers EXIT
PASSWORD=registry-password

cargo build --quiet --locked --bin image-factory --manifest-path "$ROOT/Cargo.toml" || die "image-factory does not build"
PROGRAM=${CARGO_TARGET_DIR:-$ROOT/target}/debug/image-factory
SCRATCH=$WORK/registry
rm -rf "$SCRATCH" && mkdir -p "$SCRATCH/factory/app" "$SCRATCH/factory/certificates" "$SCRATCH/home" "$SCRATCH/docker" "$SCRATCH/bin"
package python3 python3 || skip "python3 cannot be installed"
registry open || skip "docker-registry cannot be installed"
OPEN=$REGISTRY OPEN_PROCESS=${SERVERS[-1]}
registry private auth || die "no registry with a password"
PRIVATE=$REGISTRY
registry own auth tls || die "no registry with a certificate"
OWN=$REGISTRY

push() { # push URL REPOSITORY TAG NOTE [OPTION...]: prints the digest
    python3 "$ROOT/tests/e2e/registry_push.py" "$@" || die "cannot push $2:$3"
}
private() { push "http://$PRIVATE" "$@" --user "robot:$PASSWORD"; }
own() { push "https://$OWN" "$@" --user "robot:$PASSWORD" --ca "$SERVER_CA"; }

# --- a factory ----------------------------------------------------------------

# A repository of its own: paths count from its top.
package git git && git init --quiet "$SCRATCH/factory" || die "no repository"
cat >"$SCRATCH/factory/app/Dockerfile" <<DOCKERFILE
FROM $OPEN/team/base:22 AS build
FROM $PRIVATE/team/private:1
FROM $OWN/team/own:1.10
COPY --from=build /a /a
COPY --from=$PRIVATE/team/private:1 /b /b
DOCKERFILE
cp "$SERVER_CA" "$SCRATCH/factory/certificates/own.pem"
enroll() { # enroll SETTINGS: images.yaml with these settings of registries
    cat >"$SCRATCH/factory/images.yaml" <<YAML
settings:
  git: {repo: https://github.com/acme/factory}
  registries: {$1}
images:
  - name: app
    registry: ghcr.io
    repository: acme/app
    source: {repo: acme/factory, dockerfile: app/Dockerfile}
  - name: watched
    registry: $OPEN
    repository: team/watched
    allowTags: ^stable$
YAML
}
WITH_CA="'$OWN': {ca: certificates/own.pem}"
enroll "$WITH_CA"

login() { # login PASSWORD: Docker's configuration
    local auth
    auth=$(printf 'robot:%s' "$1" | base64)
    printf '{"auths": {"%s": {"auth": "%s"}, "https://%s/v2/": {"auth": "%s"}}}' "$PRIVATE" "$auth" "$OWN" "$auth" >"$SCRATCH/docker/config.json"
}

# What a user's shell has, and nothing else of this machine's settings.
factory() {
    env -i PATH="$SCRATCH/bin:$PATH" HOME="$SCRATCH/home" DOCKER_CONFIG="$SCRATCH/docker" LC_ALL=C \
        "$PROGRAM" "$@" --root "$SCRATCH/factory" >"$SCRATCH/out" 2>"$SCRATCH/err"
}

# expect CODE ARGUMENT...: runs, and dies if the exit code is another one.
expect() {
    local code=$1 got
    shift
    factory "$@"
    got=$?
    cat "$SCRATCH/out" "$SCRATCH/err" >>"$SCRATCH/all"
    [ "$got" = "$code" ] || { cat "$SCRATCH/out" "$SCRATCH/err" >&2; die "image-factory $*: exit code $got, expected $code"; }
}
says() { # says TEXT...: the last run told people so
    local text
    for text in "$@"; do
        grep -qF -- "$text" "$SCRATCH/err" "$SCRATCH/out" || { cat "$SCRATCH/err" >&2; die "nothing says: $text"; }
    done
}
# file GLOB: the one state file of that name.
file() {
    local found
    found=$(cd "$SCRATCH/factory/state" && compgen -G "$1") || die "no state file $1"
    [ "$(wc -l <<<"$found")" = 1 ] || die "several state files $1"
    printf '%s\n' "$SCRATCH/factory/state/$found"
}
has() { # has GLOB LINE...: the state file has these lines
    local path line
    path=$(file "$1") || exit 1
    shift
    for line in "$@"; do
        grep -qxF -- "$line" "$path" || { cat "$path" >&2; die "$path lacks: $line"; }
    done
}
tree() { (cd "$SCRATCH/factory" && find . -type f -not -path './.git/*' -print0 | sort -z | xargs -0 sha256sum); }
unchanged() { # unchanged BEFORE WHAT
    [ "$1" = "$(tree)" ] || die "$2 changed a file"
}
BASE='base-images/*team-base*22*.yaml' PRIVATE_BASE='base-images/*team-private*.yaml' OWN_BASE='base-images/*team-own*.yaml'

# --- what is there is recorded ------------------------------------------------

first=$(push "http://$OPEN" team/base 22 first) || exit 1
private_first=$(private team/private 1 first) || exit 1
own_first=$(own team/own 1.10 first --index) || exit 1
watched_first=$(push "http://$OPEN" team/watched stable first) || exit 1
login "$PASSWORD"

expect 0 discover --resolve --now 2026-03-01T00:00:00Z
has "$BASE" "currentDigest: $first" "lastUpdated: null" "previousDigest: null"
has "$PRIVATE_BASE" "currentDigest: $private_first"
has "$OWN_BASE" "currentDigest: $own_first" "  architecture: amd64" '  os: linux'
has images/watched.yaml "currentDigest: $watched_first"
grep -q 'pendingRebuild: false' "$(file images/app.yaml)" || die "a first sight is a change"
say "first sight: four digests of three registries"

before=$(tree)
expect 0 discover --resolve --now 2026-03-02T00:00:00Z
unchanged "$before" "a run that learnt nothing"
expect 0 discover --resolve --check --now 2026-03-02T00:00:00Z
say "nothing new: no byte changed"

# --- a new digest under the same tag is an update ------------------------------

second=$(push "http://$OPEN" team/base 22 second) || exit 1
[ "$first" != "$second" ] || die "the same digest was pushed"
expect 1 discover --resolve --check --now 2026-03-03T00:00:00Z
unchanged "$before" "--check"
expect 0 discover --resolve --now 2026-03-03T00:00:00Z
has "$BASE" "currentDigest: $second" "previousDigest: $first" 'lastUpdated: "2026-03-03T00:00:00Z"' \
    '  - at: "2026-03-03T00:00:00Z"' "    from: $first" "    to: $second"
grep -q 'pendingRebuild: true' "$(file images/app.yaml)" || die "the image built on it is not pending"
third=$(push "http://$OPEN" team/base 22 third) || exit 1
expect 0 discover --resolve --now 2026-03-04T00:00:00Z
has "$BASE" "currentDigest: $third" "previousDigest: $second" "    from: $first" "    to: $second" "    from: $second" "    to: $third"
say "two new digests under one tag: two updates in the history"

# --- who refuses or errs stops nobody else --------------------------------------

# Asks with the open registry's tag moved, which has to be recorded each time.
moves=0
only() { # only CODE TEXT...: exit 1 because of CODE, and the others went on
    local code=$1 moved untouched
    shift
    untouched=$(sha256sum "$(file "$PRIVATE_BASE")" "$(file "$OWN_BASE")")
    moves=$((moves + 1))
    moved=$(push "http://$OPEN" team/watched stable "move $moves") || exit 1
    expect 1 discover --resolve --now "2026-04-0${moves}T00:00:00Z"
    says "$code" "$@"
    has images/watched.yaml "currentDigest: $moved"
    [ "$untouched" = "$(sha256sum "$(file "$PRIVATE_BASE")" "$(file "$OWN_BASE")")" ] || die "$code: what is known was touched"
    say "$code: ${1:-}"
}
printf '{}' >"$SCRATCH/docker/config.json"
only IF271 "wants credentials, and there are none for it in $SCRATCH/docker/config.json"
login not-the-password
only IF271 "does not let the credentials of $SCRATCH/docker/config.json read it"
printf '{"auths": ' >"$SCRATCH/docker/config.json"
expect 1 discover --resolve
says IF277 "$SCRATCH/docker/config.json"
login "$PASSWORD"
enroll "'$OWN': {insecure: false}"
only IF274 UnknownIssuer
enroll "'$OWN': {insecure: true}"
only IF275 "insecure: false"
enroll "$WITH_CA"
curl --silent --fail --output /dev/null --user "robot:$PASSWORD" -X DELETE "http://$PRIVATE/v2/team/private/manifests/$private_first" || die "cannot delete"
only IF270 "has no \`1\` in \`team/private\`"
private_second=$(private team/private 1 second) || exit 1

# --- credentials of a helper ----------------------------------------------------

cat >"$SCRATCH/bin/docker-credential-e2e" <<'HELPER'
#!/bin/sh
read -r server
echo "$* $server" >>"$HOME/helper"
echo '{"Username": "robot", "Secret": "registry-password"}'
HELPER
chmod +x "$SCRATCH/bin/docker-credential-e2e"
printf '{"credsStore": "e2e"}' >"$SCRATCH/docker/config.json"
expect 0 discover --resolve --now 2026-05-01T00:00:00Z
has "$PRIVATE_BASE" "currentDigest: $private_second" "previousDigest: $private_first"
[ "$(sort "$SCRATCH/home/helper")" = "$(printf 'get %s\n' "$PRIVATE" "$OWN" | sort)" ] || die "the helper was asked: $(cat "$SCRATCH/home/helper")"
say "a credential helper: asked once a registry"

# --- the authorities of the environment, and a registry that is gone ------------

enroll "'$OWN': {insecure: false}"
before=$(tree)
SSL_CERT_FILE=$SERVER_CA
env -i PATH="$SCRATCH/bin:$PATH" HOME="$SCRATCH/home" DOCKER_CONFIG="$SCRATCH/docker" SSL_CERT_FILE="$SSL_CERT_FILE" \
    "$PROGRAM" discover --resolve --root "$SCRATCH/factory" >"$SCRATCH/out" 2>"$SCRATCH/err" || { cat "$SCRATCH/err" >&2; die "SSL_CERT_FILE"; }
unchanged "$before" "SSL_CERT_FILE"
enroll "$WITH_CA"
kill "$OPEN_PROCESS" && wait "$OPEN_PROCESS" 2>/dev/null
private_third=$(private team/private 1 third) || exit 1
expect 1 discover --resolve --now 2026-05-02T00:00:00Z
says IF273 "\`$OPEN\` cannot be reached"
has "$PRIVATE_BASE" "currentDigest: $private_third"
has "$BASE" "currentDigest: $third"
say "IF273: a registry that is gone"

# --- no secret anywhere ----------------------------------------------------------

encoded=$(printf 'robot:%s' "$PASSWORD" | base64)
if grep -rlF -e "$PASSWORD" -e "$encoded" "$SCRATCH/all" "$SCRATCH/factory"; then die "the password was written there"; fi
say "no password in any output or file"
