# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text


def test_log_opts_become_strings_and_nulls_are_dropped() -> None:
    options = {"log-opts": {"max-file": 3, "compress": True, "tag": None}, "debug": None, "icc": False}
    assert daemon_json.normalise(options) == {"log-opts": {"max-file": "3", "compress": "true"}, "icc": False}


def test_the_text_does_not_depend_on_the_order_of_keys() -> None:
    text = daemon_json.render({"b": {"d": 1, "c": 2}, "a": "ä"})
    assert text == daemon_json.render({"a": "ä", "b": {"c": 2, "d": 1}})
    assert text == '{\n  "a": "ä",\n  "b": {\n    "c": 2,\n    "d": 1\n  }\n}\n'


@pytest.mark.parametrize("text", [None, "", "{broken", "[]", "null", "[" * 100_000])
def test_an_empty_or_invalid_text_has_no_options(text: str | None) -> None:
    assert daemon_json.parse(text) == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_decides_the_encoding_as_for_dockerd(tmp_path: Path, encoding: str) -> None:
    """Fault: a `daemon.json` with a byte order mark and a data root. Outcome: read as dockerd reads it; the engine is
    not moved away from its data.
    """
    path = tmp_path / "daemon.json"
    path.write_text('{"data-root": "/data/ä"}', encoding=encoding)
    assert daemon_json.parse(read_text(str(path))) == {"data-root": "/data/ä"}


def test_rendering_and_parsing_round_trip() -> None:
    options = {"live-restore": True, "log-opts": {"max-file": "3"}}
    assert daemon_json.parse(daemon_json.render(options)) == options
