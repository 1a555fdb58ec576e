# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Compare the nodes of a swarm with the inventory: what is wrong, and what each host has to do.

The answers are those of docker_swarm_info and docker_swarm_node, by host. A host without one was not asked: it is
unreachable, or --limit leaves it out.
"""

import ipaddress

from ansible_collections.slipway.platform.plugins.plugin_utils import setting_types

MANAGERS, WORKERS = "docker_swarm_managers", "docker_swarm_workers"
INACTIVE = ("absent", "inactive")
NUMBERS = {"certificate_days": 1, "task_history": 0, "timeout": 1}
CHOICES = {
    "state": ("present", "absent"),
    "availability": ("active", "pause", "drain"),
    "lost_nodes": ("keep", "remove"),
}
# What the engine accepts.
FIRST_PORT, LAST_PORT = 1024, 49151
RECOVERY = (
    "start the lost managers; if that is impossible, run docker swarm init --force-new-cluster --advertise-addr "
    "{address} on {host}, which makes it the only manager and keeps services and workers, and run this again. The role "
    "never does that by itself"
)


def settings_problems(settings):
    """Return a sentence, without a period, for each invalid setting; settings have the role's names without prefix."""
    found = setting_types.problems(
        settings,
        "docker_swarm_{}",
        texts=(
            "listen_address",
            "advertise_address",
            "data_path_address",
            "unlock_key_file",
            "backup_file",
            "state",
            "availability",
            "lost_nodes",
        ),
        numbers=(*NUMBERS, "data_path_port", "subnet_size"),
        lists=("address_pools",),
    )
    if found:
        return found
    for name, choices in CHOICES.items():
        if settings[name] not in choices:
            found.append(f"docker_swarm_{name} is '{settings[name]}': use {' or '.join(choices)}")
    for name, least in NUMBERS.items():
        if setting_types.number(settings[name]) < least:
            found.append(f"docker_swarm_{name} is {settings[name]}: use {least} or more")
    if not FIRST_PORT <= setting_types.number(settings["data_path_port"]) <= LAST_PORT:
        found.append(
            f"docker_swarm_data_path_port is {settings['data_path_port']}: use a port from {FIRST_PORT} to {LAST_PORT}"
        )
    found += pool_problems(settings)
    for name in ("advertise_address", "data_path_address"):
        if is_everywhere(settings[name]):
            found.append(
                f"docker_swarm_{name} is {settings[name]}, at which no other node reaches this one: use an address or "
                "an interface of the host"
            )
    if settings["autolock"] and not settings["unlock_key_file"]:
        found.append(
            "docker_swarm_autolock needs a place for the key, without which no restarted manager gets its state back: "
            "set docker_swarm_unlock_key_file to a path on the controller, or to aws_secret:<name>"
        )
    return found + label_problems(settings["labels"]) + network_problems(settings["networks"])


def pool_problems(settings):
    found = []
    size = setting_types.number(settings["subnet_size"])
    for pool in settings["address_pools"]:
        try:
            network = ipaddress.IPv4Network(pool)
        except ValueError as error:
            found.append(f"docker_swarm_address_pools has '{pool}', which is not a network of IPv4 ({error})")
            continue
        if not network.prefixlen <= size <= 29:
            found.append(
                f"docker_swarm_subnet_size is {size}, and subnets of {pool} have a prefix of {network.prefixlen} to 29 "
                "bits"
            )
    return found


def is_everywhere(address):
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def label_problems(labels):
    if not isinstance(labels, dict):
        return ["docker_swarm_labels is not a mapping: write one, such as {disk: ssd}"]
    return [
        f"docker_swarm_labels has {name} with a list or a mapping: use a text"
        for name, value in labels.items()
        if isinstance(value, (dict, list))
    ]


def network_problems(networks):
    if not isinstance(networks, (list, tuple)):
        return ["docker_swarm_networks is not a list: write one, such as [] for none"]
    found = []
    for number, network in enumerate(networks, 1):
        place = f"entry {number} of docker_swarm_networks"
        if not isinstance(network, dict) or not isinstance(network.get("name"), str) or not network["name"]:
            found.append(f"{place} has no name: write one, such as {{name: backend}}")
            continue
        subnet = network.get("subnet")
        try:
            if subnet:
                ipaddress.ip_network(str(subnet))  # of a number, it is an address
        except ValueError as error:
            found.append(f"{place} has the subnet '{subnet}', which is not a network ({error})")
    names = [network["name"] for network in networks if isinstance(network, dict) and "name" in network]
    twice = list(dict.fromkeys(str(name) for name in names if names.count(name) > 1))
    if twice:
        found.append(f"docker_swarm_networks has {', '.join(twice)} more than once: remove all entries but one")
    return found


class Swarm:
    """The answers of all hosts, the later before the earlier, and what follows from them."""

    def __init__(self, answers, managers, workers, check_mode=False):
        self.managers, self.workers, self.check_mode = list(managers), list(workers), check_mode
        self.hosts = self.managers + [host for host in self.workers if host not in self.managers]
        self.answers = {host: merged([given.get(host) or {} for given in answers]) for host in self.hosts}
        # A host whose engine does not run may be a node; a dry run takes it for one that is to be installed.
        self.silent = [
            host
            for host in self.hosts
            if "node" not in self.answers[host] or (self.node(host)["state"] == "absent" and not check_mode)
        ]
        self.members = [host for host in self.hosts if self.node(host).get("state", "absent") not in INACTIVE]
        self.leaving = [host for host in self.hosts if self.wanted(host).get("state") == "absent"]
        # Managers on which the swarm can be changed; those that are to stay managers come first.
        self.able = [host for host in self.members if self.node(host).get("has_quorum")]
        self.able.sort(key=lambda host: (host in self.leaving, host not in self.managers))
        self.acting = self.able[0] if self.able else ""

    def node(self, host):
        return self.answers[host].get("node") or {}

    def wanted(self, host):
        return self.answers[host].get("wanted") or {}

    def role(self, host):
        return "manager" if host in self.managers else "worker"

    @property
    def is_whole_leaving(self):
        """Return whether nothing is left of the swarm when the hosts that leave have left."""
        is_unknown = not self.acting and self.is_uncertain()
        return all(host in self.leaving for host in self.members) and not self.others() and not is_unknown

    def others(self):
        """Return the nodes that would be left, without lost ones."""
        leaving = self.leaving_ids()
        return [node for node in self.nodes() if node["id"] not in leaving and node["state"] != "down"]

    @property
    def first(self):
        """Return the host that initializes a swarm, or ""."""
        if self.members or not self.managers or self.managers[0] in self.leaving or self.is_uncertain():
            return ""
        return self.managers[0]

    def is_uncertain(self):
        """Return whether a manager that was not asked may know of a swarm."""
        return any(host in self.silent for host in self.managers)

    def joining(self):
        return [
            host
            for host in self.hosts
            if host not in self.silent and host not in self.members and host not in (*self.leaving, self.first)
        ]

    def swarm(self):
        return self.answers[self.acting].get("swarm") or {} if self.acting else {}

    def nodes(self):
        return self.answers[self.acting].get("nodes") or [] if self.acting else []

    def addresses(self):
        return [node["manager_address"] for node in self.nodes() if node["is_reachable"]]

    def wanted_nodes(self):
        """Return the nodes of hosts that stay, as docker_swarm wants them."""
        return [
            {
                "id": self.node(host)["id"],
                "role": self.role(host),
                "availability": self.wanted(host).get("availability", "active"),
                "labels": self.wanted(host).get("labels") or {},
            }
            for host in self.members
            if host not in self.leaving and self.node(host).get("id") and self.node(host)["state"] == "active"
        ]

    def leaving_ids(self):
        """Return the IDs of the nodes of hosts that leave."""
        return [self.node(host)["id"] for host in self.leaving if host in self.members and self.node(host).get("id")]

    def saving(self):
        """Return the manager whose engine may stop for a backup: one that does not lead, if there is one."""
        return min(self.able, key=lambda host: self.node(host)["is_leader"], default="")


def merged(answers):
    """Return the keys of all answers, of which later ones win; what was skipped or failed has none."""
    found = {}
    for answer in answers:
        if isinstance(answer.get("node"), dict):
            found.update({name: answer[name] for name in ("node", "swarm", "nodes", "wanted") if name in answer})
    return found


def plan(answers, managers, workers, check_mode=False):
    """Return what the hosts have to do; answers are dicts by host, in the order of their tasks."""
    swarm = Swarm(answers, managers, workers, check_mode)
    return {
        "acting": swarm.acting,
        "able": swarm.able,
        "first": swarm.first,
        "saving": swarm.saving(),
        "joining": {host: swarm.role(host) for host in swarm.joining()},
        "addresses": swarm.addresses(),
        "nodes": swarm.wanted_nodes(),
        "known": [swarm.node(host)["id"] for host in swarm.members if swarm.node(host).get("id")],
        "is_complete": not swarm.silent,
        "locked": [host for host in swarm.members if swarm.node(host)["state"] == "locked"],
        "leaving": [host for host in swarm.leaving if host in swarm.members],
        "leaving_nodes": [
            {"id": node["id"], "role": "worker", "availability": "drain"}
            for node in swarm.nodes()
            if node["id"] in swarm.leaving_ids()
        ],
        "leaving_ids": swarm.leaving_ids(),
        "ends": bool(swarm.members) and swarm.is_whole_leaving,
    }


def problems(settings, answers, managers, workers, host, check_mode=False):
    """Return a sentence for each reason not to change anything; host is the one whose settings these are."""
    found = settings_problems(settings)
    if not found:
        swarm = Swarm(answers, managers, workers, check_mode)
        found = inventory_problems(swarm) or [*state_problems(swarm, settings), *host_problems(swarm, settings, host)]
    return [f"{sentence}." for sentence in dict.fromkeys(found)]


def inventory_problems(swarm):
    if not swarm.managers:
        return [f"the group {MANAGERS} has no hosts: put one, three or five hosts into it"]
    both = [host for host in swarm.managers if host in swarm.workers]
    if both:
        return [f"{' and '.join(both)} are in both {MANAGERS} and {WORKERS}: remove them from one of the groups"]
    return []


def state_problems(swarm, settings):
    """Return what is wrong with the swarm as a whole."""
    locked = [host for host in swarm.members if swarm.node(host)["state"] == "locked"]
    if locked and swarm.check_mode and settings["unlock_key_file"]:
        return [
            f"the managers on {' and '.join(locked)} are locked, and a dry run cannot look behind that: run without "
            "--check, which unlocks them"
        ]
    if locked:
        return [
            f"the managers on {' and '.join(locked)} are locked: set docker_swarm_unlock_key_file to the file with the "
            "key, or run docker swarm unlock there"
        ]
    identities = {}
    for host in swarm.members:
        identities.setdefault(swarm.node(host).get("swarm_id") or "", []).append(host)
    identities.pop("", None)
    if len(identities) > 1:
        parts = [f"{' and '.join(hosts)} in {identity}" for identity, hosts in identities.items()]
        return [
            f"the hosts are nodes of {len(identities)} swarms, {', '.join(parts)}: let those that should not be in "
            "theirs leave it (docker swarm leave on them, with --force on its last manager), and run this again"
        ]
    if swarm.acting:
        return stay_problems(swarm)
    if not swarm.members:
        return first_problems(swarm)
    without = [host for host in swarm.members if swarm.node(host).get("has_quorum") is False]
    if without:
        address = swarm.node(without[0]).get("address") or "its address"
        return [
            f"the swarm has no quorum, says {without[0]} ({swarm.node(without[0])['error']}): "
            + RECOVERY.format(address=address, host=without[0])
        ]
    if swarm.is_whole_leaving:
        return []
    return [
        f"{' and '.join(swarm.members)} are nodes of a swarm of which no manager has answered: start its managers, or "
        f"include them in this run (--limit {MANAGERS},{swarm.members[0]})"
    ]


def stay_problems(swarm):
    staying = [host for host in swarm.hosts if host not in swarm.leaving]
    if swarm.leaving and staying and not [host for host in staying if host in swarm.managers]:
        return [
            f"docker_swarm_state is absent on all hosts of {MANAGERS}, and not on {', '.join(staying)}: let all hosts "
            "leave, or keep a manager"
        ]
    if swarm.acting in swarm.leaving and not swarm.is_whole_leaving:
        names = ", ".join(node["hostname"] for node in swarm.others())
        return [
            f"the managers that answered leave, and the swarm has other nodes, {names}: include all hosts of "
            f"{MANAGERS} and {WORKERS} in this run, and add those that are missing to the groups"
        ]
    return []


def first_problems(swarm):
    """Return why no new swarm is initialized, though no host is a node of one."""
    silent = [host for host in swarm.managers if host in swarm.silent]
    if not silent or all(host in swarm.leaving for host in swarm.hosts if host not in swarm.silent):
        return []
    return [
        f"no host that answered is a node of a swarm, and {' and '.join(silent)} did not answer, so there may be one "
        f"that this run would set up a second time: include all hosts of {MANAGERS} in this run, or remove from the "
        "group those that are gone"
    ]


def host_problems(swarm, settings, host):
    """Return what is wrong with one host."""
    node = swarm.node(host) if host in swarm.answers else {}
    if node.get("state", "absent") == "absent":
        return (
            []
            if swarm.check_mode or host in swarm.leaving
            else [f"{host} has no engine that answers: run docker_engine first"]
        )
    if node["state"] == "inactive":
        if node["live_restore"] and not swarm.check_mode and host not in swarm.leaving:
            return [
                f"the engine on {host} has live-restore, with which no node of a swarm runs: remove live-restore from "
                "docker_engine_daemon_options, and run playbooks/swarm.yml, which leaves it out for its hosts"
            ]
        return []
    if host in swarm.leaving:
        return []
    return [*member_problems(swarm, node, settings, host), *fixed_problems(swarm.swarm(), settings)]


def member_problems(swarm, node, settings, host):
    found = []
    if node["state"] == "error":
        found.append(
            f"the node on {host} is in the state error ({node['error']}): run docker swarm leave --force there, and "
            "run this again, so that it joins"
        )
    elif node["state"] == "pending":
        found.append(
            f"the node on {host} is pending, because it reaches no manager: journalctl --unit=docker.service says why"
        )
    elif swarm.nodes() and node["id"] not in [other["id"] for other in swarm.nodes()]:
        found.append(
            f"the swarm does not know the node on {host}, which was removed from it: run docker swarm leave --force "
            "there, and run this again, so that it joins"
        )
    address = settings["advertise_address"]
    if not is_address(address):
        address = address.rpartition(":")[0].strip("[]")  # without its port
    if is_address(address) and is_address(node["address"]) and not is_same(address, node["address"]):
        found.append(
            f"{host} is a node with the address {node['address']}, and docker_swarm_advertise_address is {address}: an "
            "address changes only if the host leaves and joins (docker_swarm_state: absent, then present)"
        )
    return found


def is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_same(one, other):
    """Return whether two texts are the same address, which IPv6 spells in many ways."""
    return ipaddress.ip_address(one) == ipaddress.ip_address(other)


def fixed_problems(known, settings):
    """Return which settings differ from those that a swarm keeps as long as it exists."""
    found = []
    if not known:
        return found
    remedy = "which a swarm keeps as long as it exists: correct the variable, or make a new swarm"
    port = setting_types.number(settings["data_path_port"])
    if known["data_path_port"] != port:
        found.append(f"the swarm's data path has the port {known['data_path_port']}, not {port}, {remedy}")
    pools = list(settings["address_pools"])
    size = setting_types.number(settings["subnet_size"])
    if pools and (known["address_pools"], known["subnet_size"]) != (pools, size):
        found.append(
            "the swarm has the address pools {} with subnets of /{}, not {} with /{}, {}".format(
                ", ".join(known["address_pools"]) or "of the engine",
                known["subnet_size"],
                ", ".join(pools),
                size,
                remedy,
            )
        )
    return found
