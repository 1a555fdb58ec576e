# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import openpgp, repository_key
from ansible_collections.slipway.platform.plugins.module_utils.packages.repository_key import KeyFileError
from ansible_collections.slipway.platform.plugins.module_utils.packages.repository_variables import MIRROR

# The body of a public key packet: version 4, a time, an algorithm and no key material.
BODY = b"\x04\x00\x00\x00\x01\x01"
KEY = bytes([0xC6, len(BODY)]) + BODY
PIN = openpgp.fingerprint(BODY)


@pytest.mark.parametrize("received", [KEY, b"\n\n" + openpgp.armor(KEY).replace(b"\n", b"\r\n")])
def test_a_pinned_key_is_returned_in_canonical_form(tmp_path: Path, received: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(received)
    assert repository_key.read(str(path), [PIN], None, MIRROR) == openpgp.canonical(KEY, [PIN])


@pytest.mark.parametrize(
    ("content", "pins", "words"),
    [
        (KEY, ["A" * 40], ["has the fingerprint " + PIN, "A" * 40, "ask the"]),
        (b"no key", [PIN], ["cannot be trusted", "not an OpenPGP"]),
        (KEY, ["abc"], ["abc", "40"]),
        (None, [PIN], ["cannot be read", "copy it"]),
    ],
)
def test_any_other_key_is_refused_with_its_source(
    tmp_path: Path, content: bytes | None, pins: list[str], words: list[str]
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyFileError) as refusal:
        repository_key.read(str(path), pins, None, MIRROR)
    for word in [str(path), *words]:
        assert word in str(refusal.value)


def test_a_url_that_does_not_answer_is_reported_with_the_setting() -> None:
    with pytest.raises(KeyFileError, match=r"http://127\.0\.0\.1:9/gpg cannot be fetched .* docker_mirror_gpg_key"):
        repository_key.read("http://127.0.0.1:9/gpg", [PIN], None, MIRROR)


def test_a_proxy_that_does_not_answer_is_blamed() -> None:
    with pytest.raises(KeyFileError, match="correct docker_mirror_proxy"):
        repository_key.read("http://mirror.example.com/gpg", [PIN], "http://127.0.0.1:9", MIRROR)
