# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The entries of docker_firstboot_credentials fit their providers."""

from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils.firstboot_credentials import problems

from tests.support import yaml_files

PROJECT = Path(__file__).parents[4]
PLACE = "entry 2 of docker_firstboot_credentials"
NAME = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"


def refusal(**entry: str) -> list[str]:
    found: list[str] = problems([{"secret": "hub"}, entry])
    return found


@pytest.mark.parametrize(
    "entry",
    [
        {"provider": "ecr", "registry": NAME},
        {"provider": "ecr", "registry": f"https://{NAME.upper()}/"},
        {"provider": "ecr", "registry": "public.ecr.aws", "endpoint": "https://vpce.example.com", "region": None},
        {"provider": "ssm", "secret": "/hub", "region": "eu-central-1"},
    ],
)
def test_complete_entries_are_accepted(entry: dict[str, str]) -> None:
    assert refusal(**entry) == []


@pytest.mark.parametrize("name", ["secret", "region"])
def test_where_a_secret_is_has_no_place_beside_ecr(name: str) -> None:
    """Fault: an entry with `provider: ecr` names a secret or a region. Outcome: refused, before anything is changed."""
    assert refusal(provider="ecr", registry=NAME, **{name: "eu-central-1"}) == [
        f"{PLACE} has {name} with provider: ecr, which reads no secret and takes the region from the registry's name: "
        f"remove {name}."
    ]


@pytest.mark.parametrize("entry", [{}, {"secret": ""}, {"secret": "", "provider": "ssm"}, {"registry": NAME}])
def test_every_other_provider_needs_a_secret(entry: dict[str, str]) -> None:
    (sentence,) = refusal(**entry)
    assert sentence.startswith(f"{PLACE} has no secret: set it")


@pytest.mark.parametrize(
    ("registry", "sentence"),
    [
        (None, "https://index.docker.io/v1/ is not the name of a registry of Amazon ECR: "),
        ("registry.example.com", "registry.example.com is not the name of a registry of Amazon ECR: "),
        (f"{NAME}/team", f"the registry '{NAME}/team' contains a path: use the host alone."),
        ("123.dkr.ecr.eu-central-1.amazonaws.com", "123.dkr.ecr.eu-central-1.amazonaws.com begins with '123', which"),
    ],
)
def test_a_registry_that_is_not_one_of_ecr_is_refused_with_its_entry(registry: str | None, sentence: str) -> None:
    (said,) = refusal(provider="ecr", **({"registry": registry} if registry else {}))
    assert said.startswith(f"{PLACE}: {sentence}")
    assert said.endswith(".")


def test_the_role_checks_its_credentials() -> None:
    inside = yaml_files.read(PROJECT / "roles/docker_firstboot/vars/main.yml")
    assert "problems('docker_firstboot_credentials')" in inside["__docker_firstboot_problems"]
