# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Make this host a node of a swarm, unlock it, and let it leave."""

import contextlib
import socket

from ansible_collections.slipway.platform.plugins.module_utils.swarm import api, membership

CONNECT_SECONDS = 5
UNLOCK_SECONDS = 15
# Phrases of the engine about tokens, and the remedy.
TOKENS = (
    ("does not match fingerprint", "the join token is that of another swarm"),
    ("join token is necessary", "the manager does not accept the join token, which was rotated meanwhile: run again"),
    ("invalid join token", "the join token is malformed: take it from docker swarm join-token"),
)


def refuse_impossible(node):
    """Raise SwarmError if the engine is not able to become a node."""
    if node["state"] == "absent":
        raise api.EngineDownError("no engine answers on this host: run docker_engine first")
    if node["live_restore"]:
        raise api.SwarmError(
            "the engine has live-restore, with which no node of a swarm runs: remove live-restore from "
            "docker_engine_daemon_options and run playbooks/swarm.yml, which leaves it out for the groups "
            "docker_swarm_managers and docker_swarm_workers"
        )


def addresses(params):
    return {
        "ListenAddr": params["listen_address"],
        "AdvertiseAddr": params["advertise_address"],
        "DataPathAddr": params["data_path_address"],
    }


def init(params):
    """Make a new swarm, whose first manager this host is."""
    body = {
        **addresses(params),
        "DataPathPort": params["data_path_port"],
        "DefaultAddrPool": params["address_pools"],
        "SubnetSize": params["subnet_size"],
        "Availability": params["availability"],
        "ForceNewCluster": False,
        "Spec": {},
    }
    try:
        api.request("POST", "/swarm/init", body, params["timeout"])
    except api.SwarmError as error:
        raise explained(error) from error


def join(params):
    """Join the swarm of the managers; a host that cannot join is as it was before."""
    if not params["managers"]:
        raise api.SwarmError("there is no manager to join at: see why the first host of docker_swarm_managers failed")
    reached = [address for address in params["managers"] if is_open(address)]
    if not reached:
        raise api.SwarmError(
            "no manager answers at {}: open 2377/tcp, 7946/tcp and udp, and the data path's port (4789/udp) between "
            "the nodes, and see docker_swarm_advertise_address of the managers".format(" or ".join(params["managers"]))
        )
    body = {
        **addresses(params),
        "RemoteAddrs": reached,
        "JoinToken": params["join_token"],
        "Availability": params["availability"],
    }
    try:
        api.request("POST", "/swarm/join", body, params["timeout"])
        if not membership.wait_until(lambda: membership.state() == "active", params["timeout"]):
            raise api.SwarmError(membership.describe()["node"]["error"] or "the node did not become active in time")
    except api.SwarmError as error:
        with contextlib.suppress(api.SwarmError):
            api.request("POST", "/swarm/leave?force=1", timeout=params["timeout"])
        raise explained(error) from error


def explained(error):
    """Return the error with the remedy, if it is one that is known."""
    message = str(error)
    for phrase, sentence in TOKENS:
        if phrase in message:
            return api.SwarmError(sentence)
    if "advertise" in message:  # the host has several addresses
        return api.SwarmError(f"{message}: set docker_swarm_advertise_address of this host to one of its addresses")
    if "Timeout was reached" in message:
        return api.SwarmError(
            "the manager did not let the node in before the time was up: see journalctl --unit=docker on both, and "
            "whether the managers reach this host at 2377/tcp if it is to be a manager"
        )
    return error


def is_open(address):
    """Return whether something listens at the address of a manager, such as 10.0.0.1:2377 or [fd00::1]:2377."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True


def unlock(params):
    """Give the engine the key with which its swarm's state is encrypted.

    The engine takes the key at once, and answers when enough of the other managers are unlocked for a quorum.
    """
    try:
        with contextlib.suppress(api.EngineDownError):
            api.request("POST", "/swarm/unlock", {"UnlockKey": params["unlock_key"]}, UNLOCK_SECONDS)
    except api.SwarmError as error:
        raise api.SwarmError(
            f"the key does not unlock this manager ({error}): if it was rotated while this manager was down, use the "
            "one before, which docker_swarm_unlock_key_file has with .previous at its end"
        ) from error
    if not membership.wait_until(lambda: membership.state() != "locked", params["timeout"]):
        raise api.SwarmError(
            f"the manager is still locked {params['timeout']} s after it got the key: see journalctl --unit=docker"
        )


def leave(params):
    """Leave the swarm."""
    api.request("POST", f"/swarm/leave?force={int(params['force'])}", timeout=params["timeout"])
    if not membership.wait_until(lambda: membership.state() == membership.INACTIVE, params["timeout"]):
        raise api.SwarmError(f"the host is still a node after {params['timeout']} s: see journalctl --unit=docker")
