#!/usr/bin/env python3
"""Holds synth against other ways to write the same manifests, on this machine.

    side_by_side.py [--sizes 100,1000,10000] [--runs 5] [--scratch target/side-by-side]
                    [--python-limit 1000] [--only NAME,…] [--json FILE]

Builds synth and the floor (cargo build --release), installs the peers of
benches/peers with npm and pip below the scratch folder, proves with compare.py
that all of them write the same objects for 100 images, and then measures: all
programs in turn, again and again, so that whatever else the machine does falls
on all alike. CPU is user and system time of the process and its children (jsii
runs node), memory the largest resident set of any one of them. The least CPU of all
runs stands in the table, since other work on the machine can only add to it.

The compare step needs PyYAML and uses the jinja2 peer's.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = HERE / "peers"
JSII_WARNINGS = ["END_OF_LIFE", "UNTESTED", "DEPRECATED"]


@dataclass
class Program:
    """One way to write the manifests. `command` gets the root and the output folder."""

    name: str
    command: list[str]
    # The folder that synth wrote stays in place.
    in_sync: bool = False
    # One rebuildDelay of images.yaml is another than when that was written.
    edited: bool = False
    largest: int | None = None
    runs: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    resident: dict[int, int] = field(default_factory=dict)


def quiet(command: list, **options) -> None:
    """Runs a command whose output matters only if it fails."""
    done = subprocess.run([str(c) for c in command], text=True, capture_output=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def measure(command: list[str]) -> tuple[float, float, int]:
    """CPU and wall-clock seconds, and the largest resident set in KiB."""
    # Otherwise jsii prints a page whenever it finds a release of node that it does not know.
    environment = os.environ | {f"JSII_SILENCE_WARNING_{why}_NODE_VERSION": "1" for why in JSII_WARNINGS}
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    if status != 0:
        sys.exit(f"{' '.join(command)}\nended with status {status}:\n{errors.decode(errors='replace')}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss


def resident(command: list[str]) -> int:
    """The largest resident set in KiB, by GNU time where it is found: a process begins
    with that of the one that started it, and this program's own is not small."""
    if not (gnu_time := shutil.which("time")):
        return measure(command)[2]
    with tempfile.NamedTemporaryFile("r") as file:
        measure([gnu_time, "--quiet", "-f", "%M", "-o", file.name, *command])
        return int(file.read())


def install(scratch: pathlib.Path, limit: int) -> dict[str, Program]:
    """Builds and installs everything; what cannot be had is left out, and said."""
    quiet(["cargo", "build", "--release", "--locked", "--bin", "synth", "--example", "floor"], cwd=ROOT)
    release = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release"
    synth = str(release / "synth")
    # The diff of a first run is the whole output; as with the peers, nobody reads it.
    arguments = ["--diff", "none", "--root", "ROOT", "--out", "OUT"]
    programs = [
        Program("floor", [str(release / "examples/floor"), "ROOT", "OUT", "FILES"]),
        Program("synth", [synth, *arguments]),
        Program("synth, nothing to change", [synth, *arguments], in_sync=True),
        Program("synth --dry-run, one delay edited", [synth, "--dry-run", *arguments[2:]], in_sync=True, edited=True),
    ]

    # Copies, so that nothing installed or compiled lands in the tree.
    peers = scratch / "peers"
    shutil.copytree(PEERS, peers, dirs_exist_ok=True)
    python = {}
    for peer in ("jinja2", "cdk8s-python"):
        venv = scratch / f"venv-{peer}"
        if not (venv / "done").exists():
            quiet([sys.executable, "-m", "venv", "--clear", venv])
            quiet([venv / "bin/pip", "install", "-q", "-r", peers / peer / "requirements.txt"])
            (venv / "done").touch()
        python[peer] = str(venv / "bin/python")
    programs.append(Program("jinja2", [python["jinja2"], str(peers / "jinja2/synth.py"), "ROOT", "OUT"]))

    if shutil.which("npm"):
        typescript = peers / "cdk8s-typescript"
        quiet(["npm", "install", "--no-audit", "--no-fund"], cwd=typescript)
        quiet(["npm", "run", "build"], cwd=typescript)
        programs.append(Program("cdk8s TypeScript", ["node", str(typescript / "build/main.js"), "ROOT", "OUT"]))
        main = str(peers / "cdk8s-python/main.py")
        programs.append(Program("cdk8s Python", [python["cdk8s-python"], main, "ROOT", "OUT"], largest=limit))
    else:
        print("npm is not here: no cdk8s")
    return {program.name: program for program in programs}


def prepare(program: Program, root: pathlib.Path, outs: pathlib.Path) -> list[str]:
    """The command of one run, into an empty folder unless it is to find everything in place."""
    if program.in_sync:
        out = outs / "synth"
    else:
        out = outs / program.name.replace(" ", "-")
        shutil.rmtree(out, ignore_errors=True)
    if program.edited:
        root = root.with_name(f"{root.name}-edited")
    command = []
    for word in program.command:
        if word == "FILES":
            rendered = sorted((outs / "synth").glob("*.yaml"))
            command += [f"{file.name}:{file.stat().st_size}" for file in rendered]
        else:
            command.append({"ROOT": str(root), "OUT": str(out)}.get(word, word))
    return command


def compare(programs: dict[str, Program], scratch: pathlib.Path, size: int) -> None:
    """Every peer says what synth says."""
    outs = scratch / f"out-{size}"
    root, python = scratch / f"factory-{size}", scratch / "venv-jinja2/bin/python"
    measure(prepare(programs["synth"], root, outs))
    for name in ("jinja2", "cdk8s TypeScript", "cdk8s Python"):
        if name in programs:
            measure(prepare(programs[name], root, outs))
            folders = [outs / "synth", outs / name.replace(" ", "-")]
            done = subprocess.run([python, HERE / "compare.py", *folders], text=True, capture_output=True)
            print(f"{name}, {size} images: {done.stdout.strip()}")
            if done.returncode != 0:
                sys.exit(done.stderr)


def table(programs: dict[str, Program], sizes: list[int]) -> str:
    """The figures as a Markdown table a size."""
    lines = []
    for size in sizes:
        best = {n: min(cpu for cpu, _ in p.runs[size]) for n, p in programs.items() if size in p.runs}
        lines += ["", f"### {size:,} images", ""]
        lines += ["| | CPU, least | CPU, median | wall clock, median | memory | CPU / floor | CPU / synth |"]
        lines += ["| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
        for name, least in sorted(best.items(), key=lambda pair: pair[1]):
            cpu, wall = zip(*programs[name].runs[size])
            cells = [name, f"{least * 1e3:,.1f} ms", f"{statistics.median(cpu) * 1e3:,.1f} ms"]
            cells += [f"{statistics.median(wall) * 1e3:,.1f} ms", f"{programs[name].resident[size] / 1024:,.1f} MiB"]
            cells += [f"{least / best[other]:,.1f}" if other in best else "" for other in ("floor", "synth")]
            lines.append(f"| {' | '.join(cells)} |")
        for name, program in programs.items():
            if size not in program.runs:
                lines += ["", f"{name} was not run with {size:,} images: it takes too long (--python-limit)."]
    return "\n".join(lines)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Holds synth against other ways to write the same manifests.")
    arguments.add_argument("--sizes", default="100,1000,10000")
    arguments.add_argument("--runs", type=int, default=5, metavar="K")
    arguments.add_argument("--scratch", type=pathlib.Path, default=ROOT / "target/side-by-side")
    arguments.add_argument("--python-limit", type=int, default=1000, metavar="N", help="most images for cdk8s Python")
    arguments.add_argument("--only", help="names of programs; synth is always run")
    arguments.add_argument("--json", type=pathlib.Path, help="also write all runs to this file")
    given = arguments.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    scratch = given.scratch.resolve()
    scratch.mkdir(parents=True, exist_ok=True)

    programs = install(scratch, given.python_limit)
    if given.only:
        wanted = {"synth", *given.only.split(",")}
        programs = {name: program for name, program in programs.items() if name in wanted}
    for size in sorted({100, *sizes}):
        factory = scratch / f"factory-{size}"
        shutil.rmtree(factory, ignore_errors=True)
        quiet([sys.executable, HERE / "generate.py", size, factory])
        edited = factory.with_name(f"{factory.name}-edited")
        shutil.rmtree(edited, ignore_errors=True)
        shutil.copytree(factory, edited)
        text = (edited / "images.yaml").read_text()
        (edited / "images.yaml").write_text(text.replace("rebuildDelay: 12h", "rebuildDelay: 36h", 1))
    compare(programs, scratch, 100)

    for size in sizes:
        root, outs = scratch / f"factory-{size}", scratch / f"out-{size}"
        taking_part = [p for p in programs.values() if p.largest is None or size <= p.largest]
        # What the floor is to write, and all in the page cache; not measured.
        measure(prepare(programs["synth"], root, outs))
        for _ in range(given.runs):
            for program in taking_part:
                cpu, wall, _ = measure(prepare(program, root, outs))
                program.runs.setdefault(size, []).append((cpu, wall))
        for program in taking_part:
            program.resident[size] = resident(prepare(program, root, outs))
    print(table(programs, sizes))
    if given.json:
        given.json.write_text(json.dumps({p.name: p.runs for p in programs.values()}, indent=1))


if __name__ == "__main__":
    main()
