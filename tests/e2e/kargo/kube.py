"""The little of the Kubernetes API that the test needs, by name of a kind."""

import json
import pathlib
import ssl
import urllib.error
import urllib.request

KARGO = "/apis/kargo.akuity.io/v1alpha1"
ROLLOUTS = "/apis/argoproj.io/v1alpha1"
PATHS = {
    "warehouses": KARGO, "stages": KARGO, "freights": KARGO, "promotions": KARGO, "projectconfigs": KARGO,
    "analysisruns": ROLLOUTS, "analysistemplates": ROLLOUTS,
    "jobs": "/apis/batch/v1", "cronjobs": "/apis/batch/v1",
    "secrets": "/api/v1",
}  # fmt: skip


class ApiError(Exception):
    def __init__(self, code: int, text: str):
        super().__init__(f"{code}: {text}")
        self.code = code


class Kube:
    def __init__(self, server: str, folder: pathlib.Path, token: str, namespace: str):
        self.server, self.token, self.namespace = server, token, namespace
        context = ssl.create_default_context(cafile=str(folder / "tls.crt"))
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
        self.opener = urllib.request.build_opener(*handlers)

    def send(self, method: str, path: str, body=None, kind="application/json") -> dict:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data=data, method=method)
        request.add_header("authorization", f"Bearer {self.token}")
        request.add_header("content-type", kind)
        try:
            with self.opener.open(request, timeout=30) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, error.read().decode(errors="replace")[:600]) from None

    def path(self, kind: str, name: str = "", part: str = "") -> str:
        parts = [PATHS[kind], "namespaces", self.namespace, kind, name, part]
        return "/".join(p for p in parts if p)

    def get(self, kind: str, name: str) -> dict | None:
        try:
            return self.send("GET", self.path(kind, name))
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def list(self, kind: str) -> list[dict]:
        return self.send("GET", self.path(kind)).get("items", [])

    def create(self, kind: str, body: dict) -> dict:
        return self.send("POST", self.path(kind), body)

    def patch(self, kind: str, name: str, body: dict, part: str = "") -> dict:
        return self.send("PATCH", self.path(kind, name, part), body, "application/merge-patch+json")

    def annotate(self, kind: str, name: str, **annotations: str) -> None:
        named = {f"kargo.akuity.io/{key}": value for key, value in annotations.items()}
        self.patch(kind, name, {"metadata": {"annotations": named}})
