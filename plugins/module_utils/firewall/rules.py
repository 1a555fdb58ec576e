# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check the settings of docker_firewall, and render them as a table of nftables.

The table only drops: a packet that it accepts still has to pass the engine's rules and those of the host. It judges
connections by what conntrack knows of their first packet, the published port and the client, so that it needs none of
the engine's chains and works with both of its backends.
"""

import contextlib
import ipaddress
import re

TABLE = "slipway_docker"
PROTOCOLS = ("tcp", "udp", "sctp")
HIGHEST_PORT = 65535
PORTS = re.compile(r"\A([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")
# The kernel's limit, and those of its characters that need no quoting; a * at the end stands for any rest.
INTERFACE = re.compile(r"\A[A-Za-z0-9_.@:-]{1,15}\Z|\A[A-Za-z0-9_.@:-]{1,14}\*\Z")
# Before the chains of iptables and firewalld, which have priority 0, and after DNAT.
PRIORITY = -1
# Names that the engine gives to bridges. Packets to their containers' own addresses count as published, too: engines
# before 28 let them pass to a published port.
BRIDGES = ("docker0", "docker_gwbridge", "br-*")
TEXT = """# managed by slipway.platform.docker_firewall
table inet {table}
delete table inet {table}
table inet {table} {{
	chain published {{
{published}
	}}

	chain forward {{
		type filter hook forward priority {priority}; policy accept;
		meta oifkind != "bridge" accept
		ct direction reply accept
		meta l4proto {{ icmp, ipv6-icmp }} ct state related accept
		ct status dnat goto published
		meta iifkind "bridge" accept
{direct}
	}}
{swarm}}}
"""
# What nodes of a swarm listen at, on the host itself. A node is not a client of its own ports by another interface.
SWARM_TEXT = """
	chain nodes {{
{nodes}
		counter drop
	}}

	chain input {{
		type filter hook input priority {priority}; policy accept;
		meta iif "lo" accept
		meta l4proto tcp th dport {{ {tcp} }} goto nodes
		meta l4proto udp th dport {{ {udp} }} goto nodes
	}}
"""
GOSSIP = 7946


def is_active(policy, allow, swarm_nodes=()):
    """Return whether the settings restrict anything."""
    return restricts_published(policy, allow) or bool(swarm_nodes)


def restricts_published(policy, allow):
    """Return whether the settings restrict ports that containers publish."""
    return policy == "closed" or bool(allow)


def problems(settings):
    """Return a sentence for each mistake in the settings policy and allow."""
    found = []
    for number, entry in enumerate(settings["allow"], 1):
        place = f"Entry {number} of docker_firewall_allow"
        found += [f"{place} {reason}." for reason in reasons(entry, settings["policy"])]
    for node in settings.get("swarm_nodes") or ():
        found += [f"docker_firewall_swarm_nodes {reason}." for reason in source_reasons(node)]
    return found


def reasons(entry, policy):
    """Yield what is wrong with an entry, without its place."""
    if not isinstance(entry, dict):
        yield "must be a dictionary, such as {port: 443, sources: [192.0.2.0/24]}"
        return
    # Left out, a key does not matter; empty, it comes from a variable that was meant to say who.
    empty = [key for key in ("port", "sources", "interfaces") if entry.get(key) in ("", [])]
    if empty:
        yield f"has empty {' and '.join(empty)}, which would allow all: fill it in, or remove the key if all are meant"
    elif not any(is_set(entry.get(key)) for key in ("port", "protocol", "sources", "interfaces")):
        yield "sets nothing, and would allow everything: remove it, or set docker_firewall_policy: open"
    elif policy == "open" and not is_set(entry.get("port")):
        yield "sets no port, which has no effect with docker_firewall_policy: open: set port, or the policy to closed"
    yield from port_reasons(entry.get("port"))
    protocol = entry.get("protocol")
    if is_set(protocol) and protocol not in PROTOCOLS:
        yield f"has the protocol {protocol}, by which no port is published: use tcp, udp or sctp"
    for source in entry.get("sources") or ():
        yield from source_reasons(source)
    for name in entry.get("interfaces") or ():
        if not INTERFACE.match(str(name)):
            yield (
                f"has the interface '{name}', which is not the name of one: use a name of at most 15 characters "
                "without blanks and slashes, such as eth0, or its beginning and *, such as ens*"
            )


def is_set(value):
    return value not in (None, "", [])


def port_reasons(value):
    if not is_set(value):
        return
    first, last = ports(value)
    if not 1 <= first <= HIGHEST_PORT or not 1 <= last <= HIGHEST_PORT:
        yield (
            f"has the port '{value}', which is neither a port nor a range: use the host's port, from 1 to "
            f"{HIGHEST_PORT}, such as 8080 or 8000-8010"
        )
    elif first > last:
        yield f"has the ports {value}, a range that ends before it begins: use {last}-{first}"


def source_reasons(value):
    network = None
    if "%" not in value:  # of an address with a scope, which newer versions of Python take for valid
        with contextlib.suppress(ValueError):
            network = ipaddress.ip_network(value, strict=False)
    if network is None:
        yield (
            f"has the source '{value}', which is neither an address nor a network: use one such as 192.0.2.0/24, "
            "192.0.2.7 or 2001:db8::/32"
        )
        return
    address = value.partition("/")[0]
    if ipaddress.ip_address(address) != network.network_address:
        yield (
            f"has the source {value}, which is not a network, since bits of the host are set: use {network} for the "
            f"network, or {address} for the one address"
        )


def ports(value):
    """Return the first and the last port of a port or a range; (0, 0) if it is neither."""
    match = PORTS.match(str(value))
    return (int(match.group(1)), int(match.group(2) or match.group(1))) if match else (0, 0)


def render(policy, allow, swarm_nodes=(), swarm_port=2377, data_path_port=4789):
    """Return the text that nft loads; it replaces the table in one transaction.

    swarm_nodes are the addresses that may reach the ports of a swarm, everyone if there are none.
    """
    published = [rule for entry in allow for rule in accepting(entry)]
    if policy == "closed":
        published.append("counter drop")
    else:
        # The ports that entries name are open to their clients only.
        published += sorted({f"{connection(entry)} counter drop" for entry in allow})
    return TEXT.format(
        table=TABLE,
        priority=PRIORITY,
        published="\n".join("\t\t" + rule for rule in published),
        direct="\n".join(f'\t\toifname "{name}" goto published' for name in BRIDGES),
        swarm=swarm_chains(swarm_nodes, swarm_port, data_path_port) if swarm_nodes else "",
    )


def swarm_chains(swarm_nodes, swarm_port, data_path_port):
    """Return the chains that let only nodes reach what a node of a swarm listens at."""
    families = {
        "ip": collapsed(ipaddress.IPv4Network, swarm_nodes),
        "ip6": collapsed(ipaddress.IPv6Network, swarm_nodes),
    }
    return SWARM_TEXT.format(
        priority=PRIORITY,
        nodes="\n".join(
            f"\t\t{name} saddr {{ {', '.join(found)} }} accept" for name, found in families.items() if found
        ),
        tcp=", ".join(str(port) for port in sorted({swarm_port, GOSSIP})),
        udp=", ".join(str(port) for port in sorted({data_path_port, GOSSIP})),
    )


def accepting(entry):
    """Return the rules that let the clients of an entry in: one for each interface and family of addresses."""
    by_interface = [f'iifname "{name}"' for name in entry.get("interfaces") or ()] or [""]
    by_source = addresses(entry.get("sources") or ()) or [""]
    return [
        " ".join(part for part in (interface, source, connection(entry), "accept") if part)
        for interface in by_interface
        for source in by_source
    ]


def addresses(sources):
    """Return a match for each family of the sources' addresses."""
    families = {"ip": collapsed(ipaddress.IPv4Network, sources), "ip6": collapsed(ipaddress.IPv6Network, sources)}
    return [f"ct original {name} saddr {{ {', '.join(found)} }}" for name, found in families.items() if found]


def collapsed(family, sources):
    """Return the networks of a family without overlaps, which nft rejects in a set."""
    networks = [family(source) for source in sources if isinstance(ipaddress.ip_network(source), family)]
    return [shown(network) for network in ipaddress.collapse_addresses(networks)]


def shown(network):
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def connection(entry):
    """Return the match of an entry's protocol and port, "" for any; a port without a protocol is one of tcp."""
    port, protocol = entry.get("port"), entry.get("protocol")
    if not is_set(port):
        return f"meta l4proto {protocol}" if is_set(protocol) else ""
    first, last = ports(port)
    wanted = first if first == last else f"{first}-{last}"
    return f"meta l4proto {protocol or 'tcp'} ct original proto-dst {wanted}"
