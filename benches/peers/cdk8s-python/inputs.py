"""Reads images.yaml and state/."""

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass
class Inputs:
    git: dict
    images: list[dict]
    image_states: dict[str, dict]
    bases: dict[str, dict]


def read(path: Path):
    with path.open("rb") as file:
        return yaml.load(file, Loader=yaml.CSafeLoader)


def read_folder(folder: Path) -> dict[str, dict]:
    paths = sorted(p for p in folder.glob("*.yaml") if not p.name.endswith(".example.yaml"))
    return {state["name"]: state for state in map(read, paths)}


def read_inputs(root: Path) -> Inputs:
    file = read(root / "images.yaml")
    return Inputs(
        git={"branch": "main", **file["settings"]["git"]},
        images=file["images"],
        image_states=read_folder(root / "state/images"),
        bases=read_folder(root / "state/base-images"),
    )


def is_managed(image: dict) -> bool:
    return bool((image.get("source") or {}).get("repo"))
