"""Compares manifests with what an API server stored of them.

    stored.py MANIFESTS.yaml STORED.json

Every value written must be stored as it was written, or Argo CD would show the
object as out of sync for ever. Objects of custom resources must not gain a
field either: their defaults are to be written out, so that a file says all
that holds. (Kubernetes' own kinds get dozens of defaults that nobody writes.)
"""

import json
import sys
from pathlib import Path

from schemas import documents

# What an API server keeps about an object, rather than of it.
SERVER_SIDE = {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}


def differences(written, stored, pointer, exact):
    if isinstance(written, dict) and isinstance(stored, dict):
        for key, value in written.items():
            if key not in stored:
                yield f"{pointer}/{key}: written {value!r}, not stored"
            else:
                yield from differences(value, stored[key], f"{pointer}/{key}", exact)
        for key in stored.keys() - written.keys() if exact else ():
            yield f"{pointer}/{key}: not written, stored {stored[key]!r}"
    elif isinstance(written, list) and isinstance(stored, list) and len(written) == len(stored):
        for index, (ours, theirs) in enumerate(zip(written, stored)):
            yield from differences(ours, theirs, f"{pointer}/{index}", exact)
    elif written != stored:
        yield f"{pointer}: written {written!r}, stored {stored!r}"


def identity(document):
    metadata = document["metadata"]
    return (document["apiVersion"], document["kind"], metadata.get("namespace"), metadata["name"])


def trimmed(document):
    metadata = {key: value for key, value in document["metadata"].items() if key not in SERVER_SIDE}
    return {**{key: value for key, value in document.items() if key != "status"}, "metadata": metadata}


def main(manifests, stored):
    answer = json.loads(Path(stored).read_text(encoding="utf-8"))
    found = {identity(item): trimmed(item) for item in answer.get("items", [answer])}
    failures = objects = 0
    for document in documents(Path(manifests)):
        objects += 1
        name = f"{document['kind']}/{document['metadata']['name']}"
        custom = "k8s.io" not in document["apiVersion"] and "." in document["apiVersion"]
        theirs = found.get(identity(document))
        lines = ["not stored"] if theirs is None else differences(trimmed(document), theirs, "", custom)
        for line in lines:
            failures += 1
            print(f"FAIL {name} {line}")
    print(f"stored as written: {objects} objects, {failures} differences")
    return 1 if failures or not objects else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
