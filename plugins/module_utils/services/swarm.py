# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Stacks on a swarm: which node deploys them, and whether their services are well."""

import hashlib
import json
import time

from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api
from ansible_collections.slipway.platform.plugins.module_utils.services.containers import (
    FAILED,
    WAITING,
    WELL,
    Trouble,
    Verdict,
    ask,
    differing_keys,
    filtered,
    seconds_of,
)

POLL_SECONDS = 0.25
NAMESPACE = "com.docker.stack.namespace"
NONE, WORKER, MANAGER, LEADER = "none", "worker", "manager", "leader"
# Tasks of the wanted form that failed, after which a service is not waited for any longer.
MOST_FAILURES = 3
# Before this run, within which failures of a version that is only looked at count. A swarm keeps failed tasks forever.
RECENT_SECONDS = 60
ENDED = ("failed", "rejected", "orphaned")
STOPPED_UPDATES = ("paused", "rollback_started", "rollback_paused", "rollback_completed")
# Parts of a task's form that the swarm fills in.
FILLED_IN = ("Networks", "Runtime", "ForceUpdate")


def role_of(info, ask_node):
    """Return what this node is, from the engine's /info; ask_node asks a manager about a node."""
    swarm = info.get("Swarm") or {}
    if swarm.get("LocalNodeState") != "active":
        return NONE
    if not swarm.get("ControlAvailable"):
        return WORKER
    node = ask_node("/nodes/{}".format(swarm["NodeID"]))
    return LEADER if (node.get("ManagerStatus") or {}).get("Leader") else MANAGER


def own_role():
    return role_of(ask("/info"), ask)


def form(spec):
    return {key: value for key, value in spec.items() if key not in FILLED_IN}


def judge(service, tasks, since):
    """Return (Verdict, a task or None) of a service with status, from what the API says.

    Tasks that were made before since, in seconds since the epoch, do not count as failures: the same version may have
    failed in an earlier run. The time is that of this node, which is the leader, as theirs are.
    """
    wanted = [task for task in tasks if form(task["Spec"]) == form(service["Spec"]["TaskTemplate"])]
    update = (service.get("UpdateStatus") or {}).get("State")
    failed = [task for task in wanted if task["Status"]["State"] in ENDED and seconds_of(task["CreatedAt"]) >= since]
    last = max(failed, key=lambda task: task["Status"]["Timestamp"], default=None)
    reason = last["Status"].get("Err") or last["Status"].get("Message") if last else ""
    if len(failed) >= MOST_FAILURES or update in STOPPED_UPDATES:
        return Verdict(FAILED, f"does not stay up ({reason})" if last else f"has an update that is {update}"), last
    job = "ReplicatedJob" in service["Spec"]["Mode"] or "GlobalJob" in service["Spec"]["Mode"]
    good = [task for task in wanted if task["Status"]["State"] in (("complete",) if job else ("running",))]
    if update not in (None, "completed") or len(good) < service["ServiceStatus"]["DesiredTasks"]:
        pending = [task for task in wanted if task["DesiredState"] == "running" and task not in good]
        states = sorted({task["Status"].get("Err") or task["Status"]["State"] for task in pending})
        return Verdict(WAITING, "is not up yet" + (" ({})".format(", ".join(states)) if states else "")), last
    return Verdict(WELL, ""), None


class Stack:
    """A project that a swarm runs, seen from its leader."""

    volume_label = NAMESPACE

    def __init__(self, cli, project):
        self.cli = cli
        self.project = project
        self.name = project.name
        self.file = project.path("current", "stack.yaml")
        self.since = int(time.time()) - RECENT_SECONDS

    def services(self):
        """Return what the swarm knows about each service, by the name that the compose file has for it."""
        listed = ask(filtered("/services", f"{NAMESPACE}={self.name}", "status=true&"))
        return {service["Spec"]["Name"][len(self.name) + 1 :]: service for service in listed}

    def last_secret(self):
        """Return the last number of the stack's secrets in the swarm, which another leader may have made."""
        names = [secret["Spec"]["Name"] for secret in ask(filtered("/secrets", f"{NAMESPACE}={self.name}"))]
        return max(
            (int(number) for number in (name.rpartition("_")[2] for name in names) if number.isdigit()), default=0
        )

    def is_there(self):
        return bool(self.services())

    def changes(self, before, after):
        """Return (service, what would be done) for each service to bring to a canonical form."""
        running, old = self.services(), before.get("services") or {}
        known = self.project.known_hashes()
        found = [(name, "remove") for name in sorted(set(running) - set(after["services"]))]
        for name, service in sorted(after["services"].items()):
            was = old.get(name)
            differing = differing_keys(was or {}, service)
            if name not in running:
                found.append((name, "create"))
            elif was is None:
                found.append((name, "update (it is not known what it was made from)"))
            elif differing:
                found.append((name, "update ({})".format(", ".join(differing))))
            elif name in known and self.fingerprint(running[name]) != known[name]:
                found.append((name, "update (it was changed by hand)"))
        return found

    @staticmethod
    def fingerprint(service):
        return hashlib.sha256(json.dumps(service["Spec"], sort_keys=True).encode()).hexdigest()

    def bring_up(self, seconds):
        self.since = int(time.time())
        self.cli.stack_deploy(self.name, self.file, seconds)

    def look(self, canonical):
        failed: "list[Trouble]" = []
        waiting: "list[Trouble]" = []
        running = self.services()
        for name in sorted(canonical["services"]):
            if name not in running:
                waiting.append(Trouble(name, None, "does not exist"))
                continue
            tasks = ask(filtered_by_service(running[name]["ID"]))
            verdict, _ = judge(running[name], tasks, self.since)
            if verdict.state != WELL:
                found = failed if verdict.state == FAILED else waiting
                found.append(Trouble(name, running[name]["ID"], verdict.reason))
        return failed, waiting

    def logs(self, trouble):
        return self.cli.service_logs(trouble.container) if trouble.container else []

    def fingerprints(self):
        return {name: self.fingerprint(service) for name, service in self.services().items()}

    def remove(self, seconds):
        """Remove the stack, and wait for the containers that it has on this node."""
        deadline = time.monotonic() + seconds
        self.cli.stack_remove(self.name, seconds)
        left = filtered("/containers/json", f"{NAMESPACE}={self.name}", "all=1&")
        engine_api.wait_until(lambda: not ask(left), deadline - time.monotonic(), POLL_SECONDS)


def filtered_by_service(service):
    return "/tasks?filters=%7B%22service%22%3A%5B%22{}%22%5D%7D".format(service)
