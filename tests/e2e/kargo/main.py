#!/usr/bin/env python3
"""Runs the scenario; tests/e2e/kargo.sh starts it with everything built.

main.py kargo|stand-in --scratch … (see kargo.sh) [--only STEP…]
"""

import argparse
import pathlib
import sys
import time
import traceback

import programs
import report
import scenario
from cluster import Cluster, free_port, secrets
from kubelet import Kubelet
from providers import Providers
from world import World


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=["kargo", "stand-in"])
    for name in ("scratch", "cluster", "kargo", "registry-config"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    for name in ("kubectl", "git", "password", "registry", "rollouts"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


def main() -> int:
    given = arguments()
    scratch = given.scratch
    tokens = {"github": "github-token-7d1c", "gitlab": "gitlab-token-90aa"}
    providers = Providers(tokens)
    world = World(scratch, given.git, given.password, given.registry, providers)
    cluster = Cluster(given.cluster, scratch, given.kubectl)
    running: dict[str, programs.Program] = {}

    def start(program: programs.Program) -> programs.Program:
        running[program.name] = program
        return program.start()

    start(programs.Program("registry", ["docker-registry", "serve", str(given.registry_config)], scratch, {}))
    cluster.operator(secrets(given.git, given.password, tokens))
    (scratch / "jobs").mkdir()
    kubelet = Kubelet(cluster.kube("kubelet"), scratch / "jobs", f"{scratch / 'bin'}:/usr/local/bin:/usr/bin:/bin")
    start(programs.rollouts(given.rollouts, scratch, cluster.kubeconfig("rollouts"), [free_port(), free_port()]))
    if given.mode == "kargo":
        port = free_port()
        hooks = programs.webhooks(given.kargo, scratch, cluster.kubeconfig("kargo-webhooks"), port)
        cluster.serving_certificate(hooks.folder)
        start(hooks)
        programs.wait_for("Kargo's webhooks listen", 60, lambda: programs.listens(port))
        cluster.register_webhooks(port)
        start(programs.controller(given.kargo, scratch, cluster.kubeconfig("kargo-controller")))
        from real import Kargo
    else:
        from standin import Kargo
    kargo = Kargo(cluster, world, running.get("kargo-controller"))

    log = report.Log()
    if given.mode == "stand-in":
        log.say("Kargo itself is NOT run: a stand-in plays its part; the API server and Argo Rollouts are real")
    stage = scenario.Scenario(given.mode, cluster, world, providers, kubelet, kargo, running, log)
    try:
        stage.run()
    except Exception as error:
        if not isinstance(error, AssertionError):
            traceback.print_exc()
        log.failed(str(error))
        report.evidence(cluster.kube("e2e"), kubelet, providers, world, running, scratch)
        return 1
    finally:
        kubelet.stopped.set()
        providers.closing.set()
        for program in reversed(running.values()):
            program.stop()
    log.say(f"passed: {log.count} statements after {time.monotonic() - log.started:.0f} s")
    return 0


sys.exit(main())
