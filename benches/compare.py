#!/usr/bin/env python3
"""Proves that two folders of manifests hold the same objects. Needs PyYAML.

    compare.py DIR OTHER

Every file by its name, every object by apiVersion, kind, namespace and name, every
field. What counts as no difference: the order of objects and of keys, comments.
Exit code 1 and the first differences on stderr if there are any.
"""

import pathlib
import sys

import yaml


def objects(folder: pathlib.Path) -> dict[tuple, dict]:
    """Every object by the file and what identifies it."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        for value in yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader):
            if value is None:
                continue
            metadata = value.get("metadata", {})
            identity = (path.name, value["apiVersion"], value["kind"], metadata.get("namespace"), metadata.get("name"))
            if identity in found:
                sys.exit(f"{folder}: twice {identity}")
            found[identity] = value
    return found


def differences(left: object, right: object, pointer: str) -> list[str]:
    """Where two values differ, as JSON pointers."""
    if isinstance(left, dict) and isinstance(right, dict):
        found = []
        for key in left.keys() | right.keys():
            place = f"{pointer}/{key}"
            if key not in left or key not in right:
                found.append(f"{place}: only in the {'first' if key in left else 'second'}")
            else:
                found += differences(left[key], right[key], place)
        return found
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right))
        return [found for at, (a, b) in pairs for found in differences(a, b, f"{pointer}/{at}")]
    if type(left) is not type(right) or left != right:
        return [f"{pointer}: {left!r} and {right!r}"]
    return []


def main() -> None:
    first, second = (objects(pathlib.Path(folder)) for folder in sys.argv[1:])
    found = [f"only in the first: {identity}" for identity in first.keys() - second.keys()]
    found += [f"only in the second: {identity}" for identity in second.keys() - first.keys()]
    for identity in sorted(first.keys() & second.keys(), key=str):
        found += [f"{identity} {line}" for line in differences(first[identity], second[identity], "")]
    if found or not first:
        print(*found[:40], f"{len(found)} differences", sep="\n", file=sys.stderr)
        sys.exit(1)
    print(f"the same {len(first)} objects")


main()
