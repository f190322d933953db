"""Plays what runs Jobs in a cluster: the Job controller and kubelet.

Each Job's init containers and container run here, with their very command, arguments
and environment; Secrets come from the API server. A folder of this machine stands for
each volume, so a path into one is rewritten; user, limits and read-only root file
system are not kept (tests/e2e/builder.sh runs the same pods with all of that). A Job
that fails is tried again as its backoffLimit and podFailurePolicy say, then reported
as Failed.
"""

import base64
import datetime
import pathlib
import re
import subprocess
import threading
import time

from kube import ApiError, Kube


def timestamp() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class NoSecret(Exception):
    pass


class Kubelet:
    def __init__(self, kube: Kube, work: pathlib.Path, path: str):
        self.kube, self.work, self.path = kube, work, path
        self.taken: dict[str, str] = {}  # Job -> what became of it
        self.argv: dict[str, list[str]] = {}
        self.hold: list[str] = []  # Jobs with this text in their arguments are left alone
        self.twice: set[str] = set()  # ... are run a second time after they went well
        self.stopped = threading.Event()
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self) -> None:
        while not self.stopped.wait(0.3):
            try:
                for job in self.kube.list("jobs"):
                    self.consider(job)
            except (ApiError, OSError):
                time.sleep(0.5)

    def consider(self, job: dict) -> None:
        name = job["metadata"]["name"]
        argv = job["spec"]["template"]["spec"]["containers"][0]["args"]
        if name in self.taken or any(text in argv for text in self.hold):
            return
        if any(c["type"] in ("Complete", "Failed") for c in job.get("status", {}).get("conditions", [])):
            return
        self.taken[name], self.argv[name] = "running", argv
        threading.Thread(target=self.job, args=(job,), daemon=True).start()

    def job(self, job: dict) -> None:
        name, started = job["metadata"]["name"], timestamp()
        self.status(name, {"startTime": started, "active": 1})
        rules = job["spec"].get("podFailurePolicy", {}).get("rules", [])
        final = {code for rule in rules if rule["action"] == "FailJob" for code in rule["onExitCodes"]["values"]}
        tries = 1 + job["spec"].get("backoffLimit", 6)
        for number in range(tries):
            code = self.pod(job, f"{name}.{number}")
            if code == 0 or code in final:
                break
            time.sleep(1)
        if code == 0 and any(text in self.argv[name] for text in self.twice):
            code = self.pod(job, f"{name}.again")
        good = code == 0
        self.taken[name] = "succeeded" if good else "failed"
        kinds = ("SuccessCriteriaMet", "Complete") if good else ("FailureTarget", "Failed")
        reason = "CompletionsReached" if good else "BackoffLimitExceeded"
        now = timestamp()
        conditions = [
            {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": now, "lastProbeTime": now}
            for kind in kinds
        ]
        status = {"startTime": started, "active": None, "conditions": conditions}
        status |= {"succeeded": 1, "completionTime": now} if good else {"failed": tries}
        self.status(name, status)

    def status(self, name: str, status: dict) -> None:
        for _ in range(50):
            try:
                self.kube.patch("jobs", name, {"status": status}, "status")
                return
            except (ApiError, OSError) as error:
                last = error
                time.sleep(0.2)
        self.taken[name] = f"its status was refused: {last}"

    def pod(self, job: dict, name: str) -> int:
        """Runs one pod to its end: the exit code of the container that failed, or 0."""
        spec = job["spec"]["template"]["spec"]
        work = self.work / name
        work.mkdir(parents=True)
        with open(self.work / f"{name}.log", "wb") as log:
            try:
                volumes = {v["name"]: self.volume(v, work) for v in spec.get("volumes", [])}
                for container in [*spec.get("initContainers", []), *spec["containers"]]:
                    deadline = job["spec"].get("activeDeadlineSeconds", 600)
                    code = self.container(container, volumes, log, min(deadline, 600))
                    if code:
                        log.write(f"container {container['name']} ended with {code}\n".encode())
                        return code if container in spec["containers"] else 128
            except NoSecret as error:
                log.write(f"the container would not start: {error}\n".encode())
                return 128
        return 0

    def container(self, container: dict, volumes: dict[str, pathlib.Path], log, deadline: int) -> int:
        mounts = {m["mountPath"]: str(volumes[m["name"]]) for m in container["volumeMounts"]}
        inside = re.compile("|".join(rf"(?<![\w./-]){re.escape(m)}(?![\w.-])" for m in sorted(mounts, key=len, reverse=True)))

        def here(text: str) -> str:
            return inside.sub(lambda found: mounts[found.group()], text)

        environment = {"PATH": self.path, "TMPDIR": mounts.get("/tmp", "/tmp")}
        for variable in container.get("env", []):
            if "value" in variable:
                environment[variable["name"]] = here(variable["value"])
            elif (value := self.secret(**variable["valueFrom"]["secretKeyRef"])) is not None:
                environment[variable["name"]] = value.decode()
        command = [here(word) for word in container["command"] + container["args"]]
        folder = pathlib.Path(here(container.get("workingDir", "/")))
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=deadline
        )
        return done.returncode

    def volume(self, volume: dict, work: pathlib.Path) -> pathlib.Path:
        folder = work / volume["name"]
        folder.mkdir()
        if secret := volume.get("secret"):
            for item in secret["items"]:
                value = self.secret(secret["secretName"], item["key"], secret.get("optional", False))
                if value is not None:
                    (folder / item["path"]).write_bytes(value)
        return folder

    def secret(self, name: str, key: str, optional: bool = False) -> bytes | None:
        found = (self.kube.get("secrets", name) or {}).get("data", {}).get(key)
        if found is None and not optional:
            raise NoSecret(f"no Secret {name} with {key}")
        return None if found is None else base64.b64decode(found)
