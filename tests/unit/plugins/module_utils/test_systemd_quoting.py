# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils import systemd_quoting


@pytest.mark.parametrize("word", ["/usr/bin/docker", "--filter=until=168h", "label!=a", "a@b:1,2"])
def test_a_plain_word_is_left_alone(word: str) -> None:
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
def test_what_systemd_would_expand_is_written_so_that_it_does_not(word: str, written: str) -> None:
    """tests/lab/test_prune.py has systemd read one with all of them."""
    assert systemd_quoting.word(word) == written
