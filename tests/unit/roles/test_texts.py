# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A variable of a role may arrive as a text: by -e name=value, and from an INI inventory.

Every variable that is not a text is given to its role as one, in each spelling that Ansible's validation accepts, and
every condition, loop, argument and template of the role must have the value that it has with the value itself.
tools/oldest-core runs these tests with the oldest ansible-core that the collection supports.
"""

import functools
import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import yaml_files

pytestmark = pytest.mark.program

PROJECT = Path(__file__).parents[3]
ROLES = sorted(path.name for path in (PROJECT / "roles").iterdir() if path.is_dir())
PROGRAM = PROJECT / "tests/support/role_trace.py"
# The Python of the ansible-core to test, if it is not the one that runs the tests.
PYTHON = os.environ.get("SLIPWAY_ANSIBLE_PYTHON", sys.executable)
ROLE_STATE = yaml_files.read(Path(__file__).parent / "role_state.yml")

# test_role_arguments.py has the other spellings; ansible-core 2.16 has a filter bool that takes y for false.
TRUE = ("true", "y")
FALSE = ("false", "n")
# A public-key packet, version 4, armored; without the line break at its end, which a list in a text has not either.
PACKET = b"\xc6\x0c\x04" + bytes(4) + b"\x16\x05hello"
KEY = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{b64encode(PACKET).decode()}\n-----END PGP PUBLIC KEY BLOCK-----"
# Values of variables whose elements must be of a certain form, for the role to go on.
SAMPLES: dict[str, Any] = {
    "ami_fleet_egress": [{"proto": "tcp", "ports": "443", "cidr_ip": "0.0.0.0/0"}],
    "ami_fleet_ingress": [{"proto": "udp", "ports": "53", "cidr_ip": "10.0.0.0/8"}],
    "ami_fleet_instance_types": ["m6a.large", "m5.large"],
    "ami_fleet_scaling_policies": [{"name": "cpu", "metric": "cpu", "target": "60"}],
    "ami_fleet_schedules": [{"name": "day", "cron": "0", "time_zone": "UTC", "desired": "2"}],
    "ami_fleet_tags": {"Team": "web"},
    "ami_publish_accounts": ["111122223333", "444455556666"],
    "ami_publish_kms_keys": {"eu-west-1": "alias/images"},
    "ami_publish_regions": ["eu-west-1"],
    "docker_access_tls": {"ca": "CA", "cert": "CERT", "listen": "0.0.0.0:2376"},
    "docker_engine_daemon_options": {"debug": True, "log-driver": "journald"},
    "docker_engine_prune": {"schedule": "weekly", "volumes": False, "all": True, "filters": ["label=old"]},
    "docker_firewall_allow": [
        {"port": "8000-8010", "protocol": "tcp", "sources": ["10.0.0.0/8"], "interfaces": ["eth1"]}
    ],
    "docker_firewall_swarm_nodes": ["10.0.0.1", "10.0.1.0/24"],
    "docker_firstboot_credentials": [{"registry": "registry.example.com", "secret": "hub", "users": ["alice"]}],
    "docker_firstboot_drain_seconds": 60,
    "docker_firstboot_drain_units": ["fluent-bit.service", "vector.service"],
    "docker_firstboot_health_interval": 30,
    "docker_firstboot_pull_trusted_keys": [KEY, KEY],
    "docker_firstboot_wait_for": ["db.example.com:5432", "[::1]:22"],
    "docker_images_list": [{"name": "library/alpine", "tags": ["stable"], "build": "/opt/app"}],
    "docker_services_list": [
        {
            "name": "shop",
            "compose": str(PROJECT / "requirements.yml"),  # any file that exists
            "environment": {"PORT": "80"},
            "secrets": [{"name": "key", "value": "x", "uid": 5}],
            "remove_volumes": False,
            "timeout": 60,
        }
    ],
    "docker_mirror_releases": {"centos": ["9"], "fedora": ["43"]},
    "registry_cache_images": [{"name": "library/nginx", "digest": "sha256:0", "tags": ["1.27", "stable"]}],
    "registry_cache_tls": {"cert": "CERT", "key": "KEY"},
    "docker_registry_auth_logins": [{"registry": "registry.example.com", "username": "ci", "helper": "pass"}],
    "docker_swarm_address_pools": ["10.20.0.0/16"],
    "docker_swarm_certificate_days": 30,
    "docker_swarm_data_path_port": 4790,
    "docker_swarm_labels": {"disk": "ssd"},
    "docker_swarm_networks": [{"name": "backend", "encrypted": True, "subnet": "10.30.0.0/24"}],
    "docker_swarm_subnet_size": 25,
    "host_metrics_agent_rpm": {"url": "https://example.com/agent.rpm", "checksum": "sha256:" + 64 * "0"},
    "host_metrics_alarms": [{"metric": "disk_used_percent", "above": 85.5, "periods": 3, "actions": ["arn:aws:sns:x"]}],
    "host_metrics_interval": 300,
    "host_metrics_mounts": ["/", "/data"],
    "instance_agent_files": {"/etc/slipway/example.conf": "x"},
    "slipway_report_open_ports": ["443", "8080"],
    "user_data_cloud_config": {"timezone": "UTC"},
    "user_data_firstboot": {"wait_for": ["db.example.com:5432"], "pull_checkout": "v1"},
}


@functools.cache
def declared(role: str) -> dict[str, Any]:
    """Return the declared variables of a role that are not texts."""
    path = PROJECT / "roles" / role / "meta/argument_specs.yml"
    found = yaml_files.read(path)["argument_specs"]["main"]["options"]
    return {name: option for name, option in found.items() if option.get("type", "str") not in ("str", "path")}


@functools.cache
def options(role: str) -> dict[str, Any]:
    """Return a role's variables that are not texts, and those of other roles that its defaults follow."""
    defaults = yaml_files.read(PROJECT / "roles" / role / "defaults/main.yml")
    words = {word for value in defaults.values() if "{{" in str(value) for word in re.findall(r"\w+", str(value))}
    others = {name: option for other in ROLES for name, option in declared(other).items() if name in words}
    return {**others, **declared(role)}


def sample(name: str, option: dict[str, Any]) -> Any:
    if name in SAMPLES:
        return SAMPLES[name]
    if option["type"] == "int":
        return option.get("choices", [7])[-1]
    if option["type"] == "float":
        return 2.5
    return option.get("choices", ["alpha", "beta"])[:2] if option["type"] == "list" else {"http": "http://proxy:3128"}


def spellings(name: str, option: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Return pairs of a value and of what stands for it in an inventory."""
    if option["type"] == "bool":
        return [(True, text) for text in TRUE] + [(False, text) for text in FALSE]
    value = sample(name, option)
    if option["type"] in ("int", "float"):
        return [(value, str(value))]
    nested = [(value, with_texts(value))] if "options" in option else []
    if option["type"] == "dict":
        return [(value, json.dumps(value)), (value, repr(value)), *nested, *keys_and_values(value)]
    if option.get("elements") == "dict":
        return [*nested, *[([pair[0]], pair[1]) for entry in value[:1] for pair in keys_and_values(entry)]]
    flow = yaml.safe_dump(value, default_flow_style=True).strip()
    lists = [(value, text) for text in (json.dumps(value), flow, ", ".join(value))]
    return [(value, ",".join(value)), (value[:1], value[0]), *lists]


def with_texts(value: Any) -> Any:
    """Return the value with each scalar in it as a text, and a list of one text as that text."""
    if isinstance(value, dict):
        return {key: with_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_texts(item) for item in value] if isinstance(value[0], dict) else ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def keys_and_values(value: dict[str, Any]) -> list[tuple[Any, str]]:
    """Return the texts of a dictionary, and these as key=value."""
    texts = {key: item for key, item in value.items() if isinstance(item, str)}
    return [(texts, " ".join(f"{key}={item}" for key, item in texts.items()))] if texts else []


@functools.cache
def program() -> subprocess.Popen[str]:
    """Start the program that evaluates expressions; it ends when this process closes its stdin."""
    return subprocess.Popen(
        [PYTHON, PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true"},
        text=True,
    )


@functools.cache
def answers(role: str) -> dict[str, Any]:
    """Return what the program says of every spelling of every variable, by its case: value and text."""
    cases = {}
    for name, option in options(role).items():
        for value, text in spellings(name, option):
            for given in (value, text):
                variables = {**ROLE_STATE.get(role, {}), name: given}
                cases[json.dumps([name, given])] = {"of": name, "variables": variables}
    running = program()
    assert running.stdin and running.stdout
    print(json.dumps({"role": role, "cases": cases}), file=running.stdin, flush=True)
    line = running.stdout.readline()
    assert line, f"{PROGRAM.name} ended: its stderr says why"
    found: dict[str, Any] = json.loads(line)
    return found


VARIABLES = {
    name if name in declared(role) else f"{role}-{name}": (role, name) for role in ROLES for name in options(role)
}


@pytest.mark.parametrize(("role", "name"), VARIABLES.values(), ids=VARIABLES)
def test_a_text_means_its_value_or_is_refused(role: str, name: str) -> None:
    """Fault: a variable arrives as a text (-e, INI). Outcome: it means its value, or the validation refuses it."""
    found = answers(role)
    means_its_value = 0
    for value, text in spellings(name, options(role)[name]):
        expected, actual = (found[json.dumps([name, given])] for given in (value, text))
        assert not expected["refusals"], expected["refusals"]
        if actual["refusals"]:
            assert all(sentence and "Traceback" not in sentence for sentence in actual["refusals"])
            continue
        means_its_value += 1
        differences = {
            place: (expected["trace"][place], result)
            for place, result in actual["trace"].items()
            if result != expected["trace"].get(place)
        }
        assert not differences, (text, differences)
        assert actual["trace"].keys() == expected["trace"].keys()
    assert means_its_value


@pytest.mark.parametrize("role", ROLES)
def test_the_expressions_of_a_role_can_be_evaluated(role: str) -> None:
    """Otherwise two values would be alike because both fail."""
    failures = {
        (place, result if isinstance(result, str) else json.dumps(result))
        for answer in answers(role).values()
        for place, result in answer["trace"].items()
        if "FAILS" in json.dumps(result)
    }
    assert failures == set()
