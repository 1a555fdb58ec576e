# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Settings of a publish that AWS would refuse once the image exists, or that crashed the check."""

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import ami_request
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import yaml_files

GOOD: dict[str, Any] = {
    "family": "docker-el9",
    "region": "eu-central-1",
    "source": "i-0123456789abcdef0",
    "name": "docker-el9-20260801",
    "description": "Trusted container host",
    "tags": {"Team": "platform"},
    "regions": ["eu-west-1"],
    "keys": {"eu-west-1": "alias/images"},
    "accounts": ["111122223333"],
    "backup_region": "",
    "backup_key": "",
    "map_file": "",
    "parameter": "/slipway/ami/docker-el9",
}
ROLE = Path(__file__).parents[4] / "roles/ami_publish"


def test_valid_settings_have_no_problem() -> None:
    assert ami_request.problems(GOOD) == []


def test_what_loses_nothing_is_accepted() -> None:
    many = {"accounts": ["111122223333"], "tags": {f"t{number}": "x" * 256 for number in range(46)}}
    assert ami_request.problems({**GOOD, **many}) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"accounts": [11112222333]}, "entry 1 of ami_publish_accounts is the number"),
        ({"accounts": ["x"]}, "'x' in ami_publish_accounts is not an AWS account ID: write its 12 digits in quotes"),
        ({"accounts": [True]}, "entry 1 of ami_publish_accounts is the boolean true"),
        ({"accounts": "111122223333"}, "ami_publish_accounts is not a list"),
        ({"tags": {1: "x"}}, "the key 1 of ami_publish_tags is the number"),
        ({"tags": {"Version": 1.10}}, "ami_publish_tags Version is the number"),
        ({"tags": {"Team": None}}, "ami_publish_tags Team is empty: set it, or remove it"),
        ({"tags": {None: "x"}}, "the key None of ami_publish_tags is empty"),
        (
            {"tags": {f"t{number}": "" for number in range(60)}},
            "ami_publish_tags has 60 tags, but AWS accepts 50, 4 of",
        ),
        ({"tags": {"Team": "x" * 300}}, "ami_publish_tags Team has 300 characters, but AWS accepts at most 256"),
        ({"tags": {"": "x"}}, "ami_publish_tags has a key of 0 characters"),
        (
            {"keys": {"eu-west-1": None}},
            "ami_publish_regions contains eu-west-1, but ami_publish_kms_keys has no key for it",
        ),
        ({"keys": {"eu-west-1": 5}}, "ami_publish_kms_keys eu-west-1 is the number"),
        ({"keys": None}, "ami_publish_kms_keys is not a mapping"),
        ({"regions": None}, "ami_publish_regions is not a list"),
        ({"name": 20260801}, "ami_publish_name is the number"),
        ({"description": "x" * 226}, "ami_publish_description has 226 characters, but AWS accepts at most 225 beside"),
        (
            {"parameter": "docker el9"},
            "ami_publish_parameter 'docker el9' is not a name that an SSM parameter can have",
        ),
        ({"parameter": "/aws/ami"}, "ami_publish_parameter '/aws/ami' is not a name"),
        ({"map_file": "/nonexistent/x.json"}, "ami_publish_map_file is in /nonexistent, which is not a directory"),
        ({"backup_region": "eu-north-1", "backup_key": None}, "ami_publish_backup_kms_key is empty"),
    ],
)
def test_what_aws_would_refuse_later_is_refused_before_anything_is_made(wrong: dict[str, Any], sentence: str) -> None:
    """Fault: tags, a description or an SSM parameter that AWS does not accept, or settings of another type. Outcome: no
    image is made, and the limit or the type is named."""
    (problem,) = ami_request.problems({**GOOD, **wrong})
    assert problem.startswith(sentence), problem


def test_the_role_passes_all_settings_and_sets_as_many_tags_as_are_left_free() -> None:
    inside = yaml_files.read(ROLE / "vars/main.yml")
    assert set(inside["__ami_publish_request"]) == set(GOOD)
    of_image = {*inside["__ami_publish_copy_tags"], "slipway:base"}
    assert len(of_image) == ami_request.OWN_TAGS
    backup = (ROLE / "tasks/backup.yml").read_text()
    assert "combine(__ami_publish_copy_tags, {'slipway:backup-of': item})" in backup


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.text() | st.integers() | st.none(), below, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(GOOD)), ANYTHING))
def test_any_settings_are_accepted_or_reported(differing: dict[str, Any]) -> None:
    for sentence in ami_request.problems({**GOOD, **differing}):
        assert sentence


TEXTS = st.text() | st.sampled_from(["aws:", ":", "/", "~", "eu-west-1", "i-01234567"])


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["family", "region", "source", "name", "parameter", "map_file", "backup_key"]), TEXTS
    ),
    st.dictionaries(TEXTS, TEXTS),
    st.lists(TEXTS),
)
def test_any_texts_are_accepted_or_reported(
    differing: dict[str, str], mapping: dict[str, str], listed: list[str]
) -> None:
    differing_too = {"tags": mapping, "keys": mapping, "regions": listed, "accounts": listed}
    for sentence in ami_request.problems({**GOOD, **differing, **differing_too}):
        assert sentence
