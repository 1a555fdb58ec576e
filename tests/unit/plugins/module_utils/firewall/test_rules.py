# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.firewall import rules

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("open", {"port": 443}),
    ("open", {"port": "8000-8010", "protocol": "udp", "sources": ["192.0.2.0/24"], "interfaces": ["eth0", "ens*"]}),
    ("closed", {"port": 1}),
    ("closed", {"port": "65535", "protocol": None, "sources": None, "interfaces": None}),
    ("closed", {"port": "80-80"}),
    ("closed", {"protocol": "sctp"}),
    ("closed", {"sources": ["192.0.2.7", "2001:db8::/32", "0.0.0.0/0", "::/0"]}),
    ("closed", {"interfaces": ["br-0123456789ab", "vlan.100", "eth0:1"]}),
]
BAD: list[tuple[str, Any, str]] = [
    ("closed", 443, "must be a dictionary"),
    ("closed", {}, "sets nothing, and would allow everything"),
    ("closed", {"port": None, "protocol": ""}, "sets nothing, and would allow everything"),
    ("closed", {"port": 9100, "sources": []}, "has empty sources, which would allow all"),
    ("open", {"port": 9100, "interfaces": []}, "has empty interfaces, which would allow all"),
    ("closed", {"port": "", "sources": ["192.0.2.7"]}, "has empty port, which would allow all"),
    ("closed", {"port": "", "sources": []}, "has empty port and sources, which would allow all"),
    ("open", {"sources": ["192.0.2.7"]}, "sets no port, which has no effect"),
    *(
        ("closed", {"port": port}, f"has the port '{port}', which is neither a port nor a range")
        for port in (0, 65536, -1, True, 80.5, "http", "8080:80", "80-", "1-65536", "٤٤٣", "443\n", [443])
    ),
    ("closed", {"port": "8010-8000"}, "a range that ends before it begins: use 8000-8010"),
    *(
        ("closed", {"port": 80, "protocol": name}, f"has the protocol {name}, by which no port is published")
        for name in ("icmp", "TCP", "tcp/udp", 6)
    ),
    *(
        ("closed", {"sources": [source]}, f"has the source '{source}', which is neither an address nor a network")
        for source in (
            "example.com",
            "192.0.2.0/33",
            "192.0.2",
            "2001:db8::/129",
            "fe80::1%eth0/64",
            "",
            "::1 accept",
        )
    ),
    ("closed", {"sources": ["10.1.2.3/8"]}, "use 10.0.0.0/8 for the network, or 10.1.2.3 for the one address"),
    ("closed", {"sources": ["2001:db8::1/64"]}, "use 2001:db8::/64 for the network, or 2001:db8::1 for the one"),
    *(
        ("closed", {"interfaces": [name]}, f"has the interface '{name}', which is not the name of one")
        for name in ("", "*", "eth 0", "eth/0", "sixteencharacter", 'a"b', "a*b", "eth0\n", "$x")
    ),
]


@pytest.mark.parametrize(("policy", "entry"), GOOD, ids=str)
def test_valid_settings_are_accepted(policy: str, entry: dict[str, Any]) -> None:
    assert rules.problems({"policy": policy, "allow": [entry]}) == []


@pytest.mark.parametrize(("policy", "entry", "words"), BAD, ids=repr)
def test_each_mistake_gives_one_sentence_with_its_place(policy: str, entry: Any, words: str) -> None:
    """Fault: a port, range, protocol, source or interface that does not exist, or a list of clients that turned out
    empty. Outcome: refused; nothing changes.
    """
    (sentence,) = rules.problems({"policy": policy, "allow": [{"port": 443}, entry]})
    assert sentence.startswith("Entry 2 of docker_firewall_allow ")
    assert words in sentence


def published(policy: str, *allow: dict[str, Any]) -> list[str]:
    """Return the rules that decide about published ports."""
    text = rules.render(policy, list(allow))
    return [line.strip() for line in text.partition("chain published {")[2].partition("}\n\n")[0].splitlines()][1:-1]


def test_a_closed_policy_ends_with_a_drop() -> None:
    assert published("closed") == ["counter drop"]
    assert published("closed", {"port": 443}) == [
        "meta l4proto tcp ct original proto-dst 443 accept",
        "counter drop",
    ]


def test_an_open_policy_closes_the_listed_ports_to_others_once() -> None:
    entries = [{"port": 80, "sources": ["192.0.2.7"]}, {"port": 80, "sources": ["192.0.2.9"]}]
    port = "meta l4proto tcp ct original proto-dst 80"
    assert published("open", *entries) == [
        f"ct original ip saddr {{ 192.0.2.7 }} {port} accept",
        f"ct original ip saddr {{ 192.0.2.9 }} {port} accept",
        f"{port} counter drop",
    ]


def test_an_entry_is_a_rule_for_each_interface_and_family() -> None:
    entry = {"protocol": "udp", "sources": ["192.0.2.7", "2001:db8::/32"], "interfaces": ["eth0", "ens*"]}
    assert published("closed", entry)[:-1] == [
        f'iifname "{name}" ct original {source} meta l4proto udp accept'
        for name in ("eth0", "ens*")
        for source in ("ip saddr { 192.0.2.7 }", "ip6 saddr { 2001:db8::/32 }")
    ]


def test_networks_that_overlap_are_one_since_nft_accepts_no_overlap_in_a_set() -> None:
    entry = {"sources": ["10.0.0.0/8", "10.1.0.0/16", "10.0.0.1", "192.0.2.0/25", "192.0.2.128/25"]}
    assert published("closed", entry)[0] == "ct original ip saddr { 10.0.0.0/8, 192.0.2.0/24 } accept"


def test_only_nodes_reach_the_ports_of_a_swarm() -> None:
    assert "hook input" not in rules.render("closed", [])
    text = rules.render("open", [], ["10.0.0.1", "10.0.0.2/32", "fd00::/64"], 2378, 4790)
    chains = [line.strip() for line in text.partition("chain nodes {")[2].splitlines()]
    assert chains[1:4] == ["ip saddr { 10.0.0.1, 10.0.0.2 } accept", "ip6 saddr { fd00::/64 } accept", "counter drop"]
    assert "meta l4proto tcp th dport { 2378, 7946 } goto nodes" in chains
    assert "meta l4proto udp th dport { 4790, 7946 } goto nodes" in chains
    assert rules.is_active("open", [], ["10.0.0.1"])


@pytest.mark.parametrize("node", ["manager1", "10.0.0.1/8", ""])
def test_a_node_of_a_swarm_is_an_address_or_a_network(node: str) -> None:
    (sentence,) = rules.problems({"policy": "open", "allow": [], "swarm_nodes": [node]})
    assert sentence.startswith("docker_firewall_swarm_nodes has the source")
