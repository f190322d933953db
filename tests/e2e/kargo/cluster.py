"""The cluster as an operator and Argo CD leave it."""

import base64
import pathlib
import socket
import subprocess

import yaml

import programs
from kube import Kube

NAMESPACE = "acme-images"
WAVE = "argocd.argoproj.io/sync-wave"


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


class Cluster:
    def __init__(self, folder: pathlib.Path, scratch: pathlib.Path, kubectl: str):
        self.folder, self.scratch, self.kubectl = folder, scratch, kubectl
        self.config = yaml.safe_load((folder / "kubeconfig").read_text())
        self.server = self.config["clusters"][0]["cluster"]["server"]
        lines = (folder / "tokens.csv").read_text().splitlines()
        self.tokens = {line.split(",")[1]: line.split(",")[0] for line in lines}

    def kube(self, user: str) -> Kube:
        return Kube(self.server, self.folder, self.tokens[user], NAMESPACE)

    def kubeconfig(self, user: str) -> pathlib.Path:
        path = self.scratch / f"kubeconfig-{user}"
        config = self.config | {"users": [{"name": "e2e", "user": {"token": self.tokens[user]}}]}
        path.write_text(yaml.safe_dump(config))
        return path

    def apply(self, objects: list[dict], user: str = "argocd", *options: str) -> None:
        command = [self.kubectl, "--kubeconfig", str(self.kubeconfig(user)), "--cache-dir", str(self.scratch / "cache")]
        command += ["apply", "--server-side", "--validate=strict", *options, "-f", "-"]
        done = subprocess.run(command, input=yaml.safe_dump_all(objects), capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"the API server refuses: {done.stderr.strip()}")

    # What is there before the first sync.

    def operator(self, secrets: list[dict]) -> None:
        for name in ("kargo", "kargo-shared-resources", "kargo-system-resources"):
            self.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}], "e2e")
        self.secrets = secrets

    def register_webhooks(self, port: int) -> None:
        authority = base64.b64encode((self.folder / "tls.crt").read_bytes()).decode()
        self.apply(programs.webhook_configurations(port, authority), "e2e")

    def serving_certificate(self, folder: pathlib.Path) -> None:
        """Where controller-runtime looks for it; the API server's own one serves."""
        place = folder / "k8s-webhook-server" / "serving-certs"
        place.mkdir(parents=True, exist_ok=True)
        for name in ("tls.crt", "tls.key"):
            (place / name).write_bytes((self.folder / name).read_bytes())

    # dist/, as Argo CD applies it: wave by wave.

    def sync(self, files: list[str]) -> dict[str, int]:
        objects = [o for text in files for o in yaml.safe_load_all(text) if o]
        wave = lambda o: int(o["metadata"].get("annotations", {}).get(WAVE, 0))
        for number in sorted({wave(o) for o in objects}):
            self.apply([o for o in objects if wave(o) == number])
            if any(o["kind"] == "Namespace" for o in objects if wave(o) == number):
                self.apply(self.secrets, "e2e")
        kinds: dict[str, int] = {}
        for o in objects:
            kinds[o["kind"]] = kinds.get(o["kind"], 0) + 1
        return kinds


def secret(name: str, values: dict[str, str], kargo: bool = False) -> dict:
    labels = {"kargo.akuity.io/cred-type": "git"} if kargo else {}
    return {
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "stringData": values,
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
    }  # fmt: skip


def secrets(git_url: str, password: str, tokens: dict[str, str]) -> list[dict]:
    """docs/secrets.md, in full."""
    login = {"username": "robot", "password": password}
    return [
        secret("image-factory-git", login | {"repoURL": f"{git_url}/factory.git"}, kargo=True),
        secret("sources", login | {"repoURL": f"^{git_url}/(apps|lab|deploy)(\\.git)?$", "repoURLIsRegex": "true"}, kargo=True),
        secret("image-factory-github", {"token": tokens["github"]}),
        secret("image-factory-gitlab", {"token": tokens["gitlab"]}),
    ]
