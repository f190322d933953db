#!/usr/bin/env bash
# A real API server accepts dist/ and tests/golden (or the folders given): etcd
# and a kube-apiserver built from its Go module run on the loopback, the upstream
# CRDs are installed, and every object goes through schema, CEL, defaulting and
# strict field validation. Broken samples must be refused.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cluster.sh"

samples=$ROOT/tests/e2e/samples
upstream=$(upstream) || skip "the CRDs of Kargo and Argo Rollouts are not here, and not to be had from their Go modules"
folders=()
manifests "$@"

cluster_programs
finish() {
    local code=$?
    trap - EXIT
    stop_cluster
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The cluster as an operator has it before the first sync.
cluster
install_crds "$upstream/crds" || die "the CRDs are not served"
say "CRDs installed: $(k get crd -o name | wc -l)"

# --- samples: the checks can fail -------------------------------------------------

k create namespace samples >/dev/null
until_true 30 "${CLUSTER_PROCESSES[1]}" k apply --dry-run=server --validate=strict -f "$samples/sound" || {
    k apply --dry-run=server --validate=strict -f "$samples/sound" || true
    die "a sound sample was refused"
}
refused=0
for sample in "$samples"/refused/*.yaml; do
    expected=$(sed -n 's/^# server: //p' "$sample")
    [ -n "$expected" ] || continue
    if said=$(k apply --dry-run=server --validate=strict -f "$sample" 2>&1); then
        die "$(basename "$sample") was accepted"
    fi
    case $said in
        *"$expected"*) refused=$((refused + 1)) ;;
        *) die "$(basename "$sample"): expected an error saying '$expected', got: $said" ;;
    esac
done
[ "$refused" -gt 0 ] || die "no broken samples"
say "samples: sound ones accepted, $refused broken ones refused"

# --- the manifests ------------------------------------------------------------------

venv=$(venv "$ROOT/tests/e2e/requirements.txt") || die "the Python packages of tests/e2e/requirements.txt cannot be installed"

check() { # check FOLDER
    local dist=$1 namespace objects accepted
    k kustomize "$dist" >"$CLUSTER/all.yaml"
    # A dry run creates nothing, so the namespaces of the others have to be there.
    k create --dry-run=client --validate=false -f "$CLUSTER/all.yaml" \
        -o 'jsonpath={.kind}{" "}{.metadata.name}{"\n"}' >"$CLUSTER/objects"
    for namespace in $(sed -n 's/^Namespace //p' "$CLUSTER/objects"); do
        k get namespace "$namespace" >/dev/null 2>&1 || k create namespace "$namespace" >/dev/null
    done

    k apply --dry-run=server --validate=strict -k "$dist" >"$CLUSTER/applied" 2>"$CLUSTER/applied.err" || {
        cat "$CLUSTER/applied" "$CLUSTER/applied.err"
        die "the API server refuses $dist"
    }
    grep -v 'missing the kubectl.kubernetes.io/last-applied-configuration' "$CLUSTER/applied.err" || true
    objects=$(wc -l <"$CLUSTER/objects") accepted=$(grep -c '(server dry run)$' "$CLUSTER/applied" || true)
    [ "$objects" -gt 0 ] || die "$dist holds no object"
    [ "$objects" -eq "$accepted" ] || die "$objects objects, but $accepted accepted"
    say "$(basename "$dist"): kubectl apply --dry-run=server -k: $accepted of $objects objects accepted"
    sed 's/ .*//' "$CLUSTER/objects" | sort | uniq -c

    # Stored as written: a difference is what Argo CD would show as drift.
    k apply --server-side --force-conflicts -f "$CLUSTER/all.yaml" >/dev/null
    k get -f "$CLUSTER/all.yaml" -o json >"$CLUSTER/stored.json"
    "$venv/bin/python" "$ROOT/tests/e2e/stored.py" "$CLUSTER/all.yaml" "$CLUSTER/stored.json"
}
for folder in "${folders[@]}"; do check "$folder"; done
