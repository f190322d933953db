"""Stub GitHub and GitLab: they hold a request to the documented API, note it, and
answer as they are told to.

    GitHub  http://127.0.0.1:PORT/github     POST repos/O/R/actions/workflows/F/dispatches,
            GET repos/O/R/actions/workflows/F/runs, GET repos/O/R/actions/runs[/ID]
    GitLab  http://127.0.0.1:PORT/gitlab/api/v4   POST projects/P/trigger/pipeline or pipeline,
            GET projects/P/pipelines[/ID[/variables]]
"""

import collections
import dataclasses
import datetime
import http.server
import json
import re
import threading
import urllib.parse

GITHUB_INPUTS = {"image", "base_image", "base_digest", "tag", "reason", "attempt"}


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclasses.dataclass
class Run:
    """A workflow run or a pipeline."""

    id: int
    provider: str
    image: str
    inputs: dict[str, str]
    ref: str
    created: str = dataclasses.field(default_factory=now)
    status: str = "in_progress"
    conclusion: str | None = None
    seen: int = 0  # how often it was asked for


class Wrong(Exception):
    """A request that the real API would not take."""


class Providers:
    def __init__(self, tokens: dict[str, str]):
        self.tokens = tokens
        self.runs: list[Run] = []
        self.posts: list[tuple[str, str, dict]] = []  # image, what was answered, inputs
        self.wrong: list[str] = []  # requests that are against the API
        self.answers: dict[str, collections.deque] = collections.defaultdict(collections.deque)
        # Inputs that the workflow of an image does not declare.
        self.unexpected: dict[str, set[str]] = collections.defaultdict(set)
        self.lock = threading.Lock()
        self.closing = threading.Event()
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                stub.serve(self, None)

            def do_POST(self):
                stub.serve(self, self.rfile.read(int(self.headers.get("content-length") or 0)))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{self.server.server_port}"
        self.github, self.gitlab = f"{base}/github", f"{base}/gitlab/api/v4"

    # What the test asks and says.

    def of(self, image: str) -> list[Run]:
        with self.lock:
            return [run for run in self.runs if run.image == image]

    def finish(self, run: Run, conclusion: str = "success") -> None:
        run.status, run.conclusion = "completed", conclusion

    # What the requests get.

    def serve(self, request, body: bytes | None) -> None:
        url = urllib.parse.urlsplit(request.path)
        try:
            if url.path.startswith("/github/"):
                answer = self.on_github(request, url, body)
            else:
                answer = self.on_gitlab(request, url, body)
        except Wrong as error:
            self.wrong.append(f"{request.command} {request.path}: {error}")
            answer = 400, {"message": str(error)}
        if answer is None:  # hangs: no answer, ever
            self.closing.wait(300)
            request.close_connection = True
            return
        code, document = answer
        data = b"" if document is None else json.dumps(document).encode()
        request.send_response(code)
        if data:
            request.send_header("content-type", "application/json; charset=utf-8")
        request.send_header("content-length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def need(self, request, **headers: str) -> None:
        for name, value in headers.items():
            name = name.replace("_", "-")
            if (request.headers.get(name) or "").split(";")[0] != value:
                raise Wrong(f"header {name} is {request.headers.get(name)!r}, not {value!r}")

    def start(self, provider: str, image: str, inputs: dict, ref: str) -> Run:
        with self.lock:
            run = Run(4000 + len(self.runs), provider, image, inputs, ref)
            self.runs.append(run)
            return run

    def behave(self, image: str, inputs: dict) -> str:
        with self.lock:
            word = self.answers[image].popleft() if self.answers[image] else "accept"
            self.posts.append((image, word, inputs))
            return word

    def on_github(self, request, url, body):
        self.need(request, authorization=f"Bearer {self.tokens['github']}", accept="application/vnd.github+json")
        path = url.path.removeprefix("/github/")
        if body is not None:
            found = re.fullmatch(r"repos/acme/apps/actions/workflows/([\w-]+)\.yml/dispatches", path)
            if not found:
                raise Wrong("nothing to post to")
            self.need(request, content_type="application/json")
            return self.dispatch(found[1], json.loads(body))
        if found := re.fullmatch(r"repos/acme/apps/actions/runs/(\d+)", path):
            runs = [run for run in self.runs if run.id == int(found[1]) and run.provider == "github"]
            return (200, self.github_run(runs[0])) if runs else (404, {"message": "Not Found"})
        found = re.fullmatch(r"repos/acme/apps/actions/(?:workflows/([\w-]+)\.yml/)?runs", path)
        if not found:
            raise Wrong("no such resource")
        runs = [r for r in self.runs if r.provider == "github" and found[1] in (None, r.image)]
        runs = [self.github_run(run) for run in reversed(runs)]
        return 200, {"total_count": len(runs), "workflow_runs": runs}

    def dispatch(self, image: str, said: dict):
        if not isinstance(said.get("ref"), str) or set(said) - {"ref", "inputs"}:
            raise Wrong(f"the body is {said}")
        inputs = said.get("inputs", {})
        if set(inputs) - GITHUB_INPUTS or not all(isinstance(v, str) for v in inputs.values()):
            raise Wrong(f"the inputs are {inputs}")
        unexpected = sorted(self.unexpected[image] & set(inputs))
        if unexpected:
            self.posts.append((image, "422", inputs))
            return 422, {"message": f"Unexpected inputs provided: {json.dumps(unexpected)}"}
        word = self.behave(image, inputs)
        if word == "404":
            return 404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}
        if word == "500":
            return 500, {"message": "Server Error"}
        if word == "hang":
            return None
        self.start("github", image, inputs, said["ref"])
        # "started, no answer": the run exists, but the asker never learns it from this request.
        return None if word == "started, no answer" else (204, None)

    def github_run(self, run: Run) -> dict:
        run.seen += 1
        # What the run-name of our workflow template makes of the inputs; else the workflow's name.
        title = f"image-factory {run.image} #{run.inputs['attempt']}" if "attempt" in run.inputs else run.image
        return {
            "id": run.id, "name": run.image, "event": "workflow_dispatch", "head_branch": run.ref,
            "display_title": title,
            "path": f".github/workflows/{run.image}.yml", "status": run.status, "conclusion": run.conclusion,
            "created_at": run.created, "updated_at": now(), "run_started_at": run.created, "run_attempt": 1,
            "html_url": f"https://github.example.com/acme/apps/actions/runs/{run.id}",
        }  # fmt: skip

    def on_gitlab(self, request, url, body):
        found = re.fullmatch(r"/gitlab/api/v4/projects/([^/]+)/(.*)", url.path)
        if not found or not urllib.parse.unquote(found[1]).startswith("acme/"):
            raise Wrong("no such project")
        image, path = urllib.parse.unquote(found[1]).removeprefix("acme/"), found[2]
        if body is not None:
            return self.pipeline(request, image, path, body)
        self.need(request, private_token=self.tokens["gitlab"])
        runs = [r for r in self.runs if r.provider == "gitlab" and r.image == image]
        if path == "pipelines":
            return 200, [self.gitlab_run(run) for run in reversed(runs)]
        found = re.fullmatch(r"pipelines/(\d+)(/variables)?", path)
        runs = [run for run in runs if found and run.id == int(found[1])]
        if not runs:
            return 404, {"message": "404 Not found"}
        if found[2]:
            return 200, [{"key": k.upper(), "value": v, "variable_type": "env_var"} for k, v in runs[0].inputs.items()]
        return 200, self.gitlab_run(runs[0])

    def pipeline(self, request, image: str, path: str, body: bytes):
        said = json.loads(body)
        if path == "trigger/pipeline":
            if said.get("token") != self.tokens["gitlab"]:
                return 404, {"message": "404 Not Found"}
            variables = said.get("variables", {})
        elif path == "pipeline":
            self.need(request, private_token=self.tokens["gitlab"])
            variables = {v["key"]: v["value"] for v in said.get("variables", [])}
        else:
            raise Wrong("nothing to post to")
        inputs = {key.lower(): value for key, value in variables.items() if key.isupper()}
        self.behave(image, inputs)
        run = self.start("gitlab", image, inputs, said["ref"])
        return 201, self.gitlab_run(run)

    def gitlab_run(self, run: Run) -> dict:
        run.seen += 1
        status = {None: "running", "success": "success", "failure": "failed", "cancelled": "canceled"}[run.conclusion]
        return {
            "id": run.id, "iid": run.id, "project_id": 7, "ref": run.ref, "status": status, "source": "api",
            "created_at": run.created, "updated_at": now(), "name": None,
            "web_url": f"https://gitlab.example.com/acme/{run.image}/-/pipelines/{run.id}",
        }  # fmt: skip
