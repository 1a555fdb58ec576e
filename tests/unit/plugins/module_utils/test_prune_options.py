# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import json
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import prune_options

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
    ({"schedule": "weekly", "filters": ["until=7d"]}, "days are unknown"),
    ({"schedule": "weekly", "filters": ["until="]}, "days are unknown"),
    ({"schedule": "weekly", "filters": ["until=2026-01-02T"]}, "neither a duration nor a moment"),
    ({"schedule": "weekly", "filters": ["until!=1h"]}, "unknown to docker system prune"),
    ({"schedule": "weekly", "filters": ["dangling=true"]}, "unknown to docker system prune"),
    ({"schedule": "weekly", "filters": ["label="]}, "unknown to docker system prune"),
    ({"schedule": "weekly", "filters": ["label=a\nExecStart=/bin/sh"]}, "line break"),
    ({"schedule": "weekly", "filters": ["until=1h", "until=2h"]}, "until=1h and until=2h: keep one"),
    ({"schedule": "weekly", "filters": ["label!=a", "label!=b"]}, "spares only what has all of label!=a and label!=b"),
    ({"schedule": "weekly", "volumes": True}, "docker refuses until=168h beside volumes"),
]


@pytest.mark.parametrize("options", GOOD, ids=json.dumps)
def test_what_docker_takes_is_accepted(options: dict[str, Any]) -> None:
    assert prune_options.problems(options) == []


@pytest.mark.parametrize(("options", "words"), BAD, ids=[json.dumps(options) for options, _ in BAD])
def test_what_docker_refuses_is_one_sentence(options: dict[str, Any], words: str) -> None:
    sentences = prune_options.problems(options)
    assert len(sentences) == 1
    assert sentences[0].startswith("docker_engine_prune: ")
    assert words in sentences[0]
