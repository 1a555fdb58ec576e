# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A text that YAML takes for something else is refused, as its spelling is lost: 20.10 is 20.1, and yes is true."""

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import (
    ami_request,
    engine_settings,
    firstboot_values,
    quoting,
    role_arguments,
)

from tests.support import yaml_files

ENGINE: dict[str, Any] = {
    "package": "docker-ce",
    "repo_manage": True,
    "repo_baseurl": "",
    "state": "present",
    "purge_data": False,
    "daemon_options": {},
    "daemon_options_unknown": False,
    "image_store": "",
    "open_api_confirmed": False,
    "options": {},
    "profile": "default",
    "registry_mirrors": [],
    "prune": {},
    "proxy": {},
}


def test_an_unquoted_version_is_refused_by_its_variable() -> None:
    """Fault: docker_engine_version: 20.10 without quotes is 20.1 in YAML. Outcome: refused with "quote it"."""
    (sentence,) = engine_settings.problems({**ENGINE, "texts": {"version": 20.10}})
    assert sentence.startswith("docker_engine_version is the number 20.1 in YAML")
    assert sentence.endswith("quote it.")
    assert engine_settings.problems({**ENGINE, "texts": {"version": "20.10"}}) == []


def test_every_text_of_docker_engine_is_checked_for_quotes() -> None:
    """Fault: `docker_engine_containerd_version: 2.10` without quotes pins 2.1. Outcome: refused with "quote it"."""
    role = Path(__file__).parents[4] / "roles/docker_engine"
    declared = yaml_files.read(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    texts = {name for name, option in declared.items() if option["type"] == "str" and "choices" not in option}
    checked = yaml_files.read(role / "vars/main.yml")["__docker_engine_problems"].partition("'package'")[0]
    assert set(re.findall("docker_engine_[a-z_]+", checked)) == texts


@pytest.mark.parametrize(
    ("value", "words"), [(True, "the boolean true"), (432, "the number 432"), (1.1, "the number 1.1")]
)
def test_numbers_and_booleans_are_named(value: Any, words: str) -> None:
    assert quoting.problems({"name": value}, "ami_fleet_{}")[0].startswith(f"ami_fleet_name is {words} in YAML")
    assert quoting.problems({"name": "432", "tags": {}, "missing": None}) == []


def test_a_number_in_a_list_of_texts_is_refused_where_it_has_lost_digits() -> None:
    with pytest.raises(
        TypeError, match=r"^docker_mirror_versions cannot be used: it contains the number 26\.1 .*quote it"
    ):
        role_arguments.typed([26.10], "docker_mirror_versions")
    assert role_arguments.typed([26], "docker_mirror_versions") == ["26"]


def test_a_name_of_an_image_that_is_a_number_is_no_traceback() -> None:
    request = {
        "name": 20260801,
        "family": "docker-el9",
        "region": "eu-central-1",
        "regions": [],
        "source": "snap-0123abcd",
    }
    assert "ami_publish_name is the number 20260801" in " ".join(ami_request.problems(request))


def test_a_branch_that_is_a_number_is_to_be_quoted() -> None:
    (sentence,) = firstboot_values.problems({"pull_checkout": 1.10}, "docker_firstboot_{}")
    assert sentence.startswith("docker_firstboot_pull_checkout is a number or a boolean in YAML")
    assert sentence.endswith("quote it.")
