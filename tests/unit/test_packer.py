# SPDX-License-Identifier: Apache-2.0
"""The templates of packer/ parse, and name what exists; whether Packer builds an AMI of them is not shown here."""

import re
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

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
    plays: list[dict[str, Any]] = yaml.safe_load((PROJECT / "playbooks/bake.yml").read_text())
    return plays[-1]  # before it comes one that refuses


def test_plugins_are_required_in_a_file_of_their_own() -> None:
    assert load("plugins.pkr.hcl")["packer"][0]["required_plugins"][0].keys() == {"amazon", "ansible"}
    assert [path.name for path in TEMPLATES if "required_plugins {" in path.read_text()] == ["plugins.pkr.hcl"]


def test_every_variable_is_described_and_used_and_no_other_is_named() -> None:
    variables = {name: value for entry in load("variables.pkr.hcl")["variable"] for name, value in entry.items()}
    assert all(variable["description"].endswith(".") for variable in variables.values())
    assert set(re.findall(r"\bvar\.(\w+)", load_text("docker.pkr.hcl"))) == variables.keys()


def test_the_instance_and_the_image_want_imdsv2_and_the_image_is_encrypted(source: dict[str, Any]) -> None:
    assert source["metadata_options"][0]["http_tokens"] == "required"
    assert source["imds_support"] == "v2.0"
    assert source["encrypt_boot"] is True


def test_no_credential_has_a_place_in_it() -> None:
    assert KNOWN_SECRETS.findall(TEXT) == []
    assert "temporary_key_pair_type" in TEXT


def test_the_files_that_it_names_exist() -> None:
    named = set(re.findall(r'\$\{path\.root\}/\.\./([^"]+)"', TEXT))
    assert named == {".venv/bin/ansible-playbook", "ansible.cfg", "playbooks/bake.yml"}
    assert all((PROJECT / path).exists() for path in named - {".venv/bin/ansible-playbook"})


def test_the_host_is_in_the_group_that_the_playbook_bakes(
    provisioner: dict[str, Any], playbook: dict[str, Any]
) -> None:
    assert provisioner["groups"] == [playbook["hosts"]]


def test_its_variables_are_those_of_the_playbook_and_its_roles(
    provisioner: dict[str, Any], playbook: dict[str, Any]
) -> None:
    option, value = provisioner["extra_arguments"]
    given = set(re.findall(r"(\w+) = ", value))
    assert option == "--extra-vars"
    assert given >= {"slipway_baking", "image_seal_confirmed", "image_provenance_manifest"}
    assert given <= playbook["vars"].keys() | defaults_of(playbook)


def defaults_of(playbook: dict[str, Any]) -> set[str]:
    """The variables of the playbook's roles."""
    roles = [PROJECT / "roles" / entry["role"].rpartition(".")[2] for entry in playbook["roles"]]
    return {name for role in roles for name in yaml.safe_load((role / "defaults/main.yml").read_text()) or {}}


def test_nobody_needs_to_log_in_after_the_seal(provisioner: dict[str, Any], source: dict[str, Any]) -> None:
    """Sessions go through the connection that Packer has, and EC2's API stops the instance."""
    assert provisioner["use_proxy"] is True
    assert not {"disable_stop_instance", "ssh_clear_authorized_keys"} & source.keys()
    assert len(load("docker.pkr.hcl")["build"][0]["provisioner"]) == 1
