# SPDX-License-Identifier: Apache-2.0
"""The templates in packer/ parse, and what they name exists; that Packer builds an AMI is not tested here."""

import re
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tests.support import yaml_files

PROJECT = Path(__file__).parents[2]
TEMPLATES = sorted((PROJECT / "packer").glob("*.pkr.hcl"))
OPTIONS = hcl2.SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)
TEXT = "".join(path.read_text() for path in TEMPLATES)
KNOWN_SECRETS = re.compile(r"\b(access_key|secret_key|token|\w*password|\w*private_key\w*|ssh_keypair_name)\s*=")


def load(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = hcl2.loads(load_text(name), serialization_options=OPTIONS)
    return parsed


def load_text(name: str) -> str:
    return (PROJECT / "packer" / name).read_text()


def variables() -> dict[str, Any]:
    return {name: value for entry in load("variables.pkr.hcl")["variable"] for name, value in entry.items()}


@pytest.fixture(scope="module")
def source() -> dict[str, Any]:
    found: dict[str, Any] = load("docker.pkr.hcl")["source"][0]["amazon-ebs"]["docker"]
    return found


@pytest.fixture(scope="module")
def provisioner() -> dict[str, Any]:
    found: dict[str, Any] = load("docker.pkr.hcl")["build"][0]["provisioner"][0]["ansible"]
    return found


@pytest.fixture(scope="module")
def playbook() -> dict[str, Any]:
    plays: list[dict[str, Any]] = yaml_files.read(PROJECT / "playbooks/bake.yml")
    return plays[-1]  # the play before it only checks


def test_plugins_are_required_in_a_separate_file() -> None:
    assert load("plugins.pkr.hcl")["packer"][0]["required_plugins"][0].keys() == {"amazon", "ansible"}
    assert [path.name for path in TEMPLATES if "required_plugins {" in path.read_text()] == ["plugins.pkr.hcl"]


def test_every_variable_is_described_and_used_and_no_other_is_referenced() -> None:
    declared = variables()
    assert all(variable["description"].endswith(".") for variable in declared.values())
    assert set(re.findall(r"\bvar\.(\w+)", load_text("docker.pkr.hcl"))) == declared.keys()


def test_the_instance_and_the_image_require_imdsv2_and_the_image_is_encrypted(source: dict[str, Any]) -> None:
    assert source["metadata_options"][0]["http_tokens"] == "required"
    assert source["imds_support"] == "v2.0"
    assert source["encrypt_boot"] is True


def test_ssh_is_open_to_the_given_ranges_only(source: dict[str, Any]) -> None:
    """Packer's own default is 0.0.0.0/0."""
    declared = variables()["ssh_source_cidrs"]
    assert source["temporary_security_group_source_cidrs"] == "${var.ssh_source_cidrs}"
    assert "default" not in declared
    (pattern,) = re.findall(r'regexall\("(.+?)", range\)', declared["validation"][0]["condition"])
    allowed = ["203.0.113.7/32", "203.0.113.0/24", "198.51.0.0/19", "10.0.0.0/9", "10.0.0.0/8"]
    refused = [f"0.0.0.0/{bits}" for bits in range(8)] + ["10.0.0.1", "10.0.0.0/33", "::/8"]
    assert [cidr for cidr in (*allowed, *refused) if re.search(pattern, cidr)] == allowed


def test_the_base_image_is_looked_up_with_an_owner_that_the_user_names(source: dict[str, Any]) -> None:
    """Anyone can publish an AMI under any name, and the newest match is used."""
    (lookup,) = source["source_ami_filter"]
    assert lookup["owners"] == ["${var.source_ami_owner}"]
    assert "source_ami" not in source
    declared = variables()["source_ami_owner"]
    assert "default" not in declared
    assert "all" not in re.findall(r'"(\w+)"', declared["validation"][0]["condition"])


def test_no_credential_can_be_set() -> None:
    assert KNOWN_SECRETS.findall(TEXT) == []
    assert "temporary_key_pair_type" in TEXT


def test_referenced_files_exist() -> None:
    named = set(re.findall(r'\$\{path\.root\}/\.\./([^"]+)"', TEXT))
    assert named == {".venv/bin/ansible-playbook", "ansible.cfg", "playbooks/bake.yml"}
    assert all((PROJECT / path).exists() for path in named - {".venv/bin/ansible-playbook"})


def test_the_host_is_in_the_group_that_the_playbook_bakes(
    provisioner: dict[str, Any], playbook: dict[str, Any]
) -> None:
    assert provisioner["groups"] == [playbook["hosts"]]


def test_its_extra_vars_are_variables_of_the_playbook_or_its_roles(
    provisioner: dict[str, Any], playbook: dict[str, Any]
) -> None:
    option, value = provisioner["extra_arguments"]
    given = set(re.findall(r"(\w+) = ", value))
    assert option == "--extra-vars"
    assert given >= {"slipway_baking", "machine_image_seal_confirmed", "machine_image_provenance_manifest"}
    assert given <= playbook["vars"].keys() | defaults_of(playbook)


def defaults_of(playbook: dict[str, Any]) -> set[str]:
    """Return the variables of the playbook's roles."""
    roles = [PROJECT / "roles" / entry["role"].rpartition(".")[2] for entry in playbook["roles"]]
    return {name for role in roles for name in yaml_files.read(role / "defaults/main.yml") or {}}


def test_nobody_needs_to_log_in_after_the_seal(provisioner: dict[str, Any], source: dict[str, Any]) -> None:
    """Ansible uses Packer's open connection, and the EC2 API stops the instance."""
    assert provisioner["use_proxy"] is True
    assert not {"disable_stop_instance", "ssh_clear_authorized_keys"} & source.keys()
    assert len(load("docker.pkr.hcl")["build"][0]["provisioner"]) == 1
