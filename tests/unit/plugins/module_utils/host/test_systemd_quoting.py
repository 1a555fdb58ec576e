# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import systemd_quoting


@pytest.mark.parametrize("word", ["/usr/bin/docker", "--filter=until=168h", "label!=a", "a@b:1,2"])
def test_a_plain_word_is_not_quoted(word: str) -> None:
    assert systemd_quoting.word(word) == word


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("", '""'),
        ("a b", '"a b"'),
        ("100%", '"100%%"'),
        ("$HOME", '"$$HOME"'),
        ('a"b', r'"a\"b"'),
        ("a\\n", r'"a\\n"'),
        ("a;b", '"a;b"'),
    ],
)
def test_characters_special_to_systemd_are_escaped(word: str, written: str) -> None:
    """tests/lab/test_prune.py runs systemd itself on a word with all of them."""
    assert systemd_quoting.word(word) == written
