"""The same manifests as synth, by templates; only to measure against.

    synth.py ROOT OUT
"""

import pathlib
import re
import sys

import jinja2
import yaml

HERE = pathlib.Path(__file__).parent
FILES = ["image-factory.k8s.yaml", "managed-images.k8s.yaml", "automation.k8s.yaml"]


def read(path):
    with open(path, "rb") as file:
        return yaml.load(file, Loader=yaml.CSafeLoader)


def read_folder(folder):
    paths = sorted(p for p in folder.glob("*.yaml") if not p.name.endswith(".example.yaml"))
    return [read(path) for path in paths]


def duration(text):
    """As Go writes it, which is what the API server stores."""
    minutes = int(text[:-1]) * {"d": 1440, "h": 60, "m": 1}[text[-1]]
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m0s" if hours else f"{minutes}m0s"


def literal_tag(pattern):
    """The tag that a pattern like ^3\\.12-slim$ stands for, if it stands for one."""
    found = re.fullmatch(r"\^((?:[A-Za-z0-9_-]|\\\.)+)\$", pattern or "")
    return found and found[1].replace("\\.", ".")


def app_folder(dockerfile):
    """The folder of the app that a Dockerfile belongs to."""
    parts = dockerfile.split("/")
    if len(parts) == 1:
        return "glob:**"
    return f"apps/{parts[1]}/" if parts[0] == "apps" and len(parts) > 2 else f"{parts[0]}/"


def is_managed(image):
    return bool((image.get("source") or {}).get("repo"))


def main():
    root, out = (pathlib.Path(argument) for argument in sys.argv[1:])
    enrolled = read(root / "images.yaml")
    bases = read_folder(root / "state/base-images")
    images = enrolled["images"]
    managed = [image for image in images if is_managed(image)]
    values = {
        "project": "image-factory-kargo",
        "git": {"branch": "main", **enrolled["settings"]["git"]},
        "managed": managed,
        "external": [image for image in images if not is_managed(image)],
        "providers": {image["source"].get("provider", "github") for image in managed},
        "states": {state["name"]: state for state in read_folder(root / "state/images")},
        "bases": {base["name"]: base for base in bases},
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
        # Kargo's own expressions are ${{ … }}.
        variable_start_string="<<",
        variable_end_string=">>",
    )
    environment.filters |= {"app_folder": app_folder, "duration": duration, "literal_tag": literal_tag}
    out.mkdir(parents=True, exist_ok=True)
    for file in [*FILES, "kustomization.yaml"]:
        text = environment.get_template(file + ".j2").render(values)
        (out / file).write_text(text, encoding="utf-8")


main()
