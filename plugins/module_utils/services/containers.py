# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The containers of a Compose project: what the engine says of them, and whether they are well."""

import calendar
import json
import time
from collections import namedtuple
from urllib.parse import quote

from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api
from ansible_collections.slipway.platform.plugins.module_utils.services.docker_cli import SOCKET
from ansible_collections.slipway.platform.plugins.module_utils.services.errors import ServicesError

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
HASH = "com.docker.compose.config-hash"
ONE_OFF = "com.docker.compose.oneoff"
# Labels of services by which a change of their secrets or configs reaches their containers.
FILE_LABELS = {"secrets": "io.slipway.secrets", "configs": "io.slipway.configs"}
# A container without a health check is taken for well when it has run for so long.
SETTLE_SECONDS = 3
# Restarts after which a container is not waited for any longer; the engine pauses 0.1 s, 0.2 s, 0.4 s, ... before them.
MOST_RESTARTS = 5
# After so long a run the engine starts with its short pauses again. It never forgets how often a container restarted.
STEADY_SECONDS = 10
POLL_SECONDS = 0.25
WELL, WAITING, FAILED = "well", "waiting", "failed"

# state is WELL, WAITING or FAILED, and reason a phrase about one that is not well.
Verdict = namedtuple("Verdict", ["state", "reason"])
# What is not well: a service, the ID of its container, if any, and why.
Trouble = namedtuple("Trouble", ["service", "container", "reason"])


def ask(url):
    """Return what the engine answers. Raises ServicesError."""
    text = engine_api.get(SOCKET, url, 30)
    if text is None:
        raise ServicesError(
            f"the engine at {SOCKET} does not answer: start docker.service, or run the role docker_engine"
        )
    return json.loads(text)


def filtered(path, label, more=""):
    return "{}?{}filters={}".format(path, more, quote(json.dumps({"label": [label]})))


def of_project(name):
    """Return what the engine knows about each container of a project, by service."""
    found: "dict[str, list[dict[str, object]]]" = {}
    for listed in ask(filtered("/containers/json", f"{PROJECT}={name}", "all=1&")):
        labels = listed["Labels"]
        if labels.get(ONE_OFF) == "True":
            continue
        text = engine_api.get(SOCKET, "/containers/{}/json".format(listed["Id"]), 30)
        if text is not None:  # otherwise it was removed meanwhile
            found.setdefault(labels.get(SERVICE), []).append(json.loads(text))
    return found


def hashes_of(containers):
    """Return by service the labels that tell what its containers were made from."""
    return {
        service: sorted({container["Config"]["Labels"].get(HASH, "") for container in listed})
        for service, listed in containers.items()
    }


def wanted_count(service):
    """Return how many containers a service of a canonical form has."""
    count = (service.get("deploy") or {}).get("replicas", service.get("scale", 1))
    return 1 if count is None else int(count)


def judge(container, now):
    """Return the Verdict on a container; now is in seconds since the epoch."""
    state, policy = container["State"], container["HostConfig"]["RestartPolicy"].get("Name") or "no"
    status, health = state["Status"], (state.get("Health") or {}).get("Status")
    ended = "exited with status {}".format(state.get("ExitCode"))
    is_steady = status == "running" and (health == "healthy" or now - started_at(state) >= STEADY_SECONDS)
    if container.get("RestartCount", 0) >= MOST_RESTARTS and not is_steady:
        return Verdict(FAILED, f"restarts again and again, after it {ended}")
    if status == "running":
        if health == "unhealthy":
            return Verdict(FAILED, "is unhealthy{}".format(said_by_check(state)))
        if health == "starting":
            return Verdict(WAITING, "is not healthy yet{}".format(said_by_check(state)))
        settled = health == "healthy" or now - started_at(state) >= SETTLE_SECONDS
        return Verdict(WELL, "") if settled else Verdict(WAITING, "has just started")
    if status == "exited":
        if state.get("ExitCode") == 0 and policy in ("no", "on-failure"):
            return Verdict(WELL, "")  # a job that is done
        return Verdict(FAILED, ended)
    if status in ("restarting", "created", "removing"):
        return Verdict(WAITING, ended + " and is to be restarted" if status == "restarting" else f"is {status}")
    return Verdict(FAILED, f"is {status}")


def said_by_check(state):
    """Return the last output of the health check in parentheses, or nothing."""
    log = (state.get("Health") or {}).get("Log") or []
    output = " ".join((log[-1].get("Output") or "").split())[:200] if log else ""
    return f" (its health check said: {output})" if output else ""


def started_at(state):
    """Return when the container started, in seconds since the epoch."""
    return seconds_of(state.get("StartedAt", ""))


def seconds_of(text):
    """Return a time of the engine's API in whole seconds since the epoch, 0 if it is none; it is always in UTC."""
    try:
        return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return 0


def troubles(project, containers, now):
    """Return (failed, waiting), the Troubles of services of the canonical form."""
    failed: "list[Trouble]" = []
    waiting: "list[Trouble]" = []
    for name, service in sorted(project.get("services", {}).items()):
        listed = containers.get(name, [])
        if len(listed) < wanted_count(service):
            waiting.append(Trouble(name, None, "has too few containers" if listed else "has no container"))
        for container in listed:
            verdict = judge(container, now)
            if verdict.state != WELL:
                found = failed if verdict.state == FAILED else waiting
                found.append(Trouble(name, container["Id"], verdict.reason))
    return failed, waiting


def differing_keys(before, after):
    """Return the keys by which a service of two canonical forms differs; a label tells of secrets and configs."""
    found = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    if "labels" in found:
        old, new = before.get("labels") or {}, after.get("labels") or {}
        labels = {label for label in {*old, *new} if old.get(label) != new.get(label)}
        found |= {kind for kind, label in FILE_LABELS.items() if label in labels}
        found -= {"labels"} if labels <= set(FILE_LABELS.values()) else set()
    return sorted(found)


class ComposeProject:
    """A project on a single host, as containers of its engine."""

    def __init__(self, cli, project):
        self.cli = cli
        self.project = project
        self.name = project.name
        self.file = project.path("current")

    @staticmethod
    def last_secret():
        return 0  # the files on this host are all that there are

    def is_there(self):
        return bool(of_project(self.name))

    def changes(self, before, after):
        """Return (service, what would be done) for each service to bring to a canonical form."""
        containers = of_project(self.name)
        known = self.project.known_hashes()
        found = [(name, "remove") for name in sorted(set(containers) - set(after["services"]))]
        for name, service in sorted(after["services"].items()):
            done = self.change_of(name, service, before, containers.get(name, []), known)
            if done:
                found.append((name, done))
        return found

    def change_of(self, name, service, before, listed, known):
        was = (before.get("services") or {}).get(name)
        if not listed:
            return "create"
        if was is None:
            return "recreate (it is not known what it was made from)"
        differing = differing_keys(was, service)
        if differing:
            return "recreate ({})".format(", ".join(differing))
        if name in known and hashes_of({name: listed})[name] != known[name]:
            return "recreate (it was changed by hand)"
        if len(listed) != wanted_count(service):
            return f"scale from {len(listed)} to {wanted_count(service)}"
        ended = [container for container in listed if container["State"]["Status"] in ("exited", "created", "dead")]
        verdicts = [judge(container, time.time()) for container in ended]
        reasons = [verdict.reason for verdict in verdicts if verdict.state != WELL]
        return f"start (it {reasons[0]})" if reasons else None

    def bring_up(self, seconds):
        self.cli.up(self.name, self.project.folder, self.file, seconds)

    def look(self, canonical):
        return troubles(canonical, of_project(self.name), time.time())

    def logs(self, trouble):
        return self.cli.logs(trouble.container) if trouble.container else []

    def fingerprints(self):
        return hashes_of(of_project(self.name))

    def remove(self, seconds):
        self.cli.down(self.name, self.project.folder, seconds)

    volume_label = PROJECT


def wait(target, canonical, deadline):
    """Wait until all services of a target are well; return the Trouble that ended it, or None."""
    while True:
        failed, waiting = target.look(canonical)
        if not failed and not waiting:
            return None
        if failed:
            return failed[0]
        if time.monotonic() > deadline:
            return waiting[0]._replace(reason=f"{waiting[0].reason}, and the time is up")
        time.sleep(POLL_SECONDS)
