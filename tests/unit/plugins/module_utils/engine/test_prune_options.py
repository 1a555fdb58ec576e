# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import json
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.engine import prune_options

GOOD: list[dict[str, Any]] = [
    {},
    {"schedule": None, "filters": None, "all": None, "volumes": None},
    {"schedule": "weekly"},
    {"schedule": "weekly", "filters": []},
    {"schedule": "weekly", "filters": ["until=1h30m", "label=a", "label!=a=b c"], "all": True},
    {"schedule": "weekly", "filters": ["until=2026-01-02T15:04:05Z"]},
    {"schedule": "weekly", "filters": ["label!=keep"], "volumes": True},
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"all": True}, "schedule is missing"),
    ({"schedule": ""}, "schedule is missing"),
    ({"schedule": "weekly", "filters": ["until=7d"]}, "days are not supported"),
    ({"schedule": "weekly", "filters": ["until="]}, "days are not supported"),
    ({"schedule": "weekly", "filters": ["until=2026-01-02T"]}, "has no valid duration or timestamp"),
    ({"schedule": "weekly", "filters": ["until!=1h"]}, "not supported by docker system prune"),
    ({"schedule": "weekly", "filters": ["dangling=true"]}, "not supported by docker system prune"),
    ({"schedule": "weekly", "filters": ["label="]}, "not supported by docker system prune"),
    ({"schedule": "weekly", "filters": ["label=a\nExecStart=/bin/sh"]}, "line break"),
    ({"schedule": "weekly", "filters": ["until=1h", "until=2h"]}, "until=1h and until=2h: keep one"),
    (
        {"schedule": "weekly", "filters": ["label!=a", "label!=b"]},
        "keeps only objects that match all of label!=a and label!=b",
    ),
    ({"schedule": "weekly", "volumes": True}, "docker rejects until=168h in combination with volumes"),
]


@pytest.mark.parametrize("options", GOOD, ids=json.dumps)
def test_valid_options_are_accepted(options: dict[str, Any]) -> None:
    assert prune_options.problems(options) == []


@pytest.mark.parametrize(("options", "words"), BAD, ids=[json.dumps(options) for options, _ in BAD])
def test_each_invalid_option_gives_one_message(options: dict[str, Any], words: str) -> None:
    messages = prune_options.problems(options)
    assert len(messages) == 1
    assert messages[0].startswith("docker_engine_prune: ")
    assert words in messages[0]
