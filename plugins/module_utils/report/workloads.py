# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Facts from the engine's API: containers, the ports that they publish, images, deployed services, the swarm."""

import ipaddress
import json

from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api
from ansible_collections.slipway.platform.plugins.module_utils.report.bounded import UnansweredError

MOST_NAMED = 20  # of each kind, so that a host with a thousand containers does not fill the page
# The project and the service of a container of Compose; what has ended with status 0 may be a task, and done.
PROJECT, SERVICE, ONCE = "com.docker.compose.project", "com.docker.compose.service", "com.docker.compose.oneoff"
DONE = "Exited (0)"
BASE_NAME, BASE_DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"


def ask(url, deadline):
    """Return the decoded answer of the engine. Raises UnansweredError."""
    body = engine_api.get(engine_api.SOCKET, url, deadline.left())
    if body is None:
        raise UnansweredError(f"the engine does not answer on {engine_api.SOCKET}")
    try:
        return json.loads(body)
    except ValueError as error:
        raise UnansweredError(f"the engine's answer to {url} is not JSON") from error


def containers(deadline, options):
    """Return the number of running containers, those in trouble, and ports that are open to all addresses."""
    listed = ask("/containers/json?all=1", deadline)
    return {
        "running": sum(item.get("State") == "running" for item in listed),
        "unhealthy": named(listed, lambda item: "(unhealthy)" in item.get("Status", "")),
        "restarting": named(listed, lambda item: item.get("State") == "restarting"),
        "dead": named(listed, lambda item: item.get("State") == "dead"),
        "open_ports": open_ports(listed),
    }


def named(listed, condition):
    return sorted(name_of(item) for item in listed if condition(item))[:MOST_NAMED]


def name_of(item):
    names = item.get("Names") or [item.get("Id", "")[:12]]
    return names[0].lstrip("/")


def open_ports(listed):
    """Return container, port and protocol for each port that any address of the host publishes."""
    found = {
        (port["PublicPort"], port.get("Type", "tcp"), name_of(item))
        for item in listed
        for port in item.get("Ports") or []
        if port.get("PublicPort") and is_any(port.get("IP") or "0.0.0.0")
    }
    return [{"port": number, "protocol": protocol, "container": name} for number, protocol, name in sorted(found)][
        :MOST_NAMED
    ]


def is_any(address):
    """Return whether an address stands for all addresses of the host, 0.0.0.0 or ::."""
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def images(deadline, options):
    """Return the images that containers use, with their age in seconds since 1970, and the bases of built ones."""
    used = {item.get("ImageID") for item in ask("/containers/json?all=1", deadline)}
    listed = ask("/images/json?digests=1", deadline)
    digests = {
        reference: digest.partition("@")[2]
        for item in listed
        for reference in item.get("RepoTags") or []
        for digest in item.get("RepoDigests") or []
        if digest.partition("@")[0] == reference.rpartition(":")[0]  # another repository may have another digest
    }
    return {
        "count": len(listed),
        "used": sorted(
            ({"name": image_name(item), "created": item.get("Created", 0)} for item in listed if item["Id"] in used),
            key=lambda image: image["created"],
        )[:MOST_NAMED],
        "bases": [base for base in map(base_of, listed) if base][:MOST_NAMED],
        "digests": {reference: digests[reference] for reference in sorted(digests)[: 5 * MOST_NAMED]},
    }


def image_name(item):
    tags = [tag for tag in item.get("RepoTags") or [] if tag != "<none>:<none>"]
    return tags[0] if tags else item.get("Id", "")[:19]


def base_of(item):
    """Return the image, and name and digest of its base, as the labels of OCI say it; None without them."""
    labels = item.get("Labels") or {}
    if not labels.get(BASE_NAME) or not labels.get(BASE_DIGEST):
        return None
    return {"image": image_name(item), "base": labels[BASE_NAME], "digest": labels[BASE_DIGEST]}


def services(deadline, options):
    """Return the number of deployed services, and those that do not run as they should, each with what is wrong.

    They are the services of Compose projects on this host, and on a manager of a swarm those of the swarm.
    """
    found = {}  # type: dict[str, list[str]]
    for item in ask("/containers/json?all=1", deadline):
        labels = item.get("Labels") or {}
        if labels.get(PROJECT) and labels.get(ONCE) != "True":
            name = f"{labels[PROJECT]}/{labels.get(SERVICE, '')}"
            found.setdefault(name, []).append(trouble_of(item, deadline))
    for item in swarm_services(deadline):
        status = item.get("ServiceStatus") or {}
        running, wanted = status.get("RunningTasks", 0), status.get("DesiredTasks", 0)
        lacking = f"runs {running} of {wanted} tasks" if running < wanted and not status.get("CompletedTasks") else ""
        found[item.get("Spec", {}).get("Name", item.get("ID", ""))] = [lacking]
    failing = {name: next(filter(None, states)) for name, states in sorted(found.items()) if any(states)}
    return {
        "count": len(found),
        "up": len(found) - len(failing),
        "failing": [{"name": name, "trouble": text} for name, text in failing.items()][:MOST_NAMED],
    }


def trouble_of(item, deadline):
    """Return what is wrong with a container of a service, "" if nothing is."""
    state, status = item.get("State", ""), item.get("Status", "")
    if state == "running":
        return "is unhealthy" if "(unhealthy)" in status else ""
    return "" if status.startswith(DONE) and not is_kept(item, deadline) else f"is {state}"


def is_kept(item, deadline):
    """Return whether a container is to run always: one that has ended with status 0 was stopped, and is no task."""
    host = ask(f"/containers/{item['Id']}/json", deadline).get("HostConfig") or {}
    return (host.get("RestartPolicy") or {}).get("Name") in ("always", "unless-stopped")


def swarm_services(deadline):
    """Return the services of the swarm; on a node that is no manager, none. Raises UnansweredError."""
    known = ask("/info", deadline).get("Swarm") or {}
    if known.get("ControlAvailable") and known.get("Error"):
        raise UnansweredError("the swarm does not answer, see the check of the swarm")
    return ask("/services?status=true", deadline) if known.get("ControlAvailable") else []


def swarm(deadline, options):
    """Return the state of this node of a swarm, and on a manager, how many of the managers are reachable.

    error is why the managers answer nothing, as without a quorum; "" if they do.
    """
    known = ask("/info", deadline).get("Swarm") or {}
    state = known.get("LocalNodeState", "inactive")
    found = {"state": state, "role": "worker" if state == "active" else "", "managers": 0, "reachable": 0, "error": ""}
    if state == "inactive" or not known.get("ControlAvailable"):
        return found
    if known.get("Error"):
        return {**found, "role": "manager", "error": " ".join(known["Error"].split()).rstrip(".")}
    statuses = [node.get("ManagerStatus") for node in ask("/nodes", deadline)]
    managers = [status for status in statuses if status]
    reachable = sum(status.get("Reachability") == "reachable" for status in managers)
    return {**found, "role": "manager", "managers": len(managers), "reachable": reachable}
