# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import fleet_spread

REQUEST: dict[str, Any] = {
    "name": "web",
    "single_zone_confirmed": False,
    "security_group_managed": True,
    "ingress": [],
    "egress": [],
}
RULE = {"proto": "tcp", "ports": [443, "8000-8010"], "cidr_ip": "10.0.0.0/8", "rule_desc": "inside"}


def subnet(letter: str, network: str = "vpc-1", free: int = 9) -> dict[str, Any]:
    zone = f"eu-central-1{letter}"
    return {"id": letter, "availability_zone": zone, "vpc_id": network, "available_ip_address_count": free}


@pytest.mark.parametrize(
    "rule",
    [
        RULE,
        {"proto": "icmp", "cidr_ip": "0.0.0.0/0"},
        {"proto": "udp", "ports": "53", "cidr_ipv6": "::/0"},
        {"proto": "all", "group_id": "sg-0123456789abcdef0"},
    ],
)
def test_a_valid_rule_has_no_problem(rule: dict[str, Any]) -> None:
    assert fleet_spread.problems(REQUEST | {"ingress": [rule]}) == []


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (["tcp"], "rule 1 of ami_fleet_egress is not a mapping"),
        (RULE | {"port": 443}, "has the unknown key 'port'"),
        (RULE | {"proto": "http"}, "has no valid proto"),
        (RULE | {"ports": [65536]}, "has no valid ports"),
        (RULE | {"ports": "90-80"}, "has no valid ports"),
        (RULE | {"ports": [True]}, "has no valid ports"),
        (RULE | {"ports": []}, "has no valid ports"),
        (RULE | {"group_id": "sg-0123456789abcdef0"}, "needs exactly one of cidr_ip, cidr_ipv6, group_id"),
        (RULE | {"cidr_ip": ""}, "needs exactly one of"),
        (RULE | {"cidr_ip": "10.0.0.1/8"}, "has the invalid cidr_ip '10.0.0.1/8'"),
        (RULE | {"cidr_ip": 10}, "has the invalid cidr_ip 10"),
        ({"proto": "all", "group_id": "web"}, "has the invalid group_id 'web'"),
    ],
)
def test_each_invalid_rule_is_one_sentence(rule: Any, sentence: str) -> None:
    (problem,) = fleet_spread.problems(REQUEST | {"egress": [rule]})
    assert sentence in problem


def test_rules_are_a_list_and_a_name_is_one_of_a_security_group() -> None:
    found = fleet_spread.problems(REQUEST | {"name": "sg-web", "ingress": "443"})
    assert [sentence.split(":")[0] for sentence in found] == [
        "ami_fleet_name begins with sg-, which no security group's name may",
        "ami_fleet_ingress is not a list",
    ]


def test_two_zones_of_one_network_are_accepted() -> None:
    own = [{"group_id": "sg-1", "vpc_id": "vpc-1", "tags": {fleet_spread.TAG: "web"}}, {"group_id": "x", "vpc_id": "y"}]
    assert list(fleet_spread.state_problems(REQUEST, [subnet("a"), subnet("b")], own)) == []
    confirmed = REQUEST | {"single_zone_confirmed": True}
    assert list(fleet_spread.state_problems(confirmed, [subnet("a"), subnet("a")], [])) == []


@pytest.mark.parametrize(
    ("subnets", "groups", "sentence"),
    [
        ([subnet("a"), subnet("a")], [], "all of ami_fleet_subnets are in eu-central-1a"),
        ([subnet("a"), subnet("b", "vpc-2")], [], "ami_fleet_subnets are in vpc-1 and vpc-2"),
        (
            [subnet("a"), subnet("b")],
            [{"group_id": "sg-1", "vpc_id": "vpc-1", "tags": {}}],
            "security group sg-1 in vpc-1 is already named web and does not belong to this fleet",
        ),
    ],
)
def test_each_obstacle_is_one_sentence(subnets: list[Any], groups: list[Any], sentence: str) -> None:
    (problem,) = fleet_spread.state_problems(REQUEST, subnets, groups)
    assert sentence in problem


def test_the_report_counts_each_zone_by_itself_and_an_unencrypted_account_is_a_warning() -> None:
    group = {
        "instances": [
            {"availability_zone": "eu-central-1a", "lifecycle_state": "InService"},
            {"availability_zone": "eu-central-1a", "lifecycle_state": "Pending"},
        ]
    }
    subnets = [subnet("b", free=7), subnet("a"), subnet("a")]
    zones = [
        "eu-central-1a: 1 in service and 1 not in service, 18 free addresses.",
        "eu-central-1b: 0 in service, 7 free addresses.",
    ]
    assert fleet_spread.report(group, subnets, True, "eu-central-1") == zones
    *same, warning = fleet_spread.report(group, subnets, False, "eu-central-1")
    assert same == zones
    assert "aws ec2 enable-ebs-encryption-by-default --region eu-central-1" in warning
    assert "ec2:GetEbsEncryptionByDefault" in fleet_spread.report({}, subnets, None, "eu-central-1")[-1]
