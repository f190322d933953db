"""The same manifests as synth, by a cdk8s app; only to measure against.

    main.py ROOT OUT
"""

import re
import sys
from pathlib import Path

from cdk8s import ApiObject, ApiObjectMetadata, App, Chart, JsonPatch, Yaml, YamlOutputType
from constructs import Construct

from inputs import Inputs, is_managed, read_inputs
from jobs import SECRETS, Runner

KARGO = "kargo.akuity.io/v1alpha1"
ROLLOUTS = "argoproj.io/v1alpha1"
PROJECT = "image-factory-kargo"
LABELS = {"app.kubernetes.io/managed-by": "image-factory"}
AUTO_PROMOTE = "image-factory.io/auto-promote"
IMAGE = "image-factory.io/image"
WAVE = "argocd.argoproj.io/sync-wave"


def repo_url(image: dict) -> str:
    return f"{image['registry']}/{image['repository']}"


def quote(expression: str) -> str:
    return "${{ quote(" + expression + ") }}"


def noted(key: str) -> str:
    return quote(f"stageMetadata(ctx.stage)?.{key} ?? ''")


def image_from(url: str, field: str) -> str:
    return quote(f"imageFrom(\"{url}\")?.{field} ?? ''")


def duration(text: str) -> str:
    """As Go writes it, which is what the API server stores."""
    minutes = int(text[:-1]) * {"d": 1440, "h": 60, "m": 1}[text[-1]]
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m0s" if hours else f"{minutes}m0s"


def literal_tag(pattern: str) -> str | None:
    """The tag that a pattern like ^3\\.12-slim$ stands for, if it stands for one."""
    found = re.fullmatch(r"\^((?:[A-Za-z0-9_-]|\\\.)+)\$", pattern)
    return found and found[1].replace("\\.", ".")


def include_paths(dockerfile: str) -> list[str]:
    """The folder of the app that a Dockerfile belongs to."""
    parts = dockerfile.split("/")
    if len(parts) == 1:
        return ["glob:**"]
    return [f"apps/{parts[1]}/" if parts[0] == "apps" and len(parts) > 2 else f"{parts[0]}/"]


def by_tag(url: str, tag: str) -> dict:
    return {
        "repoURL": url,
        "imageSelectionStrategy": "Digest",
        "constraint": tag,
        "strictSemvers": False,
        "discoveryLimit": 10,
    }


def watched(image: dict) -> dict:
    pattern = image.get("allowTags")
    tag = pattern and literal_tag(pattern)
    if tag:
        return by_tag(repo_url(image), tag)
    subscription = {
        "repoURL": repo_url(image),
        "imageSelectionStrategy": image.get("imageSelectionStrategy", "Lexical"),
        "strictSemvers": False,
        "discoveryLimit": 10,
    }
    if image.get("constraint"):
        subscription["constraint"] = image["constraint"]
    if pattern:
        subscription["allowTagsRegexes"] = [pattern]
    return subscription


class KargoChart(Chart):
    def __init__(self, scope: Construct, id: str):
        super().__init__(scope, id, labels=LABELS)

    def object(
        self, api_version: str, kind: str, name: str, namespace: str | None = PROJECT, labels=None, annotations=None, **rest
    ) -> None:
        metadata = ApiObjectMetadata(name=name, namespace=namespace, labels=labels, annotations=annotations)
        object = ApiObject(self, f"{kind}-{name}", api_version=api_version, kind=kind, metadata=metadata)
        # An ApiObject takes no further fields from Python.
        if rest:
            object.add_json_patch(*(JsonPatch.add(f"/{key}", value) for key, value in rest.items()))

    def warehouse(self, name: str, interval: str, subscriptions: list[dict]) -> None:
        spec = {"interval": interval, "freightCreationPolicy": "Automatic", "subscriptions": subscriptions}
        self.object(KARGO, "Warehouse", name, spec=spec)

    def stage(self, name: str, labels: dict, freight: list[dict], template: str | None = None, args: dict | None = None):
        spec: dict = {"requestedFreight": freight}
        if template:
            spec["promotionTemplate"] = {"spec": {"steps": [self.note()]}}
            spec["verification"] = {
                "analysisTemplates": [{"name": template}],
                "args": [{"name": name, "value": value} for name, value in args.items()],
            }
        self.object(KARGO, "Stage", name, labels=labels, spec=spec)

    def track(self, warehouse: str, url: str) -> None:
        self.stage(
            f"track-{warehouse}",
            {AUTO_PROMOTE: "true"},
            [{"origin": {"kind": "Warehouse", "name": warehouse}, "sources": {"direct": True}}],
            "record-update",
            {
                "image": warehouse,
                "tag": image_from(url, "Tag"),
                "digest": image_from(url, "Digest"),
                "freight": noted("freight"),
            },
        )

    def note(self) -> dict:
        """Notes on the Stage which Promotion brought which Freight."""
        values = {
            "promotion": quote("ctx.promotion"),
            "actor": quote("ctx.meta.promotion.actor"),
            "freight": quote("ctx.targetFreight.name"),
            "origin": quote("ctx.targetFreight.origin.name"),
        }
        update = {"kind": "Stage", "name": "${{ ctx.stage }}", "values": values}
        return {"uses": "set-metadata", "config": {"updates": [update]}}


class FactoryChart(KargoChart):
    def __init__(self, scope: Construct, inputs: Inputs):
        super().__init__(scope, "image-factory")
        self.project()
        for base in inputs.bases.values():
            if not base.get("managedImage"):
                self.warehouse(base["name"], "24h0m0s", [{"image": by_tag(base["repoURL"], base["tag"])}])
                self.track(base["name"], base["repoURL"])
        for image in inputs.images:
            if not is_managed(image):
                self.warehouse(image["name"], "24h0m0s", [{"image": watched(image)}])
                self.track(image["name"], repo_url(image))
        for image in filter(is_managed, inputs.images):
            names = inputs.image_states.get(image["name"], {}).get("baseImages", [])
            self.rebuild(image, [inputs.bases[name] for name in names])

    def project(self) -> None:
        def annotations(wave: str) -> dict:
            return {
                "argocd.argoproj.io/sync-options": "Prune=false",
                WAVE: wave,
                "kargo.akuity.io/keep-namespace": "true",
            }

        labels = {"kargo.akuity.io/project": "true"}
        self.object("v1", "Namespace", PROJECT, namespace=None, labels=labels, annotations=annotations("-3"))
        self.object(KARGO, "Project", PROJECT, namespace=None, annotations=annotations("-2"))
        selector = {
            "name": "regex:^(track-|rebuild-|analyze-dockerfile-|update-kustomize-|update-yaml-)",
            "matchLabels": {AUTO_PROMOTE: "true"},
        }
        policy = {"autoPromotionEnabled": True, "stageSelector": selector}
        self.object(KARGO, "ProjectConfig", PROJECT, annotations={WAVE: "-1"}, spec={"promotionPolicies": [policy]})

    def rebuild(self, image: dict, bases: list[dict]) -> None:
        if not bases:
            return
        freight = []
        for base in bases:
            sources: dict = {"stages": [f"track-{base['name']}"]}
            if not base.get("managedImage"):
                sources["requiredSoakTime"] = duration(image.get("rebuildDelay", "7d"))
                sources["autoPromotionOptions"] = {"selectionPolicy": "MatchUpstream"}
            freight.append({"origin": {"kind": "Warehouse", "name": base["name"]}, "sources": sources})
        labels = {IMAGE: image["name"]}
        if image.get("autoRebuild", True):
            labels[AUTO_PROMOTE] = "true"
        args = {"image": image["name"], "actor": noted("actor")}
        self.stage(f"rebuild-{image['name']}", labels, freight, "trigger-rebuild", args)


class ManagedChart(KargoChart):
    def __init__(self, scope: Construct, inputs: Inputs):
        super().__init__(scope, "managed-images")
        for image in filter(is_managed, inputs.images):
            self.build(image)
            self.analysis(image, inputs.git)
        for base in inputs.bases.values():
            if base.get("managedImage"):
                self.warehouse(base["name"], "5m0s", [{"image": by_tag(base["repoURL"], base["tag"])}])
                self.track(base["name"], base["repoURL"])

    def build(self, image: dict) -> None:
        source = image["source"]
        host = "https://gitlab.com" if source.get("provider") == "gitlab" else "https://github.com"
        subscription = {
            "repoURL": repo_url(image),
            "imageSelectionStrategy": "SemVer",
            "strictSemvers": False,
            "discoveryLimit": 10,
        }
        git = {
            "repoURL": f"{host}/{source['repo']}.git",
            "commitSelectionStrategy": "NewestFromBranch",
            "branch": source.get("branch", "main"),
            "strictSemvers": False,
            "includePaths": include_paths(source.get("dockerfile", "Dockerfile")),
            "discoveryLimit": 5,
        }
        self.warehouse(image["name"], "5m0s", [{"image": subscription}, {"git": git}])

    def analysis(self, image: dict, git: dict) -> None:
        name, source, url = image["name"], image["source"], repo_url(image)
        origin = {"kind": "Warehouse", "name": name}
        analyze = f"analyze-dockerfile-{name}"
        args = {
            "imageName": name,
            "imageTag": image_from(url, "Tag"),
            "imageDigest": image_from(url, "Digest"),
            "dockerfile": source.get("dockerfile", "Dockerfile"),
            "sourceRepo": source["repo"],
            "sourceProvider": source.get("provider", "github"),
            "gitRepo": git["repo"],
            "gitBranch": git["branch"],
        }
        labels = {AUTO_PROMOTE: "true", IMAGE: name}
        self.stage(analyze, labels, [{"origin": origin, "sources": {"direct": True}}], "analyze-dockerfile", args)
        self.stage(f"analyzed-{name}", {IMAGE: name}, [{"origin": origin, "sources": {"stages": [analyze]}}])


class AutomationChart(KargoChart):
    def __init__(self, scope: Construct, inputs: Inputs):
        super().__init__(scope, "automation")
        self.runner = Runner(inputs)
        self.templates()
        self.object(
            "v1",
            "ServiceAccount",
            "image-factory",
            annotations={WAVE: "-1"},
            automountServiceAccountToken=False,
            imagePullSecrets=[{"name": SECRETS["registry"]}],
        )
        self.cron("rebuild-due", "7 * * * *", ["rebuild", "--due"])
        self.cron("discover-resolve", "37 3 * * *", ["discover", "--resolve"])

    def templates(self) -> None:
        def arg(name: str) -> str:
            return "{{args." + name + "}}"

        flags = [f"--{name}={arg(name)}" for name in ("tag", "digest", "freight")]
        args = ["image", "tag", "digest", "freight"]
        self.template("record-update", "record-update", args, ["record", arg("image"), *flags])
        command = ["rebuild", arg("image"), f"--requested-by={arg('actor')}"]
        self.template("trigger-rebuild", "trigger-rebuild", ["image", "actor"], command)
        flags = {
            "image": "imageName",
            "tag": "imageTag",
            "digest": "imageDigest",
            "dockerfile": "dockerfile",
            "source-repo": "sourceRepo",
            "source-provider": "sourceProvider",
            "git-repo": "gitRepo",
            "git-branch": "gitBranch",
        }
        command = ["analyze", *(f"--{flag}={arg(name)}" for flag, name in flags.items())]
        command.append("--image-factory-dir=/workspace/repo")
        self.template("analyze-dockerfile", "dockerfile-analysis", list(flags.values()), command)

    def template(self, name: str, metric: str, args: list[str], command: list[str]) -> None:
        job = {"spec": self.runner.job([*command, "--commit", "--push"])}
        spec = {
            "args": [{"name": arg} for arg in args],
            "metrics": [{"name": metric, "provider": {"job": job}}],
        }
        self.object(ROLLOUTS, "AnalysisTemplate", name, annotations={WAVE: "-1"}, spec=spec)

    def cron(self, name: str, schedule: str, command: list[str]) -> None:
        spec = {
            "concurrencyPolicy": "Forbid",
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {"spec": self.runner.job([*command, "--commit", "--push"])},
            "schedule": schedule,
            "startingDeadlineSeconds": 600,
            "successfulJobsHistoryLimit": 1,
            "timeZone": "Etc/UTC",
        }
        self.object("batch/v1", "CronJob", name, annotations={WAVE: "-1"}, spec=spec)


def main() -> None:
    root, out = (Path(argument) for argument in sys.argv[1:])
    inputs = read_inputs(root)
    app = App(
        outdir=str(out), output_file_extension=".k8s.yaml", yaml_output_type=YamlOutputType.FILE_PER_CHART
    )
    FactoryChart(app, inputs)
    ManagedChart(app, inputs)
    AutomationChart(app, inputs)
    app.synth()
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["image-factory.k8s.yaml", "managed-images.k8s.yaml", "automation.k8s.yaml"],
    }
    Yaml.save(str(out / "kustomization.yaml"), [kustomization])


main()
