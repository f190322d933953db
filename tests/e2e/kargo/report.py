"""What the test says, and what it shows when it fails."""

import time


class Log:
    def __init__(self):
        self.started, self.count = time.monotonic(), 0

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.started:6.1f} s  {text}", flush=True)

    def step(self, text: str) -> None:
        self.say(f"-- {text}")

    def shown(self, text: str) -> None:
        self.count += 1
        self.say(f"   {text}")

    def failed(self, text: str) -> None:
        self.say(f"FAILED: {text}")


def conditions(kind: str, o: dict) -> list[str]:
    bad = []
    for condition in o.get("status", {}).get("conditions", []):
        if condition["type"] in ("Ready", "Healthy", "Verified") and condition["status"] != "True":
            bad.append(f"{kind}/{o['metadata']['name']}: {condition['type']} {condition['status']}: {condition.get('message', '')[:300]}")
    return bad


def evidence(kube, kubelet, providers, world, running, scratch) -> None:
    """Conditions that are not as they should be, and the ends of the logs."""
    lines = []
    for kind in ("warehouses", "stages"):
        for o in kube.list(kind):
            lines += conditions(kind, o)
    for promotion in kube.list("promotions"):
        status = promotion.get("status", {})
        if status.get("phase") != "Succeeded":
            lines.append(f"promotion {promotion['metadata']['name']}: {status.get('phase')}: {status.get('message', '')[:300]}")
    for run in kube.list("analysisruns"):
        status = run.get("status", {})
        if status.get("phase") != "Successful":
            lines.append(f"analysisrun {run['metadata']['name']}: {status.get('phase')}: {status.get('message', '')[:300]}")
    lines += [f"job {name} {' '.join(kubelet.argv[name][:2])}: {what}" for name, what in kubelet.taken.items() if what != "succeeded"]
    lines += [f"provider: {image}: {word}" for image, word, _ in providers.posts]
    lines += [f"provider: against the API: {wrong}" for wrong in providers.wrong]
    lines += [f"commit: {subject}" for subject in world.subjects()[:15]]
    for program in running.values():
        if not program.alive():
            lines.append(f"{program.name} is not running")
        lines += [f"--- {program.name}", program.tail(6)] if program.name.startswith("kargo") else []
    print("\n".join(lines))
    failed = [name for name, what in kubelet.taken.items() if what not in ("succeeded", "running")]
    for name in failed[-3:]:
        for log in sorted((scratch / "jobs").glob(f"{name}.*.log"))[-1:]:
            print(f"--- {log}", log.read_text(errors="replace")[-1500:], sep="\n")
    print(f"all logs: {scratch}")
