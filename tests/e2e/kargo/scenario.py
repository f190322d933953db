"""What has to be so: one statement a line, in the order of the log."""

import pathlib
import subprocess

from programs import wait_for
from world import BASES, IMAGES


class Scenario:
    def __init__(self, mode, cluster, world, providers, kubelet, kargo, running, log):
        self.mode, self.cluster, self.world, self.providers = mode, cluster, world, providers
        self.kubelet, self.kargo, self.running, self.log = kubelet, kargo, running, log
        self.kube = cluster.kube("e2e")
        self.expected: dict[str, int] = {}  # how many runs each image should have

    def run(self) -> None:
        self.first_state()
        self.install()

    # Helpers.

    def jobs(self, *words: str) -> list[str]:
        """What became of the Jobs whose arguments begin so."""
        count = len(words)
        return [self.kubelet.taken[n] for n, argv in list(self.kubelet.argv.items()) if argv[:count] == list(words)]

    def expect(self, condition: bool, text: str) -> None:
        if not condition:
            raise AssertionError(text)

    # The steps.

    def first_state(self) -> None:
        self.log.step("a person makes the factory")
        self.world.make_repositories()
        self.world.make_images()
        clone = self.world.scratch / "clone"
        environment = {
            "PATH": self.kubelet.path, "HOME": str(self.world.scratch), "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"credential.{self.world.git_url}.helper",
            "GIT_CONFIG_VALUE_0": f"!f() {{ printf 'username=robot\\npassword={self.world.password}\\n'; }}; f",
        }  # fmt: skip
        for command in (
            ["git", "clone", "--quiet", f"{self.world.git_url}/factory.git", str(clone)],
            ["image-factory", "discover", "--root", str(clone), "--commit", "--push"],
        ):
            done = subprocess.run(command, env=environment, cwd=self.world.scratch, capture_output=True, text=True)
            self.expect(done.returncode == 0, f"{' '.join(command[:2])}: {done.stderr[-1500:]}")
        self.log.shown(f"image-factory discover: {self.world.subjects()[0]}")

    def install(self) -> None:
        self.log.step("first install")
        dist = [self.world.git("factory", "show", f"main:dist/{name}") for name in self.manifests()]
        kinds = self.cluster.sync(dist)
        self.log.shown("applied dist/ in Argo CD's order: " + ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())))
        bases = [base.replace("/", "-").replace(":", "-") for base in [*BASES[:3], "acme/parent:1"]] + ["cache"]
        names = [image.name for image in IMAGES]
        wait_for("Freight for every Warehouse", 90, lambda: all(self.kargo.digests(name) for name in [*bases, *names]))
        self.log.shown(f"(1) Freight for {len(bases)} base and external and {len(names)} managed images")
        runs = lambda template: [r for r in self.kube.list("analysisruns") if r["spec"]["metrics"][0]["name"] == template]
        wait_for(
            "every build is analysed, every digest recorded", 120,
            lambda: all(self.world.image_state(n).get("currentDigest") for n in names)
            and all(self.jobs("record", b) for b in bases),
        )  # fmt: skip
        wait_for("the AnalysisRuns are through", 60, lambda: "running" not in self.kubelet.taken.values())

    def manifests(self) -> list[str]:
        names = self.world.git("factory", "ls-tree", "--name-only", "main:dist").split()
        return [name for name in names if name.endswith(".k8s.yaml")]
