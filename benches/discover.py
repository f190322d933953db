#!/usr/bin/env python3
"""Holds `image-factory discover` against a Python script that does the same.

    discover.py [--sizes 1000,10000] [--runs 5] [--python-limit 1000] [--scratch target/bench-discover]

Makes a factory of N images (benches/generate.py's mix) whose Dockerfiles lie in its
own repository, so that no network is measured, and runs all programs in turn: into
an empty state folder (fresh), and again with nothing to learn (repeat). The script is
benches/peers/dockerfile-parse. `read` is what reading the same files once costs.
"""

import argparse
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys

import generate
from side_by_side import HERE, PEERS, ROOT, measure, quiet

BUILD = {
    "node": "RUN --mount=type=cache,target=/root/.npm npm ci --no-audit \\\n && npm run build --if-present",
    "python": "RUN python -m venv /venv \\\n && /venv/bin/pip install --no-cache-dir -r requirements.txt",
    "golang": "RUN --mount=type=cache,target=/go/pkg/mod \\\n    CGO_ENABLED=0 go build -trimpath -o /out/app ./cmd/app",
}
OTHER = 'RUN set -eux; \\\n    if [ -f setup.sh ]; then sh setup.sh; fi; \\\n    mkdir -p /out && cp -r . /out'
SETUP = """RUN <<EOT
set -e
echo "service:x:1000:1000::/srv:/sbin/nologin" >> /etc/passwd
mkdir -p /srv
EOT
"""


def dockerfile(image: generate.Image, rng: random.Random) -> str:
    """A Dockerfile as teams write them: stages, arguments, comments, long RUN lines."""
    text = ["# syntax=docker/dockerfile:1", f"# {image.name}: built and pushed by its workflow.", ""]
    *builders, last = image.bases
    argument = rng.random() < 0.4
    if argument:
        name, _, tag = last.full.rpartition(":")
        text += [f"ARG BASE_TAG={tag}", ""]
    for number, base in enumerate(builders):
        kind = next((k for k in BUILD if base.full.startswith(k + ":")), "")
        text += [f"FROM --platform=linux/amd64 {base.full} AS build{number}", "WORKDIR /src"]
        text += ["COPY package*.json requirements*.txt go.* ./", BUILD.get(kind, OTHER), "COPY . .", ""]
    text.append(f"FROM {name}:${{BASE_TAG}} AS runtime" if argument else f"from {last.full} as runtime")
    text += ['LABEL org.opencontainers.image.title="' + image.name + '" \\', "      team=acme", ""]
    if rng.random() < 0.2:
        text.append(SETUP)
    text += [f"COPY --from=build{number} /out /srv/part{number}" for number in range(len(builders))]
    text += ["ENV PORT=8080 \\", "    # where it listens", "    LOG=info", "USER 1000", "EXPOSE 8080"]
    text += ['CMD ["/srv/part0/app"]', "", "FROM runtime", 'HEALTHCHECK CMD ["/srv/part0/app", "--health"]', ""]
    return "\n".join(text)


def factory(count: int, folder: pathlib.Path) -> None:
    rng = random.Random(1)
    images, _ = generate.factory(count, rng)
    for image in images:
        if image.source:
            source = {"provider": "github", "repo": "acme/image-factory-state", "branch": "main"}
            image.source = source | {"dockerfile": f"apps/{image.name}/Dockerfile"}
            path = folder / image.source["dockerfile"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dockerfile(image, rng))
    (folder / "images.yaml").write_text(generate.images_yaml(images))


READ = """
import pathlib, sys
for path in pathlib.Path(sys.argv[1]).rglob("*"):
    if path.is_file(): path.read_bytes()
"""


def found(root: pathlib.Path, python: str) -> str:
    """Every image with its bases, by what stands in state/."""
    script = (
        "import pathlib, sys, yaml\n"
        "for f in sorted(pathlib.Path(sys.argv[1]).glob('state/images/*.yaml')):\n"
        "    state = yaml.safe_load(f.read_text())\n"
        "    print(state['name'], state['discoveryStatus'], state['baseImages'])\n"
    )
    return subprocess.run([python, "-c", script, root], text=True, capture_output=True, check=True).stdout


def main() -> None:
    arguments = argparse.ArgumentParser(description="Holds discover against a Python script.")
    arguments.add_argument("--sizes", default="1000,10000")
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--python-limit", type=int, default=1000, metavar="N", help="most images for the script")
    arguments.add_argument("--scratch", type=pathlib.Path, default=ROOT / "target/bench-discover")
    given = arguments.parse_args()
    scratch = given.scratch.resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    quiet(["cargo", "build", "--release", "--locked", "--bin", "image-factory"], cwd=ROOT)
    program = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release/image-factory"
    venv = scratch / "venv"
    if not (venv / "done").exists():
        quiet([sys.executable, "-m", "venv", "--clear", venv])
        quiet([venv / "bin/pip", "install", "-q", "-r", PEERS / "dockerfile-parse/requirements.txt"])
        (venv / "done").touch()
    python = str(venv / "bin/python")
    script = str(PEERS / "dockerfile-parse/discover.py")
    programs = {
        "discover": [str(program), "discover", "--root", "ROOT"],
        "Python script": [python, script, "ROOT"],
        "Python script, libyaml": [python, script, "ROOT", "--libyaml"],
        "read": [python, "-c", READ, "ROOT"],
    }

    for size in map(int, given.sizes.split(",")):
        roots = {}
        for name in programs:
            roots[name] = scratch / f"{name.replace(' ', '-')}-{size}"
            shutil.rmtree(roots[name], ignore_errors=True)
            factory(size, roots[name])
        fresh, repeat = {}, {}
        for _ in range(given.runs):
            for name, command in programs.items():
                if name.startswith("Python script") and size > given.python_limit:
                    continue
                run = [str(roots[name]) if word == "ROOT" else word for word in command]
                if name != "read":
                    shutil.rmtree(roots[name] / "state", ignore_errors=True)
                fresh.setdefault(name, []).append(measure(run))
                repeat.setdefault(name, []).append(measure(run))
        if "Python script" in fresh:
            ours = found(roots["discover"], python)
            same = all(found(root, python) == ours for name, root in roots.items() if name.startswith("Python"))
            print(f"{size} images: {'the same bases in both' if same else 'THE RESULTS DIFFER'}")
            if not same:
                sys.exit(1)
        print(f"\n### {size:,} images\n\n| | fresh, CPU | repeat, CPU | repeat, wall clock | fresh / discover |")
        print("| --- | ---: | ---: | ---: | ---: |")
        own = min(cpu for cpu, _, _ in fresh["discover"])
        for name in fresh:
            least = min(cpu for cpu, _, _ in fresh[name])
            again = min(cpu for cpu, _, _ in repeat[name])
            wall = statistics.median(wall for _, wall, _ in repeat[name])
            cells = [name, f"{least * 1e3:,.1f} ms", f"{again * 1e3:,.1f} ms", f"{wall * 1e3:,.1f} ms", f"{least / own:,.1f}"]
            print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
