# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import json
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.services import settings

WEB = {"name": "web", "compose": {"services": {"app": {"image": "x"}}}}


def problems(*entries: Any) -> list[str]:
    found: list[str] = settings.problems({"list": list(entries)})
    return found


def test_good_projects_have_no_problems() -> None:
    secret = {"name": "key", "value": "x", "uid": 5}
    assert (
        problems({**WEB, "environment": {"LEVEL": "info"}, "secrets": [secret]}, {"name": "b", "state": "absent"}) == []
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("web", "entry 1 of docker_services_list is not a mapping"),
        ({**WEB, "name": "My Web"}, "has the name 'My Web': use up to 63 lower-case letters"),
        ({**WEB, "name": "../etc"}, "has the name '../etc'"),
        ({"name": "web"}, "web has no compose"),
        ({"name": "web", "compose": {}}, "the compose file has no services"),
        ({**WEB, "remove_volumes": True}, "goes with state: absent only"),
        ({**WEB, "environment": ["A=b"]}, "environment is not a mapping"),
        ({**WEB, "environment": {"PORT": 80}}, "the value of PORT in environment is not a text: quote it"),
        ({**WEB, "environment": {"A-B": "x"}}, "'A-B' is not the name of a variable"),
        ({**WEB, "environment": {"DOCKER_HOST": "tcp://x"}}, "DOCKER_HOST directs the docker command itself"),
        ({**WEB, "environment": {"LD_PRELOAD": "x"}}, "LD_PRELOAD directs the docker command itself"),
        ({**WEB, "secrets": [{"name": "../x", "value": ""}]}, "'../x' is not the name of a variable"),
        ({**WEB, "environment": {"LC_ALL": "x"}}, "LC_ALL directs the docker command itself"),
        ({**WEB, "secrets": 5}, "secrets is not a list"),
        ({**WEB, "secrets": [{"name": ["a"], "value": ""}]}, "['a'] is not the name of a variable"),
        ({**WEB, "secrets": [{"name": "a", "value": "", "uid": -1}]}, "the secret a has the uid -1"),
        ({**WEB, "secrets": [{"name": "a", "value": "x\0y"}]}, "the secret a has a NUL byte"),
        ({**WEB, "secrets": [{"name": "a", "value": ""}] * 2}, "the secret a is listed more than once"),
        (
            {**WEB, "environment": {"a": "x"}, "secrets": [{"name": "a", "value": ""}]},
            "a is in environment and in secrets",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_remedy(entry: Any, words: str) -> None:
    (problem,) = problems(entry)
    assert words in problem
    assert problem.endswith(".")


def test_a_list_that_is_none_and_a_name_that_comes_twice_are_refused() -> None:
    assert "is not a list" in settings.problems({"list": "web"})[0]
    assert problems(WEB, WEB) == ["docker_services_list lists web more than once: keep one entry."]


def test_variables_that_only_begin_like_those_of_docker_are_accepted() -> None:
    assert problems({**WEB, "environment": dict.fromkeys(["LDAP_URL", "DOCKERIZED", "HOMEPAGE", "PATHS"], "x")}) == []


def test_a_mapping_becomes_json_and_the_obsolete_version_goes() -> None:
    assert json.loads(settings.text_of({"version": "3", "services": {}})) == {"services": {}}
    assert settings.text_of("version: '3.8'\nservices:\n  version: {}\n") == "services:\n  version: {}\n"


def test_a_secret_is_hidden_as_compose_prints_it_and_line_by_line() -> None:
    """Fault: a secret with a $, or of several lines, in a difference or a log. Outcome: it is hidden there too."""
    forms = settings.shown_forms({"pa$word", "-----BEGIN KEY-----\nMIIEpAIB$AAKC\nx\n"})
    assert {"pa$$word", "MIIEpAIB$AAKC", "MIIEpAIB$$AAKC"} <= forms
    assert "x" not in forms
