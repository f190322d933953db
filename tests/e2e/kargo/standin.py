"""NOT Kargo: plays its part where it cannot be built.

It reads the rendered Warehouses and Stages from the API server, looks what the registry
and the repositories have, and makes the AnalysisRuns that Kargo would make, at the time
it would; Argo Rollouts runs them. It knows what our manifests use and no more: image
subscriptions by digest or newest version, the newest commit below the included paths,
direct and upstream Freight, soak, automatic and manual promotion, control-flow Stages,
and the expressions of our verification arguments. It makes no Freight objects, no
Promotions, and runs no promotion steps (`update-` Stages are left alone).
"""

import json
import re
import threading
import time
import urllib.request

from kube import ApiError
from programs import wait_for

INDEX = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"


class Kargo:
    real = False

    def __init__(self, cluster, world, _controller):
        self.kube, self.world = cluster.kube("e2e"), world
        self.found: dict[str, list[dict]] = {}  # Warehouse -> its Freight, newest last
        self.held: dict[str, dict[str, tuple[dict, float]]] = {}  # Stage -> origin -> Freight, since
        self.actors: dict[str, str] = {}
        self.runs: dict[str, list[str]] = {}  # Stage -> its AnalysisRuns, newest last
        self.asked: set[str] = set()  # Warehouses to look at
        self.lock = threading.RLock()
        self.running = threading.Event()
        self.number = 0

    # What the scenario asks; real.py has the same.

    def begin(self) -> None:
        self.asked |= {w["metadata"]["name"] for w in self.kube.list("warehouses")}
        self.running.set()
        threading.Thread(target=self.loop, daemon=True).start()

    def digests(self, warehouse: str) -> list[str]:
        return [freight["Digest"] for freight in self.found.get(warehouse, [])]

    def refresh(self, *warehouses: str) -> None:
        with self.lock:
            self.asked |= set(warehouses)

    def nudge(self, stage: str) -> None:
        """It looks at every Stage all the time."""

    def verification(self, stage: str) -> list[str]:
        runs = [self.kube.get("analysisruns", name) for name in reversed(self.runs.get(stage, []))]
        return [(run or {}).get("status", {}).get("phase", "Pending") for run in runs]

    def promote(self, stage: str, warehouse: str) -> None:
        with self.lock:
            self.take(self.kube.get("stages", stage), warehouse, self.found[warehouse][-1], "person")

    def again(self, stage: str) -> None:
        before = len(self.runs[stage])
        self.verify(self.kube.get("stages", stage))
        done = lambda: len(self.runs[stage]) > before and self.verification(stage)[0] in ("Successful", "Failed")
        wait_for(f"the verification of {stage} is repeated", 60, done)

    def kill(self) -> None:
        self.running.clear()

    def start(self) -> None:
        self.running.set()

    # Its work.

    def loop(self) -> None:
        while True:
            time.sleep(0.5)
            if not self.running.is_set():
                continue
            try:
                with self.lock:
                    self.discover()
                    for stage in self.kube.list("stages"):
                        self.reconcile(stage)
            except (ApiError, OSError):
                pass  # away; the next round asks again

    def discover(self) -> None:
        for name in sorted(self.asked):
            freight: dict[str, str] = {}
            for subscription in self.kube.get("warehouses", name)["spec"]["subscriptions"]:
                if image := subscription.get("image"):
                    freight |= self.image(image)
                else:
                    freight |= self.commit(subscription["git"])
            known = self.found.setdefault(name, [])
            if not known or known[-1] != freight:
                known.append(freight)
            self.asked.discard(name)

    def image(self, subscription: dict) -> dict[str, str]:
        _, repository = subscription["repoURL"].split("/", 1)
        base = f"http://{self.world.registry}/v2/{repository}"
        tag = subscription.get("constraint")
        if subscription["imageSelectionStrategy"] != "Digest":
            with urllib.request.urlopen(f"{base}/tags/list", timeout=5) as answer:
                tags = json.load(answer)["tags"]
            allowed = [re.compile(text) for text in subscription.get("allowTagsRegexes", [])]
            tags = [t for t in tags if re.fullmatch(r"\d+(\.\d+)*", t) and all(a.search(t) for a in allowed)]
            tag = max(tags, key=lambda t: [int(part) for part in t.split(".")])
        request = urllib.request.Request(f"{base}/manifests/{tag}", headers={"accept": INDEX}, method="HEAD")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return {"Tag": tag, "Digest": answer.headers["docker-content-digest"]}

    def commit(self, subscription: dict) -> dict[str, str]:
        repository = subscription["repoURL"].rsplit("/", 1)[1].removesuffix(".git")
        paths = subscription.get("includePaths", []) + [f":!{path}" for path in subscription.get("excludePaths", [])]
        return {"ID": self.world.git(repository, "log", "-1", "--format=%H", subscription["branch"], "--", *paths).strip()}

    def reconcile(self, stage: dict) -> None:
        name, spec = stage["metadata"]["name"], stage["spec"]
        automatic = stage["metadata"].get("labels", {}).get("image-factory.io/auto-promote") == "true"
        if not automatic or "verification" not in spec:
            return
        for request in spec["requestedFreight"]:
            origin, sources = request["origin"]["name"], request["sources"]
            freight = self.available(origin, sources)
            if freight is not None and self.held.get(name, {}).get(origin, (None, 0))[0] != freight:
                self.take(stage, origin, freight, "")

    def available(self, origin: str, sources: dict) -> dict | None:
        if sources.get("direct"):
            return (self.found.get(origin) or [None])[-1]
        upstream = sources["stages"][0]
        freight, since = self.held.get(upstream, {}).get(origin, (None, 0))
        minutes = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(\d+)s", sources.get("requiredSoakTime", "0s"))
        soak = sum(int(n or 0) * size for n, size in zip(minutes.groups(), (3600, 60, 1)))
        ready = freight is not None and time.monotonic() >= since + soak and self.verification(upstream)[:1] == ["Successful"]
        return freight if ready else None

    def take(self, stage: dict, origin: str, freight: dict, actor: str) -> None:
        name = stage["metadata"]["name"]
        self.actors[name] = actor
        self.held.setdefault(name, {})[origin] = (freight, time.monotonic())
        self.verify(stage)

    def verify(self, stage: dict) -> None:
        """Makes the AnalysisRun, as Kargo's builder does."""
        name, verification = stage["metadata"]["name"], stage["spec"]["verification"]
        template = self.kube.get("analysistemplates", verification["analysisTemplates"][0]["name"])["spec"]
        self.number += 1
        spec = {
            "metrics": template["metrics"],
            "args": [{"name": a["name"], "value": self.value(name, a["value"])} for a in verification["args"]],
        }
        run = f"{name}.{self.number:04}"
        self.kube.create("analysisruns", {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": run}, "spec": spec})
        self.runs.setdefault(name, []).append(run)

    def value(self, stage: str, text: str) -> str:
        """The four expressions that our manifests have."""
        if not text.startswith("${{"):
            return text
        found = re.fullmatch(r"\$\{\{ quote\((\w+)\(([^)]*)\)\?\.(\w+) \?\? '([^']*)'\) \}\}", text)
        if not found:
            raise AssertionError(f"the stand-in does not know {text}")
        function, _, field, otherwise = found.groups()
        if function == "stageMetadata":
            return (self.actors.get(stage) or otherwise) if field == "actor" else "stand-in"
        held = self.held.get(stage, {}).values()
        return next((freight[field] for freight, _ in held if field in freight), otherwise)
