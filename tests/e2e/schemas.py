"""Validates manifests against the schemas that Kargo, Argo Rollouts and
Kubernetes publish, without any code of this product.

    schemas.py UPSTREAM SAMPLES FILE...

UPSTREAM holds crds/ and schemas/{subscription,steps}/ as upstream publishes
them. Each object is held against the openAPIV3Schema of its CRD, with objects
closed (a field that the schema does not name is an error, as for an API server
under strict field validation); each subscription of a Warehouse and each
step's config also against its own JSON schema; core kinds, and the Job inside
an AnalysisTemplate, against Kubernetes' own schemas.

Values with an expression (`${{ … }}`) have no type before Kargo evaluates
them. An error about such a value itself is not counted; everything around it is.
"""

import copy
import json
import re
import sys
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml
from referencing import Registry, Resource

KUBERNETES = "1.33"
EXPRESSION = re.compile(r"\$\{[{%]")
SUBSCRIPTIONS = ("image", "git", "chart")


class Loader(yaml.SafeLoader):
    """Safe, and dates stay the text that they are in JSON."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def documents(path):
    for document in yaml.load_all(path.read_text(encoding="utf-8"), Loader=Loader):
        if document is not None:
            yield document


def closed(schema):
    """The JSON schema that says what this structural schema says, closed."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if key == "properties":
            out[key] = {name: closed(sub) for name, sub in value.items()}
        elif key in ("items", "additionalProperties", "allOf", "anyOf", "oneOf", "not"):
            out[key] = closed(value)
        elif not key.startswith("x-kubernetes-") and key not in ("nullable", "description"):
            out[key] = copy.deepcopy(value)
    if schema.get("x-kubernetes-int-or-string"):
        out.pop("type", None)
        out["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if schema.get("nullable") and "type" in out:
        out["type"] = [out["type"], "null"]
    if "properties" in out and "additionalProperties" not in out and not schema.get(
        "x-kubernetes-preserve-unknown-fields"
    ):
        out["additionalProperties"] = False
    return out


class Schemas:
    def __init__(self, upstream):
        self.kinds = {}
        for path in sorted((upstream / "crds").glob("*.yaml")):
            for crd in documents(path):
                spec = crd["spec"]
                for version in spec["versions"]:
                    if version["served"]:
                        schema = closed(version["schema"]["openAPIV3Schema"])
                        # The schema leaves what every object has to the API server.
                        schema["properties"]["metadata"] = {"type": "object"}
                        key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                        self.kinds[key] = (self.validator(schema), spec["scope"])
        self.steps = self.folder(upstream / "schemas" / "steps")
        self.subscriptions = self.folder(upstream / "schemas" / "subscription")
        if not self.kinds or not self.steps or not self.subscriptions:
            raise SystemExit(f"{upstream}: no CRDs or schemas in it")

    @staticmethod
    def validator(schema, registry=None):
        extra = {} if registry is None else {"registry": registry}
        return jsonschema.Draft202012Validator(schema, **extra)

    def folder(self, folder):
        texts = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
        dialect = "https://json-schema.org/draft/2020-12/schema"
        resources = [
            (name, Resource.from_contents({"$schema": dialect, **schema})) for name, schema in texts.items()
        ]
        registry = Registry().with_resources(resources)
        return {name: self.validator({"$id": name, **schema}, registry) for name, schema in texts.items()}


class Checker:
    def __init__(self, schemas):
        self.schemas = schemas
        self.counts = {"objects": 0, "subscriptions": 0, "steps": 0, "jobs": 0, "expressions": 0}

    def check(self, document):
        """All that is wrong with the document, as lines."""
        self.counts["objects"] += 1
        api_version, kind = document.get("apiVersion", ""), document.get("kind", "")
        found = self.schemas.kinds.get((api_version, kind))
        errors = []
        if found is not None:
            validator, scope = found
            errors += self.errors(validator, document, "")
            if not document.get("metadata", {}).get("name"):
                errors.append("/metadata/name: missing")
            if (scope == "Namespaced") != bool(document.get("metadata", {}).get("namespace")):
                errors.append(f"/metadata/namespace: {kind} is {scope}")
        elif re.fullmatch(r"v\d+|([a-z]+\.)*k8s\.io/v\w+|(apps|batch|policy|autoscaling)/v\w+", api_version):
            errors += self.core(document, "")
        else:
            errors.append(f"/: no schema of {api_version} {kind}")
        spec = document.get("spec") or {}
        if kind == "Warehouse":
            for index, subscription in enumerate(spec.get("subscriptions") or []):
                errors += self.subscription(subscription, f"/spec/subscriptions/{index}")
        steps_at = {
            "Stage": ("/spec/promotionTemplate/spec/steps", ("promotionTemplate", "spec", "steps")),
            "PromotionTask": ("/spec/steps", ("steps",)),
            "ClusterPromotionTask": ("/spec/steps", ("steps",)),
        }.get(kind)
        if steps_at:
            pointer, keys = steps_at
            steps = spec
            for key in keys:
                steps = (steps or {}).get(key)
            for index, step in enumerate(steps or []):
                errors += self.step(step, f"{pointer}/{index}")
        if kind in ("AnalysisTemplate", "ClusterAnalysisTemplate"):
            for index, metric in enumerate(spec.get("metrics") or []):
                job = (metric.get("provider") or {}).get("job")
                if job:
                    self.counts["jobs"] += 1
                    whole = {"apiVersion": "batch/v1", "kind": "Job", **job}
                    errors += self.core(whole, f"/spec/metrics/{index}/provider/job")
        return errors

    def errors(self, validator, value, pointer):
        return [
            f"{pointer}/{'/'.join(str(part) for part in error.absolute_path)}: {error.message}"
            for error in validator.iter_errors(value)
            if not self.excused(error)
        ]

    def excused(self, error):
        if isinstance(error.instance, str) and EXPRESSION.search(error.instance):
            self.counts["expressions"] += 1
            return True
        # One branch of anyOf or oneOf that fails for expressions only will do.
        branches = {}
        for sub in error.context or []:
            branches.setdefault(sub.schema_path[0], []).append(sub)
        return any(all(self.excused(sub) for sub in branch) for branch in branches.values())

    def subscription(self, subscription, pointer):
        self.counts["subscriptions"] += 1
        keys = [key for key in subscription if key in SUBSCRIPTIONS]
        if len(keys) != 1 or len(subscription) != 1:
            return [f"{pointer}: exactly one of {', '.join(SUBSCRIPTIONS)}, found {sorted(subscription)}"]
        validator = self.schemas.subscriptions[f"{keys[0]}.json"]
        return self.errors(validator, subscription[keys[0]], f"{pointer}/{keys[0]}")

    def step(self, step, pointer):
        if "task" in step or "uses" not in step:
            return []
        self.counts["steps"] += 1
        uses = step["uses"]
        validator = self.schemas.steps.get(f"{uses}-config.json")
        if validator is None:
            return [f"{pointer}/uses: no such built-in step: {uses}"]
        return self.errors(validator, step.get("config") or {}, f"{pointer}/config")

    def core(self, document, pointer):
        try:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as error:
            return [f"{pointer}/{'/'.join(str(part) for part in error.path)}: {error.message}"]
        except kubernetes_validate.SchemaNotFoundError as error:
            return [f"{pointer}: {error}"]
        return []


def expectation(path):
    match = re.search(r"^# schema: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return match and match.group(1).strip()


def main(upstream, samples, *files):
    schemas = Schemas(Path(upstream))
    failures = 0

    def fail(line):
        nonlocal failures
        failures += 1
        print(f"FAIL {line}")

    sound = Checker(schemas)
    for path in sorted(Path(samples, "sound").glob("*.yaml")):
        for document in documents(path):
            for error in sound.check(document):
                fail(f"{path.name}: a sound sample was refused: {document['kind']}{error}")
    refused = 0
    for path in sorted(Path(samples, "refused").glob("*.yaml")):
        expected = expectation(path)
        if expected is None:
            continue
        errors = [error for document in documents(path) for error in Checker(schemas).check(document)]
        if any(expected in error for error in errors):
            refused += 1
        else:
            fail(f"{path.name}: expected an error saying {expected!r}, got {errors}")
    print(f"samples: {sound.counts['objects']} sound objects accepted, {refused} broken ones refused")
    if not sound.counts["objects"] or not refused:
        fail(f"{samples}: no samples")

    real = Checker(schemas)
    for name in files:
        for document in documents(Path(name)):
            identity = f"{document.get('kind')}/{(document.get('metadata') or {}).get('name')}"
            for error in real.check(document):
                fail(f"{name}: {identity} {error}")
    if files and not real.counts["objects"]:
        fail("no objects in the files given")
    print("manifests: " + ", ".join(f"{count} {what}" for what, count in real.counts.items()) + f", {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
