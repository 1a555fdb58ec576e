# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Which swarm this host is a node of, and what a manager knows of the swarm."""

import os
import ssl

from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api
from ansible_collections.slipway.platform.plugins.module_utils.swarm import api

# The encoded object identifier of an organization's name, which is the swarm's ID in a node's certificate.
ORGANIZATION = b"\x06\x03\x55\x04\x0a"
END = "-----END CERTIFICATE-----"
NANOSECONDS_OF_A_DAY = 24 * 60 * 60 * 10**9
INACTIVE = "inactive"
# Managers list all their tasks and services for an answer, and may wait for minutes.
POLL_SECONDS = 0.25


def describe():
    """Return the keys node, swarm and nodes: swarm and nodes are None unless this is a manager with a quorum.

    Without an engine, the node's state is absent. Nothing of it is secret.
    """
    try:
        info = api.get("/info")
    except api.EngineDownError:
        return {"node": {"state": "absent"}, "swarm": None, "nodes": None}
    known = info.get("Swarm") or {}
    node = {
        "state": known.get("LocalNodeState") or INACTIVE,
        "id": known.get("NodeID") or "",
        "address": known.get("NodeAddr") or "",
        "is_manager": bool(known.get("ControlAvailable")),
        "error": " ".join((known.get("Error") or "").split()),
        "swarm_id": "",
        "is_leader": False,
        "has_quorum": None,
        "live_restore": bool(info.get("LiveRestoreEnabled")),
        "engine_version": info.get("ServerVersion") or "",
    }
    if node["state"] == INACTIVE:
        return {"node": node, "swarm": None, "nodes": None}
    node["swarm_id"] = (known.get("Cluster") or {}).get("ID") or certified_swarm(info.get("DockerRootDir") or "")
    swarm = nodes = None
    if node["is_manager"] and node["state"] in ("active", "pending"):
        swarm, nodes = of_manager(node)
    return {"node": node, "swarm": swarm, "nodes": nodes}


def of_manager(node):
    """Return the swarm's settings and its nodes, and note in the node whether it has a quorum."""
    try:
        nodes = [described_node(item) for item in api.get("/nodes") or []]
        swarm = described_swarm(api.get("/swarm"))
    except api.SwarmError as error:
        node["has_quorum"] = False
        node["error"] = node["error"] or str(error)
        return None, None
    node["has_quorum"] = True
    node["is_leader"] = any(other["is_leader"] and other["id"] == node["id"] for other in nodes)
    return swarm, sorted(nodes, key=lambda item: item["hostname"])


def described_swarm(found):
    """Return what is worth knowing of a swarm, without its join tokens."""
    spec = found.get("Spec") or {}
    expiry = (spec.get("CAConfig") or {}).get("NodeCertExpiry") or 0
    return {
        "id": found.get("ID") or "",
        "certificate_days": expiry / NANOSECONDS_OF_A_DAY,
        "task_history": (spec.get("Orchestration") or {}).get("TaskHistoryRetentionLimit"),
        "autolock": bool((spec.get("EncryptionConfig") or {}).get("AutoLockManagers")),
        "address_pools": found.get("DefaultAddrPool") or [],
        "subnet_size": found.get("SubnetSize") or 0,
        "data_path_port": found.get("DataPathPort") or 4789,
    }


def described_node(item):
    spec, status, description = (item.get(name) or {} for name in ("Spec", "Status", "Description"))
    manager = item.get("ManagerStatus")
    return {
        "id": item["ID"],
        "hostname": description.get("Hostname") or "",
        "role": spec.get("Role") or "worker",
        "availability": spec.get("Availability") or "active",
        "labels": spec.get("Labels") or {},
        "state": status.get("State") or "unknown",
        "address": status.get("Addr") or "",
        "engine_version": (description.get("Engine") or {}).get("EngineVersion") or "",
        # A manager that a forced new cluster has left out has the role all the same.
        "is_member": bool(manager),
        "is_leader": bool(manager and manager.get("Leader")),
        "is_reachable": bool(manager and manager.get("Reachability") == "reachable"),
        "manager_address": (manager or {}).get("Addr") or "",
    }


def certified_swarm(root):
    """Return the ID of the swarm whose certificate the node has, below the engine's data root; "" without one.

    A worker's engine does not say which swarm it is in.
    """
    try:
        with open(os.path.join(root, "swarm/certificates/swarm-node.crt"), encoding="ascii") as file:
            der = ssl.PEM_cert_to_DER_cert(file.read().partition(END)[0] + END + "\n")
    except (OSError, ValueError):
        return ""
    # The subject's comes last: the issuer, an external authority, may have an organization of its own before it.
    _, found, value = der.rpartition(ORGANIZATION)
    # The value follows its type, as a tag, a length below 128 and the text.
    return value[2 : 2 + value[1]].decode("ascii", "replace") if found and len(value) > 2 else ""


def state():
    """Return the state of this host's node."""
    return ((api.get("/info").get("Swarm")) or {}).get("LocalNodeState") or INACTIVE


def wait_until(condition, timeout):
    """Poll until the condition holds, also while the engine refuses to answer; return whether it does."""

    def holds():
        try:
            return condition()
        except api.SwarmError:
            return False

    return engine_api.wait_until(holds, timeout, POLL_SECONDS)
