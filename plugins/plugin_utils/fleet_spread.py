# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check and report how a fleet is spread over Availability Zones, and who reaches it."""

import ipaddress
import re

SECURITY_GROUP = re.compile(r"\Asg-[0-9a-f]{8,17}\Z")
PORTS = re.compile(r"\A([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")
PROTOCOLS = ("tcp", "udp", "icmp", "icmpv6", "all")
PEERS = ("cidr_ip", "cidr_ipv6", "group_id")
KEYS = ("proto", "ports", *PEERS, "rule_desc")
# Set on the fleet's own security group, so that a run never takes away the rules of somebody else's.
TAG = "slipway:fleet"


def rule_problems(variable, rules):
    """Return one sentence for each rule that amazon.aws.ec2_security_group or AWS would reject."""
    if not isinstance(rules, (list, tuple)):
        return [f"{variable} is not a list: write one, such as [] for none"]
    found = []
    for number, rule in enumerate(rules, 1):
        place = f"rule {number} of {variable}"
        if isinstance(rule, dict):
            found += [f"{place} {reason}" for reason in _rule_faults(rule)]
        else:
            found.append(f"{place} is not a mapping: set proto, ports, and one of {', '.join(PEERS)}")
    return found


def _rule_faults(rule):
    unknown = sorted(str(key) for key in rule if key not in KEYS)
    if unknown:
        yield f"has the unknown key {unknown[0]!a}: use {', '.join(KEYS)}"
    if rule.get("proto") not in PROTOCOLS:
        yield f"has no valid proto: use one of {', '.join(PROTOCOLS)}"
    elif rule["proto"] in ("tcp", "udp") and not _are_ports(rule.get("ports")):
        yield "has no valid ports: list numbers from 0 to 65535 or ranges such as 8000-8010"
    peers = [name for name in PEERS if rule.get(name)]
    if len(peers) != 1:
        yield f"needs exactly one of {', '.join(PEERS)}"
    elif not _is_peer(peers[0], rule[peers[0]]):
        yield f"has the invalid {peers[0]} {rule[peers[0]]!a}: write it such as {_example(peers[0])}"


def _are_ports(value):
    values = value if isinstance(value, (list, tuple)) else [value]
    return bool(values) and all(_is_port(item) for item in values)


def _is_port(value):
    found = None if isinstance(value, bool) else PORTS.match(str(value))
    if not found:
        return False
    first, last = int(found[1]), int(found[2] or found[1])
    return first <= last <= 65535


def _is_peer(kind, value):
    if kind == "group_id":
        return isinstance(value, str) and bool(SECURITY_GROUP.match(value))
    network = ipaddress.IPv4Network if kind == "cidr_ip" else ipaddress.IPv6Network
    try:
        network(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _example(kind):
    return {"cidr_ip": "10.0.0.0/8", "cidr_ipv6": "fd00::/8", "group_id": "sg-0123456789abcdef0"}[kind]


def problems(request):
    """Return one sentence for each invalid setting of the fleet's spread and of its own security group."""
    reserved = request["security_group_managed"] and request["name"].startswith("sg-")
    return [
        *(["ami_fleet_name begins with sg-, which no security group's name may: rename the fleet"] if reserved else []),
        *rule_problems("ami_fleet_ingress", request["ingress"]),
        *rule_problems("ami_fleet_egress", request["egress"]),
    ]


def state_problems(request, subnets, own_groups):
    """Return one sentence for each obstacle that the subnets and the fleet's own security group are.

    subnets: as amazon.aws.ec2_vpc_subnet_info returns them. own_groups: security groups with the fleet's name.
    """
    zones = sorted({subnet["availability_zone"] for subnet in subnets})
    if len(zones) == 1 and not request["single_zone_confirmed"]:
        yield (
            f"all of ami_fleet_subnets are in {zones[0]}, whose loss would be that of the fleet: add a subnet in "
            "another Availability Zone, or set ami_fleet_single_zone_confirmed"
        )
    if not request["security_group_managed"]:
        return
    networks = sorted({subnet["vpc_id"] for subnet in subnets})
    if len(networks) > 1:
        yield (
            f"ami_fleet_subnets are in {' and '.join(networks)}, but a security group belongs to one VPC: keep the "
            "subnets of one"
        )
    for group in own_groups:
        if group["vpc_id"] in networks and (group.get("tags") or {}).get(TAG) != request["name"]:
            yield (
                f"security group {group['group_id']} in {group['vpc_id']} is already named {request['name']} and does "
                f"not belong to this fleet: rename the fleet, or tag the group {TAG}={request['name']} to have its "
                "rules replaced"
            )


def report(group, subnets, encrypted, region):
    """Return sentences on the capacity of each zone and on the account's default encryption.

    group: as amazon.aws.autoscaling_group_info returns it, {} if there is none. encrypted: None if it is unknown.
    """
    found = [
        _zone(zone, group.get("instances", []), subnets)
        for zone in sorted({subnet["availability_zone"] for subnet in subnets})
    ]
    if encrypted is None:
        found.append(
            f"Whether {region} encrypts EBS volumes by default is unknown: allow ec2:GetEbsEncryptionByDefault."
        )
    elif not encrypted:
        found.append(
            f"Warning: {region} does not encrypt EBS volumes by default. The fleet's root volumes are encrypted, "
            "others need not be: run 'aws ec2 enable-ebs-encryption-by-default "
            f"--region {region}'."
        )
    return found


def _zone(zone, members, subnets):
    states = [member["lifecycle_state"] for member in members if member.get("availability_zone") == zone]
    serving = states.count("InService")
    free = sum(subnet["available_ip_address_count"] for subnet in subnets if subnet["availability_zone"] == zone)
    others = f" and {len(states) - serving} not in service" if len(states) > serving else ""
    return f"{zone}: {serving} in service{others}, {free} free addresses."
