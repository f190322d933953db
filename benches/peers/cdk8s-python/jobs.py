"""The pod that every Job of the factory is."""

from urllib.parse import urlsplit

from inputs import Inputs, is_managed

CHECKOUT = "/workspace/repo"
IMAGE = "ghcr.io/craigedmunds/image-factory:0.1.0"
REGISTRY = "/var/run/secrets/image-factory/registry"
CREDENTIAL_HELPER = (
    r"""!f() { printf 'username=%s\npassword=%s\n' "$GIT_USERNAME" "$GIT_PASSWORD"; }; f"""
)
CONTAINER = {
    "image": IMAGE,
    "resources": {
        "limits": {"cpu": "1", "memory": "512Mi"},
        "requests": {"cpu": "100m", "memory": "128Mi"},
    },
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    },
}
MOUNTS = [{"name": "workspace", "mountPath": "/workspace"}, {"name": "tmp", "mountPath": "/tmp"}]


def secret_env(name: str, secret: str, key: str, optional: bool = False) -> dict:
    reference = {"name": secret, "key": key} | ({"optional": True} if optional else {})
    return {"name": name, "valueFrom": {"secretKeyRef": reference}}


class Runner:
    def __init__(self, inputs: Inputs):
        self.git = inputs.git
        sources = [image["source"] for image in inputs.images if is_managed(image)]
        providers = {source.get("provider", "github") for source in sources}
        self.tokens = [
            secret_env(f"{provider.upper()}_TOKEN", SECRETS[provider], "token", True)
            for provider in ("github", "gitlab")
            if provider in providers
        ]

    def job(self, args: list[str]) -> dict:
        return {
            "activeDeadlineSeconds": 1800,
            "backoffLimit": 1,
            "template": {
                "spec": {
                    "automountServiceAccountToken": False,
                    "containers": [self.program(args)],
                    "initContainers": [self.clone()],
                    "restartPolicy": "Never",
                    "securityContext": {
                        "fsGroup": 1000,
                        "runAsGroup": 1000,
                        "runAsNonRoot": True,
                        "runAsUser": 1000,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "serviceAccountName": "image-factory",
                    "volumes": [
                        {"name": "workspace", "emptyDir": {"sizeLimit": "2Gi"}},
                        {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
                        {
                            "name": "registry",
                            "secret": {
                                "secretName": SECRETS["registry"],
                                "items": [{"key": ".dockerconfigjson", "path": "config.json"}],
                                "optional": True,
                            },
                        },
                    ],
                }
            },
        }

    def program(self, args: list[str]) -> dict:
        return CONTAINER | {
            "name": "image-factory",
            "command": ["image-factory"],
            "args": args,
            "env": [*self.git_environment(), {"name": "DOCKER_CONFIG", "value": REGISTRY}, *self.tokens],
            "volumeMounts": [*MOUNTS, {"name": "registry", "mountPath": REGISTRY, "readOnly": True}],
            "workingDir": CHECKOUT,
        }

    def clone(self) -> dict:
        options = ["--depth=1", "--no-tags", "--single-branch", "--branch", self.git["branch"]]
        return CONTAINER | {
            "name": "clone",
            "command": ["git"],
            "args": ["clone", *options, "--", self.git["repo"], CHECKOUT],
            "env": self.git_environment(),
            "volumeMounts": MOUNTS,
        }

    def git_environment(self) -> list[dict]:
        url = urlsplit(self.git["repo"])
        return [
            {"name": "HOME", "value": "/workspace"},
            {"name": "GIT_TERMINAL_PROMPT", "value": "0"},
            {"name": "GIT_CONFIG_COUNT", "value": "1"},
            {"name": "GIT_CONFIG_KEY_0", "value": f"credential.{url.scheme}://{url.netloc}.helper"},
            {"name": "GIT_CONFIG_VALUE_0", "value": CREDENTIAL_HELPER},
            secret_env("GIT_USERNAME", SECRETS["git"], "username"),
            secret_env("GIT_PASSWORD", SECRETS["git"], "password"),
        ]


SECRETS = {
    "git": "image-factory-git",
    "github": "image-factory-github",
    "gitlab": "image-factory-gitlab",
    "registry": "image-factory-registry",
}
