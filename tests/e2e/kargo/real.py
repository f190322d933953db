"""Kargo itself, seen from the test: what it has made, and how a person uses it."""

import time

from programs import Program, wait_for


class Kargo:
    real = True

    def __init__(self, cluster, world, controller: Program):
        self.kube, self.person, self.controller = cluster.kube("e2e"), cluster.kube("person"), controller

    def begin(self) -> None:
        """The controller runs already."""

    def freight(self, warehouse: str) -> list[dict]:
        found = [f for f in self.kube.list("freights") if f["origin"]["name"] == warehouse]
        return sorted(found, key=lambda f: f["metadata"]["creationTimestamp"])

    def digests(self, warehouse: str) -> list[str]:
        return [image["digest"] for freight in self.freight(warehouse) for image in freight.get("images", [])]

    def refresh(self, *warehouses: str) -> None:
        """What a registry's webhook does: have these looked at now, not at their interval."""
        for name in warehouses:
            self.kube.annotate("warehouses", name, refresh=str(time.time()))

    def nudge(self, stage: str) -> None:
        """Kargo looks at a Stage every five minutes; this asks for it now."""
        self.kube.annotate("stages", stage, refresh=str(time.time()))

    def verification(self, stage: str) -> list[str]:
        """The phases of what was verified, the newest first."""
        history = (self.kube.get("stages", stage) or {}).get("status", {}).get("freightHistory", [])
        return [v["phase"] for entry in history for v in entry.get("verificationHistory", [])]

    def promotions(self, stage: str) -> list[dict]:
        return [p for p in self.kube.list("promotions") if p["spec"]["stage"] == stage]

    def promote(self, stage: str, warehouse: str) -> str:
        """A person's click on the newest Freight of a Warehouse."""
        freight = self.freight(warehouse)[-1]["metadata"]["name"]
        body = {
            "apiVersion": "kargo.akuity.io/v1alpha1", "kind": "Promotion",
            "metadata": {"name": f"{stage}.by-hand", "namespace": self.kube.namespace},
            "spec": {"stage": stage, "freight": freight},
        }  # fmt: skip
        return self.person.create("promotions", body)["metadata"]["name"]

    def again(self, stage: str) -> None:
        """A person has the verification of a Stage repeated; waits until it is."""
        before = len(self.verification(stage))
        history = self.kube.get("stages", stage)["status"]["freightHistory"]
        self.person.annotate("stages", stage, reverify=history[0]["verificationHistory"][0]["id"])
        done = lambda: len(found := self.verification(stage)) > before and found[0] not in ("Pending", "Running")
        wait_for(f"the verification of {stage} is repeated", 60, done)

    def kill(self) -> None:
        self.controller.stop(kill=True)

    def start(self) -> None:
        self.controller.start()
        wait_for("the controller runs", 10, self.controller.alive)
