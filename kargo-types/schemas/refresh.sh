#!/bin/sh
# Writes every facts file of this folder anew from the upstream files in FOLDER:
# the CRDs in FOLDER/crds and the JSON Schemas in FOLDER/schemas (README.md says
# where to get them). Our own words, the lines that start with `/`, are kept.
#
#   kargo-types/schemas/refresh.sh FOLDER           write
#   kargo-types/schemas/refresh.sh FOLDER --check   only say what differs; exit 1 if anything does
set -eu

kargo='akuity/kargo v1.11.2'
rollouts='argoproj/argo-rollouts v1.9.1'

folder=$(cd "${1:?usage: refresh.sh FOLDER [--check]}" && pwd)
mode=${2:-write}
cd "$(dirname "$0")"
if [ -z "${CRD_IMPORT:-}" ]; then
  cargo build --quiet -p crd-codegen --bin crd-import
  root=$(cargo locate-project --workspace --message-format plain)
  CRD_IMPORT=${CARGO_TARGET_DIR:-$(dirname "$root")/target}/debug/crd-import
fi
status=0
mkdir -p steps subscriptions

# one IN OUT SOURCE [FLAG]…
one() {
  in=$folder/$1 out=$2 source=$3
  shift 3
  if [ "$mode" = --check ]; then
    "$CRD_IMPORT" --check "$out" "$in" || { status=1; echo "^ $out"; }
  else
    "$CRD_IMPORT" "$in" -o "$out" --licence Apache-2.0 --source "$source" "$@"
  fi
}

kargo_crd() {
  plural=$1 out=$2
  shift 2
  file=kargo.akuity.io_$plural.yaml
  one "crds/$file" "$out" "$kargo charts/kargo/resources/crds/$file" "$@"
}

rollouts_crd() {
  one "crds/$1" "$2" "$rollouts manifests/crds/$1" \
    --core /spec/metrics/items/provider/job/spec=batch/v1.JobSpec
}

conditions=/status/conditions/items=meta/v1.Condition
actions=/spec/webhookReceivers/items/generic/actions
selector=$actions/items/targetSelectionCriteria/items/labelSelector

kargo_crd projects project.facts --core $conditions
kargo_crd projectconfigs project-config.facts --core $conditions \
  --core $selector=meta/v1.LabelSelector
kargo_crd warehouses warehouse.facts --core $conditions
kargo_crd stages stage.facts --core $conditions
kargo_crd promotiontasks promotion-task.facts
kargo_crd clusterpromotiontasks cluster-promotion-task.facts
kargo_crd freights freight.facts
kargo_crd promotions promotion.facts
rollouts_crd analysis-template-crd.yaml analysis-template.facts
rollouts_crd cluster-analysis-template-crd.yaml cluster-analysis-template.facts
rollouts_crd analysis-run-crd.yaml analysis-run.facts

for in in "$folder"/schemas/subscription/*.json; do
  file=$(basename "$in")
  one "schemas/subscription/$file" "subscriptions/${file%.json}.facts" \
    "$kargo pkg/subscription/schemas/$file"
done
# What has no `-config` in its name holds definitions for the others.
for in in "$folder"/schemas/steps/*-config.json; do
  file=$(basename "$in")
  one "schemas/steps/$file" "steps/${file%-config.json}.facts" \
    "$kargo pkg/promotion/runner/builtin/schemas/$file"
done
exit $status
