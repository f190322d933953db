#!/usr/bin/env python3
"""Makes a factory of N images to measure with: images.yaml and state/.

    generate.py N DIR [--seed S]

The same N and seed give the same bytes. The mix is that of a platform team:
95 of 100 images are managed, 5 are external; 1,000 images stand on some 118
base images, most of them upstream's, some our own; GitHub and GitLab, several
registries, 1 to 3 bases an image, a few delays. Only Python's standard library
is used, so YAML is written by hand here: every text below is known to be plain
in YAML, or stands in quotes.
"""

import argparse
import itertools
import pathlib
import random
import re
from dataclasses import dataclass, field

# Upstream's repositories as a FROM spells them, and their tags.
UPSTREAM = [
    ("node", ["{v}-bookworm-slim", "{v}-alpine", "{v}-bookworm"], range(16, 26)),
    ("python", ["3.{v}-slim", "3.{v}-alpine", "3.{v}-slim-bookworm"], range(8, 15)),
    ("golang", ["1.{v}-alpine", "1.{v}-bookworm", "1.{v}"], range(18, 27)),
    ("eclipse-temurin", ["{v}-jre", "{v}-jdk-alpine", "{v}-jre-noble"], range(11, 26)),
    ("nginx", ["1.{v}-alpine", "1.{v}-alpine-slim", "1.{v}"], range(20, 32)),
    ("debian", ["bookworm-2026{v}", "trixie-2026{v}-slim"], range(1001, 1031)),
    ("alpine", ["3.{v}", "3.{v}.1"], range(14, 24)),
    ("ubuntu", ["{v}.04", "noble-2026{v}"], range(18, 26)),
    ("rust", ["1.{v}-slim", "1.{v}-alpine"], range(70, 96)),
    ("ruby", ["3.{v}-slim", "3.{v}-alpine"], range(0, 6)),
    ("php", ["8.{v}-fpm-alpine", "8.{v}-apache"], range(0, 6)),
    ("bitnami/postgresql", ["{v}", "{v}-debian-12"], range(12, 19)),
    ("gcr.io/distroless/static-debian12", ["nonroot", "debug-nonroot", "latest"], [0]),
    ("gcr.io/distroless/java21-debian12", ["nonroot", "debug-nonroot", "latest"], [0]),
    ("gcr.io/distroless/python3-debian12", ["nonroot", "debug-nonroot", "latest"], [0]),
    ("mcr.microsoft.com/dotnet/aspnet", ["{v}.0", "{v}.0-alpine", "{v}.0-noble-chiseled"], range(6, 12)),
    ("mcr.microsoft.com/playwright", ["v1.{v}.0-noble", "v1.{v}.0-jammy"], range(40, 58)),
    ("registry.access.redhat.com/ubi9/ubi", ["9.{v}"], range(0, 8)),
    ("registry.access.redhat.com/ubi9/ubi-minimal", ["9.{v}"], range(0, 8)),
    ("registry.access.redhat.com/ubi9/nodejs-22", ["9.{v}"], range(0, 8)),
    ("quay.io/keycloak/keycloak", ["26.{v}"], range(0, 6)),
    ("quay.io/prometheus/busybox", ["latest", "glibc", "musl"], [0]),
]
# What is enrolled as external: repository, watch.
EXTERNAL = [
    ("docker.io/library/postgres", {"allowTags": "^{v}-alpine$", "imageSelectionStrategy": "Lexical"}),
    ("docker.io/library/redis", {"allowTags": "^{v}-alpine$", "imageSelectionStrategy": "Lexical"}),
    ("quay.io/minio/minio", {"allowTags": r"^RELEASE\.20{v}-.*Z$", "imageSelectionStrategy": "Lexical"}),
    ("docker.io/grafana/grafana", {"constraint": "^{v}.0.0", "imageSelectionStrategy": "SemVer"}),
    ("registry.k8s.io/ingress-nginx/controller", {"allowTags": r"^v{v}\.[0-9]+\.[0-9]+$", "imageSelectionStrategy": "SemVer"}),
    ("docker.io/hashicorp/vault", {"allowTags": r"^1\.{v}\.[0-9]+$", "imageSelectionStrategy": "NewestBuild"}),
]
REGISTRIES = ["ghcr.io", "ghcr.io", "ghcr.io", "quay.io", "registry.gitlab.com", "registry.example.com:5000"]
TEAMS = ["shop", "search", "billing", "identity", "mobile", "data", "edge", "ops", "media", "growth"]
PARTS = ["api", "worker", "web", "gateway", "cron", "indexer", "proxy", "admin", "sync", "mailer"]
DELAYS = ["7d", "7d", "7d", "14d", "3d", "30d", "24h", "12h"]


@dataclass
class Base:
    """One image reference that Dockerfiles name."""

    full: str
    repository: str
    registry: str
    tag: str
    managed: str | None = None
    dependents: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The host goes if the reference has exactly three segments."""
        segments = self.full.split("/")
        kept = segments[1:] if len(segments) == 3 else segments
        return re.sub("[:/]", "-", "/".join(kept))


@dataclass
class Image:
    """One entry of images.yaml."""

    name: str
    registry: str
    repository: str
    source: dict[str, str]
    watch: dict[str, str]
    delay: str
    automatic: bool
    bases: list[Base] = field(default_factory=list)
    version: str = ""


def digest(rng: random.Random) -> str:
    return f"sha256:{rng.getrandbits(256):064x}"


def time(rng: random.Random, month: int) -> str:
    day, hour, minute, second = rng.randint(1, 28), rng.randrange(24), rng.randrange(60), rng.randrange(60)
    return f"2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"


def upstream_bases(count: int, rng: random.Random) -> list[Base]:
    """`count` references of third parties, spread over all repositories."""
    columns = []
    for repository, tags, versions in UPSTREAM:
        column = [(repository, t.format(v=v)) for v, t in itertools.product(versions, tags)]
        rng.shuffle(column)
        columns.append(column)
    rows = [pair for row in itertools.zip_longest(*columns) for pair in row if pair]
    # More than there are real tags: rebuilt ones, as vendors number them.
    more = ((r, f"{t}-r{n}") for n in itertools.count(1) for r, t in rows)
    bases = []
    for spelled, tag in itertools.islice(itertools.chain(rows, more), count):
        host, _, path = spelled.partition("/")
        if "." in host:
            registry, repository = host, path
        else:
            registry, repository = "docker.io", spelled if path else f"library/{spelled}"
        bases.append(Base(f"{spelled}:{tag}", repository, registry, tag))
    return bases


def managed_image(number: int, rng: random.Random) -> Image:
    team, part = TEAMS[number % 10], PARTS[number // 10 % 10]
    name = f"{team}-{part}-{number:05}"
    registry = rng.choice(REGISTRIES)
    gitlab = rng.random() < 0.3
    monorepo = rng.random() < 0.7
    owner = f"acme/{team}" if gitlab else "acme"
    source = {
        "provider": "gitlab" if gitlab else "github",
        "repo": f"{owner}/{team}-platform" if monorepo else f"{owner}/{name}",
        "branch": "main" if rng.random() < 0.9 else "release/stable",
        "dockerfile": f"apps/{name}/Dockerfile" if monorepo else "docker/Dockerfile",
    }
    source |= {"pipeline": ".gitlab-ci.yml"} if gitlab else {"workflow": f"{name}.yml"}
    automatic = rng.random() < 0.9
    return Image(name, registry, f"acme/{name}", source, {}, rng.choice(DELAYS), automatic)


def external_image(number: int, rng: random.Random) -> Image:
    where, watch = EXTERNAL[number % len(EXTERNAL)]
    registry, _, repository = where.partition("/")
    version = 10 + number // len(EXTERNAL)
    watch = {k: v.replace("{v}", str(version)) for k, v in watch.items()}
    name = f"{repository.rpartition('/')[2]}-{version}-{number:05}"
    # Each its own repository: one team, one mirror.
    return Image(name, registry, f"{repository}-{number:05}", {}, watch, "30d", False)


def factory(count: int, rng: random.Random) -> tuple[list[Image], list[Base]]:
    """`count` images and the bases they stand on."""
    outside = round(count * 0.05)
    images = [managed_image(n, rng) for n in range(count - outside)]
    wanted = max(3, round(count * 0.118))
    own = max(1, round(wanted * 0.06))
    bases = upstream_bases(wanted - own, rng)

    # The first images are platform images, which others stand on.
    platform = []
    for image in images[:own]:
        image.registry, image.version = "ghcr.io", f"1.{rng.randrange(20)}.{rng.randrange(10)}"
        reference = f"{image.registry}/{image.repository}:{image.version}"
        platform.append(Base(reference, image.repository, image.registry, image.version, image.name))
    for base in bases + platform:
        base.digests = [digest(rng) for _ in range(rng.choice([1, 1, 2, 2, 3, 4]))]

    for position, image in enumerate(images):
        image.version = image.version or f"{rng.randrange(1, 9)}.{rng.randrange(20)}.{rng.randrange(10)}"
        # Every upstream base has a dependent, then chance decides.
        image.bases = [bases[position % len(bases)]]
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            pool = platform if position >= own and rng.random() < 0.25 else bases
            image.bases.append(rng.choice(pool))
        if own <= position < 2 * own:
            image.bases[-1] = platform[position - own]
        image.bases = sorted({b.name: b for b in image.bases}.values(), key=lambda b: b.name)
        for base in image.bases:
            base.dependents.append(image.name)
    images += [external_image(n, rng) for n in range(outside)]
    used = [b for b in bases + platform if b.dependents]
    return images, sorted(used, key=lambda b: b.name)


def enrollment(image: Image, indent: str) -> list[str]:
    """The lines that images.yaml and the copy in state have in common."""
    lines = [f"registry: {image.registry}", f"repository: {image.repository}"]
    if image.source:
        lines.append("source:")
        lines += [f"  {key}: {value}" for key, value in image.source.items()]
    return [indent + line for line in lines]


def policy(image: Image, indent: str) -> list[str]:
    automatic = str(image.automatic).lower()
    return [f"{indent}rebuildDelay: {image.delay}", f"{indent}autoRebuild: {automatic}"]


def images_yaml(images: list[Image]) -> str:
    lines = ["settings:", "  git:", "    repo: https://github.com/acme/image-factory-state", "images:"]
    for image in images:
        lines.append(f"  - name: {image.name}")
        lines += enrollment(image, "    ")
        lines += [f"    {key}: {value}" for key, value in image.watch.items()]
        lines += policy(image, "    ")
    return "\n".join(lines) + "\n"


def image_state(image: Image, rng: random.Random) -> str:
    lines = ["# Generated by image-factory; runtime fields are its memory, do not edit by hand."]
    lines += [f"# Image: {image.name}", f"name: {image.name}", f'enrolledAt: "{time(rng, 1)}"']
    if not image.source:
        lines += ["lastDiscovery: null", "discoveryStatus: external", "enrollment:"]
        lines += enrollment(image, "  ") + policy(image, "  ")
        lines += ["# Warehouse configuration", f"repoURL: {image.registry}/{image.repository}"]
        lines += [f"{key}: {value}" for key, value in image.watch.items()]
        lines += ["baseImages: []", "currentVersion: null"]
        lines += [f'currentDigest: "{digest(rng)}"', "lastBuilt: null"]
        return "\n".join(lines) + "\n"
    lines += [f'lastDiscovery: "{time(rng, 10)}"', "discoveryStatus: success", "enrollment:"]
    lines += enrollment(image, "  ") + policy(image, "  ")
    lines += ["baseImages:"] + [f"  - {base.name}" for base in image.bases]
    lines += [f'currentVersion: "{image.version}"', f'currentDigest: "{digest(rng)}"']
    lines += [f'lastBuilt: "{time(rng, 11)}"', "builtFrom:"]
    lines += [f'  {base.name}: "{base.digests[-1]}"' for base in image.bases]
    lines += ["rebuildState:", "  status: monitoring", "  pendingRebuild: false"]
    if rng.random() < 0.3:
        base = image.bases[0]
        lines += ["rebuildHistory:", f'  - at: "{time(rng, 11)}"', f"    attempt: {rng.getrandbits(64):016x}a"]
        lines += [f"    trigger: {image.source['provider']}", "    reasons:", f"      - base-changed {base.name}"]
        lines += ["    outcome: succeeded", f"    link: https://ci.example.com/runs/{rng.getrandbits(32)}"]
    return "\n".join(lines) + "\n"


def base_state(base: Base, rng: random.Random) -> str:
    url = f"{base.registry}/{base.repository}"
    lines = ["# Generated by image-factory; runtime fields are its memory, do not edit by hand."]
    lines += [f"# Base image: {base.full}", f"name: {base.name}", f"fullImage: {base.full}"]
    lines += [f"registry: {base.registry}", f"repository: {base.repository}", f'tag: "{base.tag}"']
    escaped = base.tag.replace(".", r"\.")
    lines += ["# Warehouse configuration", f"repoURL: {url}", f"allowTags: ^{escaped}$"]
    lines += ["imageSelectionStrategy: Lexical", f'firstDiscovered: "{time(rng, 1)}"']
    lines += [f'lastChecked: "{time(rng, 11)}"', "dependentImages:"]
    lines += [f"  - {name}" for name in sorted(base.dependents)]
    changes = list(itertools.pairwise(base.digests))
    lines += [f'currentDigest: "{base.digests[-1]}"']
    lines += [f'lastUpdated: "{time(rng, 10)}"' if changes else "lastUpdated: null"]
    lines += [f'previousDigest: "{changes[-1][0]}"' if changes else "previousDigest: null"]
    lines += ["metadata:", "  architecture: amd64", "  os: linux", f"  size: {rng.randrange(10**6, 10**9)}"]
    lines += [f'  created: "{time(rng, 10)}"', "  labels:", f"    org.opencontainers.image.version: \"{base.tag}\""]
    lines += ["updateHistory:" if changes else "updateHistory: []"]
    for month, (old, new) in enumerate(changes, start=6):
        lines += [f'  - at: "{time(rng, month)}"', f'    from: "{old}"', f'    to: "{new}"']
    if base.managed:
        lines.append(f"managedImage: {base.managed}")
    return "\n".join(lines) + "\n"


def main() -> None:
    arguments = argparse.ArgumentParser(description="Makes a factory of N images to measure with.")
    arguments.add_argument("count", type=int, metavar="N")
    arguments.add_argument("dir", type=pathlib.Path, metavar="DIR")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    rng = random.Random(given.seed)
    images, bases = factory(given.count, rng)
    for folder in ("state/images", "state/base-images"):
        (given.dir / folder).mkdir(parents=True, exist_ok=True)
    files = {"images.yaml": images_yaml(images)}
    files |= {f"state/images/{image.name}.yaml": image_state(image, rng) for image in images}
    files |= {f"state/base-images/{base.name}.yaml": base_state(base, rng) for base in bases}
    for path, text in files.items():
        (given.dir / path).write_text(text, encoding="utf-8", newline="\n")
    size = sum(len(text) for text in files.values())
    print(f"{len(images)} images, {len(bases)} bases, {len(files)} files, {size} bytes in {given.dir}")


if __name__ == "__main__":
    main()
