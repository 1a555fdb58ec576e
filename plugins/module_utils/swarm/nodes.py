# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Settings of a swarm, its nodes and its networks, as a manager changes them."""

import json

from ansible_collections.slipway.platform.plugins.module_utils.swarm import api, membership

# Changes that another client made meanwhile are read again this often.
ATTEMPTS = 5
ENDED = ("complete", "shutdown", "failed", "rejected", "remove", "orphaned")


def swarm_spec(params, spec):
    """Return the swarm's spec with the wanted settings."""
    wanted = json.loads(json.dumps(spec))
    if params["certificate_days"] is not None:
        wanted.setdefault("CAConfig", {})["NodeCertExpiry"] = (
            params["certificate_days"] * membership.NANOSECONDS_OF_A_DAY
        )
    if params["task_history"] is not None:
        wanted.setdefault("Orchestration", {})["TaskHistoryRetentionLimit"] = params["task_history"]
    return wanted


def update_swarm(change):
    """Apply a function to the swarm's spec; return whether that changed it."""
    for attempt in range(ATTEMPTS):
        found = api.get("/swarm")
        wanted = change(found["Spec"])
        if wanted == found["Spec"]:
            return False
        try:
            api.request("POST", f"/swarm/update?version={found['Version']['Index']}", wanted)
        except api.SwarmError as error:
            if api.OUT_OF_SEQUENCE not in str(error) or attempt == ATTEMPTS - 1:
                raise
        else:
            return True
    return False


def wanted_node(known, wanted):
    """Return a node, as membership describes it, as it should be. A label that is null is removed."""
    labels = {**known["labels"], **(wanted.get("labels") or {})}
    return {
        **known,
        "role": wanted.get("role") or known["role"],
        "availability": wanted.get("availability") or known["availability"],
        "labels": {key: str(value) for key, value in labels.items() if value is not None},
    }


def shown(node):
    return {name: node[name] for name in ("role", "availability", "labels")}


def update_node(wanted):
    """Have the swarm change a node; wanted is as wanted_node returns it."""
    url = f"/nodes/{wanted['id']}"
    for attempt in range(ATTEMPTS):
        found = api.get(url)
        spec = {
            **found["Spec"],
            "Role": wanted["role"],
            "Availability": wanted["availability"],
            "Labels": wanted["labels"],
        }
        try:
            api.request("POST", f"{url}/update?version={found['Version']['Index']}", spec)
        except api.SwarmError as error:
            if api.OUT_OF_SEQUENCE not in str(error) or attempt == ATTEMPTS - 1:
                raise
        else:
            return


def quorum_problem(nodes, leaving):
    """Return why the managers with these IDs cannot stop being managers, or None."""
    managers = [node for node in nodes if node["role"] == "manager" and node["is_member"]]
    left = [node for node in managers if node["id"] not in leaving]
    reachable = sum(node["is_reachable"] for node in left)
    if not leaving.intersection(node["id"] for node in managers) or reachable * 2 > len(left):
        return None
    return (
        f"of the {len(left)} managers that would be left, {reachable} would be reachable, which is no majority: bring "
        "managers back, or add some, first"
    )


def is_busy(node_id):
    """Return whether tasks run on a node."""
    tasks = api.get("/tasks", {"node": [node_id]}) or []
    return any((task.get("Status") or {}).get("State") not in ENDED for task in tasks if task.get("Status"))


def whole_services(draining=()):
    """Return the IDs of replicated services of which as many tasks run as should, without those of some nodes."""
    running = {}  # type: dict[str, int]
    for task in api.get("/tasks", {"desired-state": ["running"]}) or []:
        if (task.get("Status") or {}).get("State") == "running" and task.get("NodeID") not in draining:
            running[task["ServiceID"]] = running.get(task["ServiceID"], 0) + 1
    return {identity for identity, service in services().items() if running.get(identity, 0) >= service["replicas"]}


def services():
    """Return name and replicas of all replicated services by ID."""
    found = {}
    for service in api.get("/services") or []:
        replicated = (service["Spec"].get("Mode") or {}).get("Replicated")
        if replicated and replicated.get("Replicas"):
            found[service["ID"]] = {"name": service["Spec"]["Name"], "replicas": replicated["Replicas"]}
    return found


def wait_until_ready(node_id, is_manager, timeout):
    """Wait until a node answers the managers, and as a manager takes part in the quorum."""

    def is_ready():
        node = membership.described_node(api.get(f"/nodes/{node_id}"))
        return node["state"] == "ready" and (node["is_reachable"] or not is_manager)

    if not membership.wait_until(is_ready, timeout):
        node = membership.described_node(api.get(f"/nodes/{node_id}"))
        raise api.SwarmError(
            "node {} did not come back within {} s: its state is {}{}. See journalctl --unit=docker on it".format(
                node["hostname"],
                timeout,
                node["state"],
                ", and as a manager it is unreachable" if is_manager and not node["is_reachable"] else "",
            )
        )


def wait_until_drained(before, drained, timeout):
    """Wait until services run elsewhere; otherwise put the nodes' availability back.

    before: IDs of services that were whole. drained: the nodes as they were.
    """
    identities = [node["id"] for node in drained]

    def is_done():
        missing = before - whole_services(identities)
        return not missing.intersection(services()) and not any(map(is_busy, identities))

    if membership.wait_until(is_done, timeout):
        return
    known = services()
    names = [known[identity]["name"] for identity in before - whole_services(identities) if identity in known]
    for node in drained:  # labels and role stay as they are by now
        found = membership.described_node(api.get(f"/nodes/{node['id']}"))
        update_node({**found, "availability": node["availability"]})
    raise api.SwarmError(
        "{} could not be drained within {} s: {}. Its availability is as before".format(
            " and ".join(node["hostname"] for node in drained),
            timeout,
            "its tasks did not stop"
            if not names
            else "the other nodes do not run all of {}, as docker service ps {} shows".format(
                ", ".join(sorted(names)), sorted(names)[0]
            ),
        )
    )


def remove(nodes, timeout):
    """Remove nodes that are gone; a manager is demoted before."""
    for node in nodes:
        if node["role"] == "manager" and node["is_member"]:
            update_node({**node, "role": "worker"})
            membership.wait_until(lambda node=node: not api.get(f"/nodes/{node['id']}").get("ManagerStatus"), timeout)
        if not membership.wait_until(
            lambda node=node: membership.described_node(api.get(f"/nodes/{node['id']}"))["state"] == "down", timeout
        ):
            raise api.SwarmError(
                f"{node['hostname']} still answers the swarm after {timeout} s, and was not removed: run docker swarm "
                "leave on it, and run this again"
            )
        api.request("DELETE", f"/nodes/{node['id']}?force=1")


def network_body(wanted):
    """Return the request that makes an overlay network."""
    pools = [{"Subnet": wanted["subnet"]}] if wanted.get("subnet") else []
    return {
        "Name": wanted["name"],
        "Driver": "overlay",
        "CheckDuplicate": True,
        "Attachable": wanted["attachable"],
        "Internal": wanted["internal"],
        "Options": {"encrypted": ""} if wanted["encrypted"] else {},
        "IPAM": {"Driver": "default", "Config": pools},
    }


def found_network(name):
    """Return the network with this name, or None."""
    listed = api.get("/networks", {"name": [name]}) or []
    return next((network for network in listed if network["Name"] == name), None)


def network_problem(wanted, found):
    """Return why an existing network is not the wanted one, or None."""
    if found is None:
        return None
    differences = [
        name
        for name, is_like in (
            ("the driver overlay", found["Driver"] == "overlay"),
            ("encrypted", ("encrypted" in (found.get("Options") or {})) == wanted["encrypted"]),
            ("attachable", bool(found.get("Attachable")) == wanted["attachable"]),
            ("internal", bool(found.get("Internal")) == wanted["internal"]),
            (
                "subnet",
                not wanted.get("subnet")
                or wanted["subnet"] in [pool.get("Subnet") for pool in (found.get("IPAM") or {}).get("Config") or []],
            ),
        )
        if not is_like
    ]
    if not differences:
        return None
    return (
        f"network {wanted['name']} exists and differs in {' and '.join(differences)}, which cannot be changed: use "
        "another name, or remove it with docker network rm when no service uses it"
    )
