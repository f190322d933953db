"""Reads what our emitter wrote with PyYAML and kubectl and compares it with the JSON it was written from.

usage: yaml_readers.py FOLDER    (with hazards.yaml and hazards.json in it)
"""

import json
import shutil
import subprocess
import sys


def compare(reader, found, expected):
    wrong = [
        (want["spec"]["value"], got)
        for want, got in zip(expected, found, strict=True)
        if want != got
    ]
    for text, got in wrong[:5]:
        print(f"{reader} misreads {json.dumps(text)}: {json.dumps(got, default=str)[:2000]}")
    if wrong:
        sys.exit(f"{reader}: {len(wrong)} of {len(expected)} misread")
    print(f"{reader}: all {len(expected)} read back the same")


def by_pyyaml(folder, expected):
    try:
        import yaml
    except ImportError:
        print("skip: no PyYAML (pip install pyyaml)")
        return
    with open(f"{folder}/hazards.yaml", encoding="utf-8", newline="") as file:
        compare(f"PyYAML {yaml.__version__}", list(yaml.safe_load_all(file)), expected)


def by_kubectl(folder, expected):
    if shutil.which("kubectl") is None:
        print("skip: no kubectl")
        return
    # An empty patch of local files needs no server, and its JSON is what kubectl understood.
    # (kubectl kustomize would not do: it writes YAML in between, and fails on its own U+007F.)
    command = ["kubectl", "patch", "--local", "-f", f"{folder}/hazards.yaml"]
    patched = subprocess.run(
        [*command, "--type=merge", "-p", "{}", "-o", "json"],
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    if patched.returncode != 0:
        sys.exit(f"kubectl refuses what we wrote: {patched.stderr[:2000]}")
    decoder, found, at = json.JSONDecoder(), [], 0
    text = patched.stdout
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        found.extend(value["items"] if value.get("kind") == "List" else [value])
        while at < len(text) and text[at].isspace():
            at += 1
    compare("kubectl", found, expected)


def main():
    folder = sys.argv[1]
    with open(f"{folder}/hazards.json", encoding="utf-8") as file:
        expected = json.load(file)
    by_pyyaml(folder, expected)
    by_kubectl(folder, expected)


if __name__ == "__main__":
    main()
