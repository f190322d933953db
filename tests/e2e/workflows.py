"""Runs the scripts of the written workflows, with stubs for what they call."""
import os
import pathlib
import subprocess
import sys
import tempfile

from ruamel.yaml import YAML

FILES = pathlib.Path(sys.argv[1])
DIGEST = "sha256:" + "a" * 64
PIN = "node:22=docker-image://node:22@" + DIGEST
read = YAML(typ="safe").load
faults = []


def check(what, right, *said):
    if not right:
        faults.append((what, *said))


def run(shell, script, env, folder):
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)} | env
    return subprocess.run([*shell, "-c", script], env=env, cwd=folder, capture_output=True, text=True)


def github(sent, folder):
    job = read(FILES / "github/github/workflows/build.yml")["jobs"]["build"]
    output = folder / "output"
    output.write_text("")
    env = {key: str(value) for key, value in job["env"].items()}
    env |= {name.upper(): "" for name in ("image", "base_image", "base_digest", "tag")} | sent
    env |= {"GITHUB_OUTPUT": str(output), "GITHUB_RUN_NUMBER": "57", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_SHA": "c0ffee",
            "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/shop"}
    steps = {step.get("name"): step for step in job["steps"]}
    done = run(["bash", "--noprofile", "--norc", "-eo", "pipefail"], steps["What to build"]["run"], env, folder)
    summary = folder / "summary"
    said = {"GITHUB_STEP_SUMMARY": str(summary), "TAG": "1", "PIN": PIN, "DIGEST": DIGEST, "OUTCOME": "success",
            "REASON": "a | b <img src=x> `x`\n| c |", "ATTEMPT": "3"}
    summary.write_text("")
    report = run(["bash", "-eo", "pipefail"], steps["Report"]["run"], env | said, folder)
    check("report", report.returncode == 0, report.stderr)
    table = summary.read_text()
    check("report is a table", "<" not in table and "`" not in table and len(table.splitlines()) == 10, table)
    return done.returncode, output.read_text(), done.stdout


def gitlab(sent, folder):
    pipeline = read(FILES / "gitlab/gitlab/image-factory/ledger.yml")
    job = pipeline["image: ledger"]
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    calls = folder / "calls"
    calls.write_text("")
    (tools / "docker").write_text('#!/bin/sh\nfor word; do printf "[%s]" "$word"; done >>"$CALLS"\necho >>"$CALLS"\n')
    (tools / "docker").chmod(0o755)
    env = {key: str(value).replace("$$", "$") for key, value in job["variables"].items()}
    env |= {"IMAGE": "ledger"} | sent
    env |= {"CALLS": str(calls), "CI_PIPELINE_IID": "7", "CI_JOB_ID": "99", "CI_COMMIT_SHA": "c0ffee",
            "CI_PROJECT_URL": "https://git.example.com/a/b", "PATH": f"{tools}:{os.environ['PATH']}"}
    done = run(["sh", "-e"], "\n".join(job["script"]), env, folder)
    return done.returncode, calls.read_text(), done.stdout + done.stderr


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    code, said, _ = github({}, folder)
    check("by hand", code == 0 and "pin=\n" in said and ".57.1\n" in said and "base.name" not in said, said)
    for base in ("node-22", "node:22"):
        code, said, _ = github({"IMAGE": "shop", "BASE_IMAGE": base, "BASE_DIGEST": DIGEST, "TAG": "1.2.3"}, folder)
        check(base, code == 0 and f"pin={PIN}\n" in said and "tag=1.2.3\n" in said, said)
        check(base, f"image.base.name=node:22\norg.opencontainers.image.base.digest={DIGEST}\n" in said, said)
    code, said, told = github({"BASE_IMAGE": "gone-1", "BASE_DIGEST": DIGEST}, folder)
    check("unknown base", code == 0 and "pin=\n" in said and "::warning::" in told, said, told)
    for bad in ({"IMAGE": "other"}, {"BASE_DIGEST": "sha256:12"}, {"BASE_DIGEST": DIGEST + "\nx"},
                {"BASE_IMAGE": "a=b,c"}, {"BASE_IMAGE": "a:1\nb=docker-image://evil"}, {"TAG": "1\nlabels=x"}, {"TAG": "-x"}):
        code, said, _ = github(bad, folder)
        check(bad, code == 1 and said == "", said)

    code, calls, said = gitlab({"BASE_IMAGE": "node-22", "BASE_DIGEST": DIGEST, "REASON": "r", "ATTEMPT": "3"}, folder)
    check("gitlab", code == 0 and f"[--build-context][{PIN}]" in calls and "[--platform][linux/amd64,linux/arm64]" in calls, calls, said)
    check("gitlab arguments", "[--build-arg][A=x $CI_JOB_TOKEN][--build-arg][B=z]" in calls and calls.rstrip().endswith("[--][.]"), calls)
    check("gitlab tag", ".7.99]" in calls and "attempt: 3" in said, calls, said)
    for bad in ({"BASE_DIGEST": "x"}, {"BASE_DIGEST": DIGEST + "\n" + DIGEST}, {"BASE_IMAGE": "a b"}, {"TAG": "a/b"}):
        code, calls, _ = gitlab(bad, folder)
        check(bad, code == 1 and calls == "", calls)

for fault in faults:
    print("FAULT", *fault, sep="\n  ")
sys.exit(bool(faults))
