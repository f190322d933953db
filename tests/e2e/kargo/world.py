"""The factory under test, and the world around it: repositories and images."""

import dataclasses
import datetime
import pathlib
import subprocess
import sys
import tempfile

import yaml

PUSH = pathlib.Path(__file__).parent.parent / "registry_push.py"


@dataclasses.dataclass(frozen=True)
class Image:
    """A managed image: the folder of its name in apps.git, built by NAME.yml."""

    name: str
    base: str
    delay: str
    lines: str = ""  # more of its entry
    source: str = ""  # more of its source
    repo: str = "acme/apps"
    git: str = "apps"


SEMVER = "\n    allowTags: ^\\d+\\.\\d+\\.\\d+$"
UPDATES = "\n    updates:\n      - {{repo: {git}/deploy.git, path: fast, type: kustomize-set-image}}"
IMAGES = [
    # On one base with different delays; consumers of the first follow it.
    Image("fast", "library/node:22", "1m", UPDATES),
    Image("slow", "library/node:22", "2m"),
    Image("lab", "library/node:22", "1m", source="\n      provider: gitlab", repo="acme/lab", git="lab"),
    # Only a person starts it.
    Image("manual", "library/node:22", "0d", "\n    autoRebuild: false"),
    # An image of ours on an image of ours.
    Image("parent", "library/debian:12", "0d", SEMVER),
    Image("child", "acme/parent:1", "7d"),
    # Each of them meets another misfortune.
    Image("busy", "library/debian:12", "0d"),
    Image("gone", "library/debian:12", "0d"),
    Image("terse", "library/debian:12", "0d"),
    Image("silent", "library/debian:12", "0d"),
    Image("deaf", "library/debian:12", "0d"),
    # Its source is the repository that state is committed to.
    Image("own", "library/alpine:3", "0d", repo="acme/factory", git="factory"),
]
BASES = ["library/node:22", "library/debian:12", "library/alpine:3", "library/cache:7-alpine"]


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    def __init__(self, scratch: pathlib.Path, git_url: str, password: str, registry: str, providers):
        self.scratch, self.git_url, self.registry, self.providers = scratch, git_url, registry, providers
        self.repos = scratch / "repos"
        self.builds: dict[str, int] = {}
        self.password = password

    # Git.

    def git(self, repository: str, *words: str, text: str | None = None) -> str:
        command = ["git", "-C", str(self.repos / f"{repository}.git"), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, input=text).stdout

    def make_repositories(self) -> None:
        dockerfiles: dict[str, dict[str, str]] = {"apps": {}, "lab": {}, "factory": {"images.yaml": self.images_yaml()}}
        for image in IMAGES:
            dockerfiles[image.git][f"{image.name}/Dockerfile"] = f"FROM {self.registry}/{image.base}\nCOPY . /app\n"
        dockerfiles["deploy"] = {
            "fast/kustomization.yaml": f"resources: []\nimages:\n- name: {self.registry}/acme/fast\n  newTag: 1.0.0\n"
        }
        for name, files in dockerfiles.items():
            repository = self.repos / f"{name}.git"
            repository.mkdir(parents=True)
            self.git(name, "init", "--quiet", "--bare", "--initial-branch=main")
            for setting in ("http.receivepack", "uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
                self.git(name, "config", setting, "true")
            self.push_files(name, files, "Begin")

    def push_files(self, name: str, files: dict[str, str], message: str) -> None:
        """A commit of somebody who has a clone of their own."""
        identity = ["-c", "user.name=Person", "-c", "user.email=person@example.com"]
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["git", "clone", "--quiet", str(self.repos / f"{name}.git"), folder], check=True, capture_output=True)
            for path, text in files.items():
                (pathlib.Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (pathlib.Path(folder) / path).write_text(text)
            for words in (["add", "--all"], [*identity, "commit", "--quiet", "-m", message], ["push", "--quiet", "origin", "HEAD:main"]):
                subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)

    def images_yaml(self) -> str:
        git, stub = self.git_url, self.providers
        text = f"""\
settings:
  project: acme-images
  git: {{repo: {git}/factory.git}}
  intervals: {{base: 24h, external: 24h, managed: 5m}}
  providers:
    github: {{api: {stub.github}}}
    gitlab: {{api: {stub.gitlab}}}
  limits: {{concurrent: 20}}
images:
"""
        for image in IMAGES:
            text += f"""\
  - name: {image.name}
    registry: {self.registry}
    repository: acme/{image.name}
    rebuildDelay: {image.delay}{image.lines.format(git=git) if image.lines == UPDATES else image.lines}
    source:
      repo: {image.repo}
      url: {git}/{image.git}.git
      dockerfile: {image.name}/Dockerfile{image.source}
"""
        return text + f"  - {{name: cache, registry: '{self.registry}', repository: library/cache, allowTags: ^7-alpine$}}\n"

    def state(self, path: str) -> dict:
        """A state file as it stands on the branch; empty when there is none."""
        try:
            return yaml.safe_load(self.git("factory", "show", f"main:state/{path}.yaml")) or {}
        except subprocess.CalledProcessError:
            return {}

    def image_state(self, image: str) -> dict:
        return self.state(f"images/{image}")

    def base_state(self, base: str) -> dict:
        return self.state("base-images/" + base.replace("/", "-").replace(":", "-"))

    def history(self, image: str) -> list[dict]:
        return self.image_state(image).get("rebuildHistory") or []

    def subjects(self) -> list[str]:
        return self.git("factory", "log", "--format=%s", "main").splitlines()

    # The registry.

    def push(self, reference: str, note: str, created: str = "") -> str:
        """Pushes an image; each note makes another digest, which is returned."""
        repository, tag = reference.split(":")
        created = created or now()
        command = [sys.executable, str(PUSH), f"http://{self.registry}", repository, tag, note, "--created", created]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def build(self, image: str) -> tuple[str, str]:
        """What a workflow does: pushes the next version. Gives its tag and digest."""
        number = self.builds.get(image, -1) + 1
        self.builds[image] = number
        note = f"{image} {number}"
        created = now()
        if image == "parent":
            self.push("acme/parent:1", note, created)
        return f"1.0.{number}", self.push(f"acme/{image}:1.0.{number}", note, created)

    def make_images(self) -> None:
        for base in BASES:
            self.push(base, f"{base} first")
        for image in IMAGES:
            self.build(image.name)

    # Somebody else pushes to the factory's repository, just before the next push lands.

    def someone_is_faster(self) -> None:
        repository = self.repos / "factory.git"
        hook = repository / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"""\
#!/bin/sh
rm "$0" || exit 0
cat >/dev/null
run() {{ env -i PATH="$PATH" GIT_DIR={repository} GIT_AUTHOR_NAME=Person GIT_AUTHOR_EMAIL=person@example.com \\
    GIT_COMMITTER_NAME=Person GIT_COMMITTER_EMAIL=person@example.com git "$@"; }}
blob=$(echo 'pushed in between' | run hash-object -w --stdin)
tree=$( (run ls-tree main; printf '100644 blob %s\\tNOTES\\n' "$blob") | run mktree)
run update-ref refs/heads/main "$(run commit-tree -p main -m 'Pushed in between' "$tree")"
""")
        hook.chmod(0o755)
