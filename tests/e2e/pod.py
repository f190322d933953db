#!/usr/bin/env python3
"""Plays kubelet for one pod of the rendered manifests, in a root file system.

    pod.py DIST ROOTFS stage NAME [ARG=VALUE…] [--secret NAME/KEY=VALUE…] [--work FOLDER]
    pod.py DIST ROOTFS cronjob NAME [--secret …] [--work FOLDER]

Takes the Job from DIST (for a Stage: that of its AnalysisTemplate, with the Stage's
arguments; a value that is an expression of Kargo's has to be given), and runs its init
containers, then its container, with their very commands, environment, user and
mounts. ROOTFS is mounted read-only; what is not a mount cannot be written. Needs root.
Ends with the exit code of the first container that fails.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

# $1 root file system, $2 number of mounts, then source and target of each, then uid,
# gid, working directory, and the command. Runs in a mount namespace of its own.
ENTER = r"""
set -e
root=$1 count=$2; shift 2
mount --bind "$root" "$root"
mount -o remount,ro,bind "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
for node in null zero urandom random; do touch "$root/dev/$node"; mount --bind "/dev/$node" "$root/dev/$node"; done
for _ in $(seq "$count"); do mount --bind "$1" "$root$2"; shift 2; done
uid=$1 gid=$2 folder=$3; shift 3
exec chroot --userspec="$uid:$gid" --groups="$gid" "$root" sh -c 'cd "$1" && shift && exec "$@"' sh "$folder" "$@"
"""


def documents(dist: pathlib.Path) -> list[dict]:
    return [d for f in sorted(dist.glob("*.k8s.yaml")) for d in yaml.safe_load_all(f.read_text()) if d]


def one(objects: list[dict], kind: str, name: str) -> dict:
    found = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    if len(found) != 1:
        sys.exit(f"{len(found)} objects {kind}/{name}")
    return found[0]


def fill(value, arguments: dict[str, str]):
    """Puts the arguments into every text, as Argo Rollouts does."""
    if isinstance(value, dict):
        return {key: fill(inner, arguments) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, arguments) for inner in value]
    if isinstance(value, str):
        for name, text in arguments.items():
            value = value.replace("{{args.%s}}" % name, text)
        if "{{" in value:
            sys.exit(f"an argument without value: {value}")
    return value


def pod_of_stage(objects: list[dict], name: str, given: dict[str, str]) -> dict:
    verification = one(objects, "Stage", name)["spec"]["verification"]
    template = one(objects, "AnalysisTemplate", verification["analysisTemplates"][0]["name"])["spec"]
    arguments = {a["name"]: str(a["value"]) for a in verification.get("args", [])} | given
    missing = [n for n, v in arguments.items() if "${{" in v]
    unknown = set(given) - {a["name"] for a in template["args"]}
    if missing or unknown:
        sys.exit(f"arguments that Kargo would work out: {missing}; unknown: {sorted(unknown)}")
    return fill(template["metrics"][0]["provider"]["job"]["spec"]["template"]["spec"], arguments)


def environment(container: dict, secrets: dict[str, str]) -> dict[str, str]:
    values = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    for variable in container.get("env", []):
        if "value" in variable:
            values[variable["name"]] = variable["value"]
            continue
        reference = variable["valueFrom"]["secretKeyRef"]
        key = f"{reference['name']}/{reference['key']}"
        if key in secrets:
            values[variable["name"]] = secrets[key]
        elif not reference.get("optional"):
            sys.exit(f"no Secret {key}: the container would not start")
    return values


def volumes(pod: dict, secrets: dict[str, str], work: pathlib.Path) -> dict[str, pathlib.Path]:
    user = pod["securityContext"]["runAsUser"]
    folders = {}
    for volume in pod.get("volumes", []):
        folder = work / volume["name"]
        folder.mkdir(parents=True, exist_ok=True)
        for item in volume.get("secret", {}).get("items", []):
            text = secrets.get(f"{volume['secret']['secretName']}/{item['key']}")
            if text is not None:
                (folder / item["path"]).write_text(text)
        os.chown(folder, user, pod["securityContext"]["fsGroup"])
        folders[volume["name"]] = folder
    return folders


def run(container: dict, pod: dict, root: str, folders: dict[str, pathlib.Path], secrets: dict[str, str]) -> int:
    if not container["securityContext"]["readOnlyRootFilesystem"]:
        sys.exit("the root file system should be read-only")
    mounts = ["/etc/resolv.conf", "/etc/resolv.conf"]
    for mount in container["volumeMounts"]:
        mounts += [str(folders[mount["name"]]), mount["mountPath"]]
    context = pod["securityContext"]
    command = ["unshare", "--mount", "bash", "-c", ENTER, "pod", root, str(len(mounts) // 2), *mounts]
    command += [str(context["runAsUser"]), str(context["runAsGroup"]), container.get("workingDir", "/")]
    command += container["command"] + container["args"]
    return subprocess.run(command, env=environment(container, secrets)).returncode


def main() -> None:
    arguments = argparse.ArgumentParser(description="Plays kubelet for one pod.")
    arguments.add_argument("dist", type=pathlib.Path)
    arguments.add_argument("rootfs")
    arguments.add_argument("kind", choices=["stage", "cronjob"])
    arguments.add_argument("name")
    arguments.add_argument("args", nargs="*", metavar="ARG=VALUE")
    arguments.add_argument("--secret", action="append", default=[], metavar="NAME/KEY=VALUE")
    arguments.add_argument("--work", type=pathlib.Path)
    given = arguments.parse_args()
    objects = documents(given.dist)
    secrets = dict(s.split("=", 1) for s in given.secret)
    if given.kind == "stage":
        pod = pod_of_stage(objects, given.name, dict(a.split("=", 1) for a in given.args))
    else:
        pod = one(objects, "CronJob", given.name)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    work = given.work or pathlib.Path(tempfile.mkdtemp(prefix="pod-"))
    folders = volumes(pod, secrets, work)
    for mount in pod["containers"][0]["volumeMounts"]:
        if not pathlib.Path(given.rootfs + mount["mountPath"]).is_dir():
            sys.exit(f"the image has no folder {mount['mountPath']} to mount to")
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        if code := run(container, pod, given.rootfs, folders, secrets):
            print(f"container {container['name']} ended with {code}", file=sys.stderr)
            sys.exit(code)


main()
