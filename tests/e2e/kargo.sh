#!/usr/bin/env bash
# The whole loop: a changed base image leads to one rebuild of each dependent image, by
# the real controllers of Kargo and Argo Rollouts on a real API server, registry and git
# server; GitHub and GitLab are stubs, and tests/e2e/kargo plays kubelet.
#
#   tests/e2e/kargo.sh             with Kargo; skipped where it cannot be built
#   tests/e2e/kargo.sh --stand-in  without: a stand-in plays its part, all else is real
#
# Kargo's module needs two folders of its repository that no module proxy has. They
# come from IMAGE_FACTORY_KARGO_SOURCE, or by git from GitHub.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/servers.sh"
. "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
HERE=$ROOT/tests/e2e/kargo
KARGO=v1.11.2 KARGO_COMMIT=20c56384dc3aa29911368fa9c0916e8f4a541252
ROLLOUTS=$(sed -n 's/^.*github\.com\/argoproj\/argo-rollouts \(v[0-9.]*\).*/\1/p' "$HERE/rollouts/go.mod")
PASSWORD=git-password-51ce
mode=kargo
[ "${1:-}" != --stand-in ] || { mode=stand-in; shift; }

# --- programs -----------------------------------------------------------------

# kargo_programs: builds Kargo's, or says why not.
kargo_programs() {
    local bin=$WORK/kargo-$KARGO build=$WORK/kargo-build source=${IMAGE_FACTORY_KARGO_SOURCE:-} started=$SECONDS
    [ -x "$bin/controlplane" ] && [ -x "$bin/credential-helper" ] && return
    rm -rf "$build" && mkdir -p "$build" "$bin"
    if [ -z "$source" ]; then
        source=$build/fetched
        git init --quiet "$source"
        git -C "$source" fetch --quiet --depth 1 https://github.com/akuity/kargo "refs/tags/$KARGO" 2>"$build/fetch.log" ||
            skip "the folders api/ and pkg/x/client/generated of Kargo $KARGO are not to be had: $(tail -n 1 "$build/fetch.log"); set IMAGE_FACTORY_KARGO_SOURCE"
        [ "$(git -C "$source" rev-parse 'FETCH_HEAD^{commit}')" = "$KARGO_COMMIT" ] || die "Kargo's tag $KARGO is no longer $KARGO_COMMIT"
        git -C "$source" checkout --quiet FETCH_HEAD
    fi
    [ -d "$source/api/v1alpha1" ] || die "$source does not hold Kargo's source"
    ln -s "$(cd "$source" && pwd)" "$build/source"
    cp "$HERE/controller/go.mod" "$HERE/controller/go.sum" "$build/"
    (cd "$build" && nice "$GO" build -trimpath -mod=readonly -ldflags '-s -w' -o "$bin/" \
        github.com/akuity/kargo/cmd/controlplane github.com/akuity/kargo/cmd/credential-helper) >"$build/log" 2>&1 ||
        { tail -n 5 "$build/log"; skip "Kargo $KARGO does not build here"; }
    say "built Kargo $KARGO in $((SECONDS - started)) s"
}

rollouts_program() {
    local bin=$WORK/rollouts-$ROLLOUTS started=$SECONDS
    [ -x "$bin/rollouts-controller" ] && return
    (cd "$HERE/rollouts" && nice "$GO" build -trimpath -mod=readonly -ldflags '-s -w' -o "$bin/" \
        github.com/argoproj/argo-rollouts/cmd/rollouts-controller) >"$WORK/rollouts.log" 2>&1 ||
        { tail -n 5 "$WORK/rollouts.log"; die "Argo Rollouts $ROLLOUTS does not build"; }
    say "built Argo Rollouts $ROLLOUTS in $((SECONDS - started)) s"
}

upstream=$(upstream) || skip "the CRDs of Kargo and Argo Rollouts are not here, and not to be had from their Go modules"
cluster_programs
[ "$mode" != kargo ] || kargo_programs
rollouts_program
package docker-registry docker-registry || skip "docker-registry cannot be installed"
venv=$(venv "$ROOT/tests/e2e/requirements.txt") || skip "PyYAML cannot be installed"
(cd "$ROOT" && cargo build --quiet --locked --bin image-factory) || die "image-factory does not build"

# --- servers ------------------------------------------------------------------

SCRATCH=$WORK/kargo-run
rm -rf "$SCRATCH" && mkdir -p "$SCRATCH/repos" "$SCRATCH/bin"
finish() {
    local code=$?
    trap - EXIT
    stop_servers
    stop_cluster
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cp "${CARGO_TARGET_DIR:-$ROOT/target}/debug/image-factory" "$SCRATCH/bin/"
git_server "$SCRATCH/repos" robot "$PASSWORD" || skip "lighttpd cannot be installed"
registry kargo || skip "docker-registry cannot be installed"
cluster kargo-controller kargo-webhooks rollouts argocd kubelet person || die "no cluster"
install_crds "$upstream/crds" || die "the CRDs are not served"

# The registry is started and ended by the test from here on.
kill "${SERVERS[-1]}" && wait "${SERVERS[-1]}" 2>/dev/null
unset 'SERVERS[-1]'

PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$HERE/main.py" "$mode" --scratch "$SCRATCH" --cluster "$CLUSTER" --kubectl "$KUBECTL" \
    --git "$GIT_URL" --password "$PASSWORD" --registry "$REGISTRY" --registry-config "$WORK/registry-kargo/config.yml" \
    --kargo "$WORK/kargo-$KARGO" --rollouts "$WORK/rollouts-$ROLLOUTS/rollouts-controller" "$@"
