#!/usr/bin/env python3
"""What `image-factory discover` does, as a script of an afternoon would do it.

    discover.py ROOT [--libyaml]

Reads images.yaml and the Dockerfiles of this one repository with dockerfile-parse,
merges with what state/ holds, writes the files that differ. No places in errors, no
lifecycle, no name clashes, no BuildKit rules beyond what the library knows.
"""

import datetime
import io
import pathlib
import re
import sys

import yaml
from dockerfile_parse import DockerfileParser

# PyYAML's own parser unless it is told to use the one in C, which few scripts do.
LIBYAML = "--libyaml" in sys.argv
Loader = yaml.CSafeLoader if LIBYAML else yaml.SafeLoader
Dumper = yaml.CSafeDumper if LIBYAML else yaml.SafeDumper
NOW = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
RUNTIME = {"enrolledAt", "lastDiscovery", "currentVersion", "currentDigest", "lastBuilt", "rebuildState"}


def split(reference):
    name, _, tag = reference.rpartition(":") if ":" in reference.rpartition("/")[2] else (reference, "", "latest")
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, rest, tag
    return "docker.io", name if slash else f"library/{name}", tag


def normalise(reference):
    segments = reference.split("/")
    return re.sub("[:/]", "-", "/".join(segments[1:] if len(segments) == 3 else segments))


def load(folder):
    return {f.stem: yaml.load(f.read_text(), Loader) for f in sorted(folder.glob("*.yaml"))}


def store(folder, old, new):
    folder.mkdir(parents=True, exist_ok=True)
    for name, state in new.items():
        if old.get(name) != state:
            text = yaml.dump(state, Dumper=Dumper, sort_keys=False)
            (folder / f"{name}.yaml").write_text("# Generated\n" + text)


def bases_of(path):
    parser = DockerfileParser(fileobj=io.BytesIO(path.read_bytes()))
    stages = {"scratch"}
    for instruction in parser.structure:
        words = instruction["value"].split()
        if instruction["instruction"] == "FROM" and len(words) > 2 and words[-2].upper() == "AS":
            stages.add(words[-1])
    return sorted(set(parser.parent_images) - stages)


def image_state(entry, bases, old):
    source = entry.get("source")
    copy = {key: entry[key] for key in ("registry", "repository", "source", "rebuildDelay", "autoRebuild") if key in entry}
    state = {"name": entry["name"], "enrolledAt": NOW, "lastDiscovery": NOW if source else None}
    state |= {"discoveryStatus": "success" if source else "external", "enrollment": copy}
    if not source:
        state["repoURL"] = f"{entry['registry']}/{entry['repository']}"
        state |= {key: entry[key] for key in ("allowTags", "constraint", "imageSelectionStrategy") if key in entry}
    state["baseImages"] = sorted(normalise(base) for base in bases)
    state |= {"currentVersion": None, "currentDigest": None, "lastBuilt": None}
    if source:
        state["rebuildState"] = {"status": "monitoring", "pendingRebuild": False}
    return state | {key: value for key, value in old.items() if key in RUNTIME}


def base_state(reference, dependents, old):
    registry, repository, tag = split(reference)
    state = {"name": normalise(reference), "fullImage": reference, "registry": registry, "repository": repository}
    state |= {"tag": tag, "repoURL": f"{registry}/{repository}", "allowTags": f"^{re.escape(tag)}$"}
    state |= {"imageSelectionStrategy": "Lexical", "firstDiscovered": NOW, "lastChecked": NOW}
    state |= {"dependentImages": sorted(dependents), "currentDigest": None, "lastUpdated": None}
    state |= {"previousDigest": None, "metadata": {}, "updateHistory": []}
    kept = ("firstDiscovered", "lastChecked", "currentDigest", "lastUpdated", "previousDigest", "metadata", "updateHistory")
    return state | {key: old[key] for key in kept if key in old}


def main():
    root = pathlib.Path(sys.argv[1])
    entries = yaml.load((root / "images.yaml").read_text(), Loader)["images"]
    images, bases = load(root / "state/images"), load(root / "state/base-images")
    new_images, dependents = {}, {}
    for entry in entries:
        found = bases_of(root / entry["source"]["dockerfile"]) if entry.get("source") else []
        new_images[entry["name"]] = image_state(entry, found, images.get(entry["name"], {}))
        for reference in found:
            dependents.setdefault(reference, set()).add(entry["name"])
    new_bases = {normalise(r): base_state(r, names, bases.get(normalise(r), {})) for r, names in dependents.items()}
    store(root / "state/images", images, new_images)
    store(root / "state/base-images", bases, new_bases)


main()
