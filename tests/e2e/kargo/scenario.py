"""What has to be so: one statement a line, in the order of the log."""

import subprocess
import time

import yaml

from programs import wait_for
from world import BASES, IMAGES

NODE, DEBIAN = "library/node:22", "library/debian:12"


def warehouse(base: str) -> str:
    return base.replace("/", "-").replace(":", "-")


class Scenario:
    def __init__(self, mode, cluster, world, providers, kubelet, kargo, running, log):
        self.mode, self.cluster, self.world, self.providers = mode, cluster, world, providers
        self.kubelet, self.kargo, self.running, self.log = kubelet, kargo, running, log
        self.kube = cluster.kube("e2e")
        self.posts: dict[str, list[str]] = {}  # what every image's requests should have been answered
        self.digest: dict[str, str] = {}
        self.crons = 0

    def run(self) -> None:
        self.first_state()
        self.install()
        self.misfortunes()
        self.soaked_for_nothing()
        self.changed_base()
        self.person()
        self.end()

    # Helpers.

    def expect(self, condition, text: str) -> None:
        if not condition:
            raise AssertionError(text)

    def jobs(self, *words: str) -> list[str]:
        """What became of the Jobs whose arguments begin so, in order."""
        count = len(words)
        return [self.kubelet.taken[n] for n, argv in list(self.kubelet.argv.items()) if argv[:count] == list(words)]

    def quiet(self) -> None:
        wait_for("the Jobs end", 90, lambda: "running" not in self.kubelet.taken.values())

    def cron(self, name: str = "rebuild-due") -> str:
        """One turn of a CronJob."""
        self.crons += 1
        job = self.kube.get("cronjobs", name)["spec"]["jobTemplate"]
        name = f"{name}-{self.crons}"
        self.kube.create("jobs", {"metadata": {"name": name}, "spec": job["spec"]})
        wait_for(f"the Job {name} ends", 150, lambda: self.kubelet.taken.get(name, "running") != "running")
        return self.kubelet.taken[name]

    def terminal(self, *words: str, code: int = 0) -> str:
        """A command of a person, in a fresh clone."""
        clone = self.world.scratch / f"clone-{time.monotonic_ns()}"
        environment = {
            "PATH": self.kubelet.path, "HOME": str(self.world.scratch), "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"credential.{self.world.git_url}.helper",
            "GIT_CONFIG_VALUE_0": f"!f() {{ printf 'username=robot\\npassword={self.world.password}\\n'; }}; f",
            "GITHUB_TOKEN": self.providers.tokens["github"], "GITLAB_TOKEN": self.providers.tokens["gitlab"],
        }  # fmt: skip
        said = ""
        for command in (["git", "clone", "--quiet", f"{self.world.git_url}/factory.git", str(clone)], ["image-factory", *words]):
            folder = clone if clone.exists() else self.world.scratch
            done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
            wanted = code if command[0] == "image-factory" else 0
            self.expect(done.returncode == wanted, f"{' '.join(command[:3])} ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-1500:]}")
            said = done.stdout
        return said

    def move(self, base: str, note: str) -> str:
        """The tag of a base image moves; the registry tells Kargo."""
        self.digest[base] = self.world.push(base, note)
        self.kargo.refresh(warehouse(base))
        return self.digest[base]

    def recorded(self, base: str) -> None:
        wait_for(f"{base} is recorded", 60, lambda: self.world.base_state(base).get("currentDigest") == self.digest[base])

    def triggered(self, image: str, seconds: float, nudge: bool = False):
        """The one run of an image that is still open."""

        def found():
            if nudge:
                self.kargo.nudge(f"rebuild-{image}")
            return [run for run in self.providers.of(image) if run.conclusion is None]

        runs = wait_for(f"a build of {image} is started", seconds, found, 2 if nudge else 0.3)
        self.expect(len(runs) == 1, f"{len(runs)} builds of {image} at once")
        self.posts.setdefault(image, []).append("accept")
        return runs[0]

    def finish(self, *images: str) -> None:
        """Their workflows end: new images are pushed, and their Warehouses told."""
        for image in images:
            tag, digest = self.world.build(image)
            self.digest[image], self.digest[f"{image} tag"] = digest, tag
            self.providers.finish([run for run in self.providers.of(image) if run.conclusion is None][0])
        self.kargo.refresh(*images)

    def built(self, *images: str) -> None:
        """Analysed, recorded, and nothing pending any more."""

        def done(image: str) -> bool:
            state = self.world.image_state(image)
            return state.get("currentDigest") == self.digest[image] and not state["rebuildState"].get("pendingRebuild")

        for image in images:
            wait_for(f"the new build of {image} is in state, and nothing pending", 90, lambda: done(image))

    def outcome(self, image: str) -> str:
        return (self.world.history(image) or [{}])[-1].get("outcome", "none")

    # The steps.

    def first_state(self) -> None:
        self.log.step("a person makes the factory")
        self.world.make_repositories()
        self.world.make_images()
        self.terminal("discover", "--commit", "--push")
        self.log.shown(f"image-factory discover: {self.world.subjects()[0]}")

    def install(self) -> None:
        self.log.step("first install")
        dist = self.world.git("factory", "ls-tree", "--name-only", "main:dist").split()
        dist = [self.world.git("factory", "show", f"main:dist/{name}") for name in dist if name.endswith(".k8s.yaml")]
        kinds = self.cluster.sync(dist)
        self.kargo.begin()
        self.log.shown("dist/ applied in Argo CD's order: " + ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())))
        bases = [warehouse(base) for base in [*BASES[:3], "acme/parent:1"]] + ["cache"]
        names = [image.name for image in IMAGES]
        wait_for("Freight for every Warehouse", 90, lambda: all(self.kargo.digests(name) for name in [*bases, *names]))
        self.log.shown(f"(1) Freight for {len(bases)} base and external and {len(names)} managed images")
        wait_for(
            "every build analysed, every digest recorded", 120,
            lambda: all(self.world.image_state(n).get("currentDigest") for n in names) and all(self.jobs("record", b) for b in bases),
        )  # fmt: skip
        stages = [f"track-{base}" for base in bases] + [f"analyze-dockerfile-{name}" for name in names]
        wait_for("their Stages are verified", 60, lambda: all("Successful" in self.kargo.verification(s)[:1] for s in stages))
        self.log.shown(f"(2) {len(stages)} AnalysisRuns successful: record-update, analyze-dockerfile")
        subjects = self.world.subjects()
        for name in names:
            self.expect(subjects.count(f"Analyze {name} 1.0.0") == 1, f"{name} was not analysed once")
        self.log.shown(f"(3) {sum(s.startswith(('Analyze', 'Record')) for s in subjects)} commits of state pushed, one for each of them")
        instantly = ["parent", "child", "busy", "gone", "terse", "silent", "deaf", "own"]
        wait_for("Stages without soak ask the planner", 60, lambda: all(self.jobs("rebuild", f"{n}") for n in instantly))
        self.quiet()
        self.expect(all(self.jobs("rebuild", n) == ["succeeded"] for n in instantly), "a rebuild Job failed")
        self.expect(not self.providers.posts, f"the first install triggered {self.providers.posts}")
        self.log.shown(f"first install triggers nothing: {len(instantly)} Jobs asked")

    def misfortunes(self) -> None:
        self.log.step(f"{DEBIAN} moves; six images follow at once (rebuildDelay 0d), each with its misfortune")
        for image, word in (("busy", "500"), ("gone", "404"), ("silent", "started, no answer"), ("deaf", "hang")):
            self.providers.answers[image].append(word)
            self.posts[image] = [word]
        self.providers.unexpected["terse"] = {"reason", "attempt"}
        self.posts["terse"] = ["422"]
        self.world.someone_is_faster()
        digest = self.move(DEBIAN, "debian second")
        self.recorded(DEBIAN)
        self.expect("Pushed in between" in self.world.subjects(), "nobody pushed in between")
        self.expect("NOTES" in self.world.git("factory", "ls-tree", "--name-only", "main"), "what was pushed in between is lost")
        self.log.shown("git push rejected, somebody was faster: both commits are there")
        run = self.triggered("parent", 60)
        wanted = {"image": "parent", "base_digest": digest, "attempt": "1", "tag": ""}
        self.expect(run.ref == "main" and wanted.items() <= run.inputs.items(), f"it was posted {run.ref} {run.inputs}")
        self.expect(run.inputs["base_image"] == warehouse(DEBIAN), run.inputs["base_image"])
        self.log.shown(f"(4) parent: dispatched with its base and digest: {run.inputs['reason']!r}")
        run = self.triggered("terse", 90)
        self.expect({"reason", "attempt"}.isdisjoint(run.inputs) and run.inputs["base_digest"] == digest, f"{run.inputs}")
        self.log.shown("422, unexpected inputs: posted once more without these two")
        self.triggered("silent", 90)
        self.posts["silent"].pop()
        self.triggered("busy", 150)
        self.log.shown("500: no run was found, so asked again; one build")
        wait_for("the refusal is recorded", 60, lambda: self.outcome("gone") == "refused")
        self.quiet()
        self.expect(self.jobs("rebuild", "gone")[-1] == "failed", "the refusal did not fail its Job")
        self.log.shown("404: refused, recorded, and its Job failed")
        self.expect(len(self.providers.of("silent")) == 1, "the request whose answer was lost was repeated")
        self.log.shown("no answer, but started: the run was looked for and found, not asked for again")
        self.triggered("deaf", 150)
        self.log.shown("no answer, and nothing started: no run was found, so asked again; one build")
        self.cron()
        self.expect(not self.providers.of("child"), "child did not wait for its parent")
        self.log.shown("child waits for its parent")
        images = ["parent", "busy", "terse", "silent", "deaf"]
        self.finish(*images)
        self.built(*images)
        for image in images:
            state = self.world.image_state(image)
            self.expect(state["builtFrom"][warehouse(DEBIAN)] == digest, f"{image} was built from {state['builtFrom']}")
            self.expect(self.outcome(image) == "built", f"the attempt of {image} is {self.outcome(image)}")
        self.log.shown("(5) built, analysed, in state, nothing pending: " + ", ".join(images))
        self.kargo.refresh("acme-parent-1")
        self.triggered("child", 60)
        self.finish("child")
        self.built("child")
        self.log.shown("child follows its parent's new digest at once, and is built")
        self.cron()
        self.expect(not self.providers.of("gone"), "a failure is tried again after an hour, not at once")
        self.terminal("rebuild", "gone", "--commit", "--push")
        self.triggered("gone", 5)
        self.finish("gone")
        self.built("gone")
        self.log.shown("a person orders the one that was refused: built")

    def soaked_for_nothing(self) -> None:
        """The Freight of the first install has soaked by now."""
        self.log.step("first install, after the soak")
        for image in ("fast", "lab"):

            def asked(image=image) -> bool:
                self.kargo.nudge(f"rebuild-{image}")
                return bool(self.jobs("rebuild", image))

            wait_for(f"the Stage of {image} asks the planner", 120, asked, 2)
        self.quiet()
        self.expect(not self.providers.of("fast") and not self.providers.of("lab"), "the first install triggered")
        self.log.shown("the digests of the first install soaked for a minute, and trigger nothing")

    def changed_base(self) -> None:
        self.log.step(f"{NODE} moves: fast and lab follow after 1m, slow after 2m, manual when a person says so")
        self.kubelet.twice.add("fast")
        digest = self.move(NODE, "node second")
        moved = time.monotonic()
        self.recorded(NODE)
        self.quiet()
        self.log.shown(f"recorded: {self.world.subjects()[0]}")
        self.kargo.kill()
        self.running["registry"].stop()
        away = time.monotonic()
        time.sleep(10)
        self.kargo.start()
        self.log.shown("the registry goes away; the controller is killed, and started again")
        runs = {image: self.triggered(image, 120, nudge=True) for image in ("fast", "lab")}
        waited = time.monotonic() - moved
        self.expect(waited > 59, f"they were started after {waited:.0f} s")
        self.expect(not self.providers.of("slow") and not self.providers.of("manual"), "slow or manual went along")
        self.expect(not self.running["registry"].alive(), "the registry should be away")
        for run in runs.values():
            self.expect(run.inputs["base_digest"] == digest, f"{run.inputs}")
        self.log.shown(f"(4) GitHub and GitLab asked after the soak, {waited:.0f} s, while the registry is away; slow waits")
        self.triggered("slow", 150, nudge=True)
        waited = time.monotonic() - moved
        self.expect(waited > 119, f"slow was started after {waited:.0f} s")
        self.log.shown(f"slow: its own delay on the same base, {waited:.0f} s")
        self.quiet()
        self.expect(len(self.providers.of("fast")) == 1, "a Job that ran twice started two builds")
        self.log.shown("the Job of fast ran twice: one build")
        self.kargo.again("rebuild-fast")
        self.quiet()
        self.expect(len(self.providers.of("fast")) == 1, "a verification that was repeated started another build")
        self.log.shown("its verification repeated by a person: one build")
        self.expect(time.monotonic() - away > 60, "the registry was not away for a minute")
        self.running["registry"].start()
        self.finish("fast", "lab", "slow")
        self.cron()
        self.built("fast", "lab", "slow")
        self.log.shown("(5) the registry is back: built, analysed, in state, nothing pending")
        if self.kargo.real:
            self.consumers()

    def consumers(self) -> None:
        tag = lambda: yaml.safe_load(self.world.git("deploy", "show", "main:fast/kustomization.yaml"))["images"][0].get("newTag")
        wait_for("the consumer's repository has the new tag", 60, lambda: tag() == self.digest["fast tag"])
        commits = self.world.git("deploy", "log", "--format=%s", "main").splitlines()
        self.expect(len(commits) == 2, f"the consumer's repository has {commits}")
        self.log.shown(f"updates: deploy.git has {tag()}, by one commit: {commits[0]}")

    def person(self) -> None:
        self.log.step("a person promotes the image with autoRebuild: false")
        self.expect(not self.providers.of("manual") and not self.jobs("rebuild", "manual"), "manual was not left alone")
        self.kargo.promote("rebuild-manual", warehouse(NODE))
        run = self.triggered("manual", 60)
        entry = self.world.history("manual")[-1]
        self.expect(entry.get("requestedBy") not in (None, ""), f"nobody is noted: {entry}")
        self.finish("manual")
        self.built("manual")
        self.log.shown(f"triggered for {entry['requestedBy']!r}, attempt {run.inputs['attempt']}, and built")

    def end(self) -> None:
        self.log.step("the end")
        self.cron()
        self.quiet()
        posts: dict[str, list[str]] = {}
        for image, word, _ in self.providers.posts:
            posts.setdefault(image, []).append(word)
        self.expect(posts == self.posts, f"expected the requests {self.posts}, there were {posts}")
        runs = {image.name: len(self.providers.of(image.name)) for image in IMAGES}
        self.expect(all(n == (image != "own") for image, n in runs.items()), f"builds: {runs}")
        self.expect(not self.providers.wrong, f"requests against the API: {self.providers.wrong}")
        self.log.shown(f"{sum(runs.values())} builds for 2 changed bases, each once; {len(self.providers.posts)} requests, as expected")
        self.expect(len(self.jobs("analyze", "--image=own")) == 1, "commits of state started an analysis")
        self.log.shown("own: its source is the repository of state, and no commit of state started an analysis")
        decisions = yaml.safe_load(self.terminal("plan", "--format", "json"))["decisions"]
        self.expect({d["action"] for d in decisions} == {"none"}, f"{[d for d in decisions if d['action'] != 'none']}")
        self.terminal("synth", "--check")
        self.log.shown("plan has nothing to do; dist/ is what state says")
        odd = [f"{' '.join(self.kubelet.argv[n][:2])} {what}" for n, what in self.kubelet.taken.items() if what != "succeeded"]
        self.expect(odd == ["rebuild gone failed"], f"Jobs: {odd}")
        self.log.shown(f"{len(self.kubelet.taken)} Jobs, of which the refused one failed; {len(self.world.subjects())} commits")
