# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""docker_firstboot's texts are texts before anything reads them."""

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import firstboot_types

from tests.support import yaml_files

PROJECT = Path(__file__).parents[4]
OPTIONS = yaml_files.read(PROJECT / "roles/docker_firstboot/meta/argument_specs.yml")["argument_specs"]["main"][
    "options"
]
PREFIX = "docker_firstboot_"
TEXTS = [name.removeprefix(PREFIX) for name, option in OPTIONS.items() if option["type"] == "str"]
CREDENTIALS = [
    name for name, option in OPTIONS["docker_firstboot_credentials"]["options"].items() if option["type"] == "str"
]


def problems(entry: dict[str, Any] | None = None, **settings: Any) -> list[str]:
    texts = {name: OPTIONS[PREFIX + name]["default"] for name in TEXTS}
    entries = [{"secret": "hub"}, {"secret": "own", "region": None, **(entry or {})}]
    found: list[str] = firstboot_types.problems({**texts, "credentials": entries, **settings})
    return found


def test_texts_are_accepted() -> None:
    assert problems() == []


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    ("value", "what"),
    [(5, "is the number 5 in YAML"), (True, "is the boolean true in YAML"), (None, "is empty"), (["a"], "is a list")],
)
def test_a_text_that_is_something_else_is_refused(name: str, value: Any, what: str) -> None:
    """Fault: YAML takes a text of docker_firstboot for something else, such as a commit or a tag for a number. Outcome:
    refused by its name, before anything is changed."""
    (sentence,) = problems(**{name: value})
    assert sentence.startswith(f"docker_firstboot_{name} {what}")
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_text_of_the_credentials_that_is_something_else_is_refused(name: str) -> None:
    (sentence,) = problems({name: 5000})
    assert sentence.startswith(f"{name} in entry 2 of docker_firstboot_credentials is the number 5000 in YAML")
    assert sentence.endswith("quote it.")


def test_the_role_checks_each_of_its_texts() -> None:
    inside = yaml_files.read(PROJECT / "roles/docker_firstboot/vars/main.yml")
    assert all(f"'{name}': {PREFIX}{name}" in inside["__docker_firstboot_type_problems"] for name in TEXTS)
