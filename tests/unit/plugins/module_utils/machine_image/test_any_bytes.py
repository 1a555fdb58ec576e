# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""No bytes give a traceback: in a file, in a list of canaries, on a disk."""

import contextlib
import io
import sys
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import __main__ as command
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import credentials
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import TreeError
from hypothesis import example, given, settings
from hypothesis import strategies as st

# Fragments that lead deep into the rules.
PIECES = st.sampled_from(
    [
        *(
            b'"auth": "',
            b"://",
            b"@",
            b":",
            b"=",
            b"-----BEGIN PRIVATE KEY-----\n",
            b"machine a login b password ",
            b"\0",
        ),
        *(b"eyJhbGciOi", b".eyJ", b"password = ", b"[a]\nbaseurl=", b"LS0tLS1CRUdJTi", b'"log-opts": {"', b'token": "'),
        *(b"ghp_", b"\xff\xfe", b"a\0b\0", b"A" * 40, b"Authorization: Basic ", b"\\u003d", b"\x1b[0m", b"Q~", b"::"),
    ]
)
CONTENT = st.lists(st.binary(max_size=40) | PIECES, max_size=30).map(b"".join)
MARKS = st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff"])


@settings(max_examples=300, deadline=None)
@given(CONTENT)
@example(b'"auth": "A"')
@example(b"Authorization: Basic AAAAA")
def test_any_bytes_can_be_searched(content: bytes) -> None:
    with tempfile.TemporaryFile(buffering=0) as stream:
        stream.write(content)
        stream.seek(0)
        lines = credentials.Lines(stream)
        for found in credentials.search(stream):
            assert 0 <= found.byte < len(content)
            assert lines.number(found.byte) == content.count(b"\n", 0, found.byte) + 1


@settings(max_examples=300, deadline=None)
@given(
    MARKS,
    st.binary(max_size=60)
    | st.text(max_size=30).map(str.encode)
    | st.text(max_size=20).map(lambda text: text.encode("utf-16-le", "ignore")),
)
@example(b"\xff\xfe", b"c\0")
@example(b"", b"\xef\xbb\xbf")
def test_any_list_of_canaries_is_read_or_refused_with_one_sentence(mark: bytes, content: bytes) -> None:
    """Fault: a list of canaries with a byte order mark, in UTF-16 or in no encoding. Outcome: read, or refused with the
    remedy; never read wrongly."""
    try:
        canaries = command.canaries_of(mark + content, "list")
    except TreeError as error:
        assert ": " in str(error) and "\n" not in str(error)
        return
    assert canaries
    for canary in canaries:
        assert canary.strip() == canary or canary.strip(" \t\ufeff") == canary
        with tempfile.TemporaryFile(buffering=0) as stream:
            stream.write(b"before " + canary.encode() + b" after")
            stream.seek(0)
            found = list(credentials.search(stream, [credentials.canary(canary)]))
        assert ("the canary", 7) in [(each.what, each.byte) for each in found]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_canary_of_a_list_with_a_byte_order_mark_is_found(encoding: str) -> None:
    assert command.canaries_of("first-canary\r\nsecond canary\r\n".encode(encoding), "list") == [
        "first-canary",
        "second canary",
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"\n \t\n", b"\xef\xbb\xbf", b"\xff\xfe", "x".encode("utf-16-le"), b"caf\xe9", b"x\n" + b"c" * 5000],
)
def test_a_list_that_proves_nothing_is_refused(content: bytes) -> None:
    with pytest.raises(TreeError, match=r"write one per line|save it as UTF-8|would be missed .* shorten it"):
        command.canaries_of(content, "list")


@pytest.mark.parametrize("path", ["", "/", "/nowhere/list", "nul\0"])
def test_an_unreadable_list_of_canaries_is_refused(path: str, tmp_path: Path) -> None:
    errors = io.StringIO()
    arguments = ["slipway-machine-image-check", f"--canary-file={path}", str(tmp_path)]
    with mock.patch.object(sys, "argv", arguments), contextlib.redirect_stderr(errors):
        assert command.main() == 2
    assert "cannot be read" in errors.getvalue() and errors.getvalue().count("\n") == 1
