"""The programs that run beside the API server: Kargo, Argo Rollouts, the registry."""

import os
import pathlib
import signal
import socket
import subprocess
import time


class Program:
    """One process that can be ended, killed and started again; its log goes on."""

    def __init__(self, name: str, argv: list[str], folder: pathlib.Path, environment: dict[str, str]):
        self.name, self.argv, self.environment = name, argv, environment
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen | None = None

    def start(self) -> "Program":
        base = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder), "LC_ALL": "C"}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.argv, env=base | self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, kill: bool = False) -> None:
        if not self.alive():
            return
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def tail(self, lines: int) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(line[:400] for line in text.splitlines()[-lines:])


def rollouts(binary: str, folder: pathlib.Path, kubeconfig: pathlib.Path, ports: list[int]) -> Program:
    argv = [binary, "--kubeconfig", str(kubeconfig), "--controllers", "analysis", "--leader-elect=false"]
    argv += ["--metricsPort", str(ports[0]), "--healthzPort", str(ports[1]), "--loglevel", "info"]
    return Program("rollouts", argv, folder, {})


# What Kargo's chart puts into every program's environment.
KARGO = {
    "KARGO_NAMESPACE": "kargo",
    "SHARED_RESOURCES_NAMESPACE": "kargo-shared-resources",
    "SYSTEM_RESOURCES_NAMESPACE": "kargo-system-resources",
    "LOG_LEVEL": "info",
}


def controller(bin: pathlib.Path, folder: pathlib.Path, kubeconfig: pathlib.Path) -> Program:
    """The controller. In its image git's password comes from /usr/local/bin/credential-helper;
    here a `git` before the real one says where that program is."""
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    git = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, text=True, check=True).stdout.strip()
    wrapper = tools / "git"
    wrapper.write_text(f'#!/bin/sh\n[ -z "$GIT_ASKPASS" ] || export GIT_ASKPASS={bin}/credential-helper\nexec {git} "$@"\n')
    wrapper.chmod(0o755)
    environment = KARGO | {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "KUBECONFIG": str(kubeconfig),
        "IS_DEFAULT_CONTROLLER": "true",
        "ARGOCD_INTEGRATION_ENABLED": "false",
        "ROLLOUTS_INTEGRATION_ENABLED": "true",
        "API_SERVER_BASE_URL": "https://kargo.invalid",
        "GITCLIENT_NAME": "Kargo",
        "GITCLIENT_EMAIL": "kargo@example.com",
        # The git server of the test speaks plain http, on loopback.
        "ALLOW_CREDENTIALS_OVER_HTTP": "true",
    }
    return Program("kargo-controller", [str(bin / "controlplane"), "controller"], folder, environment)


def webhooks(bin: pathlib.Path, folder: pathlib.Path, kubeconfig: pathlib.Path, port: int) -> Program:
    """Admission: it defaults and checks what is written, and notes who promotes."""
    environment = KARGO | {
        "KUBECONFIG": str(kubeconfig),
        "WEBHOOK_SERVER_PORT": str(port),
        "CONTROLPLANE_USER_REGEX": "^kargo-.*$",
        "MANAGEMENT_CONTROLLER_USERNAME": "kargo-management-controller",
    }
    return Program("kargo-webhooks", [str(bin / "controlplane"), "kubernetes-webhooks-server"], folder, environment)


def webhook_configurations(port: int, authority: str) -> list[dict]:
    """As Kargo's chart registers them, by URL instead of by Service."""

    def entry(verb: str, resource: str, kind: str, scope: str, operations: list[str], more: list[str] = []) -> dict:
        return {
            "name": f"{kind}.kargo.akuity.io",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "NoneOnDryRun" if kind.startswith("project") else "None",
            "clientConfig": {
                "url": f"https://127.0.0.1:{port}/{verb}-kargo-akuity-io-v1alpha1-{kind}",
                "caBundle": authority,
            },
            "rules": [{
                "scope": scope, "apiGroups": ["kargo.akuity.io"], "apiVersions": ["v1alpha1"],
                "resources": [resource, *more], "operations": operations,
            }],
            "failurePolicy": "Fail",
        }  # fmt: skip

    write, remove = ["CREATE", "UPDATE"], ["CREATE", "UPDATE", "DELETE"]
    mutating = [entry("mutate", f"{kind}s", kind, "Namespaced", write) for kind in ("freight", "promotion", "stage", "warehouse")]
    validating = [
        entry("validate", "freights", "freight", "Namespaced", remove, ["freights/status"]),
        entry("validate", "projects", "project", "Cluster", write),
        entry("validate", "projectconfigs", "projectconfig", "Namespaced", write),
        entry("validate", "promotions", "promotion", "Namespaced", remove),
        entry("validate", "stages", "stage", "Namespaced", write),
        entry("validate", "warehouses", "warehouse", "Namespaced", write),
    ]
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "kargo"}}
    return [
        head | {"kind": "MutatingWebhookConfiguration", "webhooks": mutating},
        head | {"kind": "ValidatingWebhookConfiguration", "webhooks": validating},
    ]


def wait_for(what: str, seconds: float, holds, every: float = 0.3):
    """What `holds` gives once it is true; after that time, an AssertionError."""
    deadline = time.monotonic() + seconds
    while True:
        if value := holds():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s not yet: {what}")
        time.sleep(every)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
