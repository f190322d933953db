#!/usr/bin/env bash
# Fetches the CRDs and schemas that Kargo and Argo Rollouts publish, at the
# versions whose facts kargo-types holds:
#
#   tests/e2e/upstream.sh FOLDER && export IMAGE_FACTORY_UPSTREAM=FOLDER
set -euo pipefail

to=${1:?usage: upstream.sh FOLDER}
mkdir -p "$to/crds" "$to/schemas"
to=$(cd "$to" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# take REPOSITORY TAG COMMIT PATH...: these paths of that commit, into $work/files
take() {
    local repository=$1 tag=$2 commit=$3
    shift 3
    rm -rf "$work/git" "$work/files"
    mkdir "$work/files"
    git init --quiet "$work/git"
    git -C "$work/git" fetch --quiet --depth 1 "$repository" "refs/tags/$tag"
    [ "$(git -C "$work/git" rev-parse 'FETCH_HEAD^{commit}')" = "$commit" ] || {
        echo "$repository: $tag is no longer $commit" >&2
        exit 1
    }
    git -C "$work/git" archive FETCH_HEAD "$@" | tar -x -C "$work/files"
}

take https://github.com/akuity/kargo v1.11.2 20c56384dc3aa29911368fa9c0916e8f4a541252 \
    charts/kargo/resources/crds pkg/subscription/schemas pkg/promotion/runner/builtin/schemas
cp "$work"/files/charts/kargo/resources/crds/*.yaml "$to/crds/"
rm -rf "$to/schemas/subscription" "$to/schemas/steps"
cp -r "$work/files/pkg/subscription/schemas" "$to/schemas/subscription"
cp -r "$work/files/pkg/promotion/runner/builtin/schemas" "$to/schemas/steps"

take https://github.com/argoproj/argo-rollouts v1.9.1 b6bd3bcf8f60d717a98763d26acc983db7f97cb0 manifests/crds
for kind in analysis-run analysis-template cluster-analysis-template; do
    cp "$work/files/manifests/crds/$kind-crd.yaml" "$to/crds/"
done
echo "$to: $(find "$to/crds" -name '*.yaml' | wc -l) CRDs, $(find "$to/schemas" -name '*.json' | wc -l) schemas"
