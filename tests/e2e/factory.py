#!/usr/bin/env python3
"""Makes the repositories that the tests against real servers use.

    factory.py REPOS URL COUNT [--registry HOST:PORT]

REPOS/factory.git holds images.yaml with COUNT managed images whose Dockerfiles lie in
REPOS/apps.git, and one external image; both are bare, and served at URL/NAME.git.
"""

import argparse
import pathlib
import subprocess
import tempfile

DOCKERFILE = """\
ARG NODE=22-bookworm-slim
FROM {registry}/library/node:${{NODE}} AS build
RUN npm ci
FROM {registry}/library/base:{number}
COPY --from=build /app /app
"""


def git(folder: pathlib.Path, *words: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, stdout=subprocess.DEVNULL)


def bare(repos: pathlib.Path, name: str, files: dict[str, str]) -> None:
    repository = repos / f"{name}.git"
    repository.mkdir(parents=True)
    git(repository, "init", "--quiet", "--bare")
    for setting in ("http.receivepack", "uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        git(repository, "config", setting, "true")
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        git(work, "init", "--quiet")
        for path, text in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(text)
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--message", "Begin")
        git(work, "push", "--quiet", str(repository), "HEAD:main")


def images_yaml(url: str, count: int, registry: str) -> str:
    lines = ["settings:", "  git:", f"    repo: {url}/factory.git", "images:"]
    for number in range(count):
        lines += [f"  - name: app-{number:02}", f"    registry: {registry}", f"    repository: acme/app-{number:02}"]
        lines += ["    source:", "      repo: acme/apps", f"      url: {url}/apps.git"]
        lines += [f"      dockerfile: app-{number:02}/Dockerfile", "    rebuildDelay: 7d"]
    lines += ["  - name: cache", f"    registry: {registry}", "    repository: library/cache", "    allowTags: ^7-alpine$"]
    return "\n".join(lines) + "\n"


def main() -> None:
    arguments = argparse.ArgumentParser(description="Makes the repositories of the tests.")
    arguments.add_argument("repos", type=pathlib.Path)
    arguments.add_argument("url")
    arguments.add_argument("count", type=int)
    arguments.add_argument("--registry", default="registry.example.com")
    given = arguments.parse_args()
    apps = {
        f"app-{number:02}/Dockerfile": DOCKERFILE.format(number=number % 5, registry=given.registry)
        for number in range(given.count)
    }
    bare(given.repos, "apps", apps)
    bare(given.repos, "factory", {"images.yaml": images_yaml(given.url, given.count, given.registry)})


if __name__ == "__main__":
    main()
