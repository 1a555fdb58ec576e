# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import openpgp
from hypothesis import given
from hypothesis import strategies as st

needs_gpg = pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is not installed")
PUBLIC_KEY_V4 = b"\x04" + b"\x00" * 4 + b"\x16\x05hello"


def packet(body: bytes, tag: int = openpgp.PUBLIC_KEY_TAG) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def armor(data: bytes, newline: str = "\n") -> bytes:
    encoded = base64.b64encode(data).decode()
    lines = [encoded[start : start + 64] for start in range(0, len(encoded), 64)]
    checksum = "=" + base64.b64encode(openpgp.crc24(data).to_bytes(3, "big")).decode()
    begin, end = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
    return newline.join(["a preface", begin, "Version: 1", "", *lines, checksum, end, ""]).encode()


class Gpg:
    def __init__(self, home: Path) -> None:
        self.base = [
            "gpg",
            "--homedir",
            str(home),
            "--batch",
            "--quiet",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
        ]

    def run(self, *arguments: str) -> bytes:
        return subprocess.run([*self.base, *arguments], check=True, capture_output=True).stdout

    def fingerprints(self) -> list[str]:
        """gpg lists a key's own fingerprint first after each "pub" line."""
        lines = self.run("--with-colons", "--list-keys").decode().splitlines()
        return [lines[index + 1].split(":")[9] for index, line in enumerate(lines) if line.startswith("pub:")]


@pytest.fixture(scope="module")
def gpg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)
    gpg = Gpg(home)
    gpg.run("--quick-generate-key", "One <one@example.com>", "rsa2048", "sign", "never")
    gpg.run("--quick-generate-key", "Two <two@example.com>", "ed25519", "sign", "never")
    gpg.run("--quick-add-key", gpg.fingerprints()[0], "rsa2048", "encr", "never")
    yield gpg
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)


@needs_gpg
@pytest.mark.parametrize("form", [["--armor"], []], ids=["armored", "binary"])
def test_fingerprints_are_those_of_gpg_and_subkeys_are_left_out(gpg: Gpg, form: list[str]) -> None:
    assert sorted(openpgp.fingerprints(gpg.run(*form, "--export"))) == sorted(gpg.fingerprints())


@needs_gpg
def test_every_primary_key_has_to_be_pinned(gpg: Gpg) -> None:
    exported = gpg.run("--armor", "--export")
    first, second = openpgp.fingerprints(exported)
    assert openpgp.untrusted(exported, [first]) == [second]
    assert openpgp.untrusted(exported, [first.lower(), " ".join(second)]) == []


@needs_gpg
def test_two_armored_blocks_in_one_file_count_both(gpg: Gpg) -> None:
    blocks = b"".join(gpg.run("--armor", "--export", item) for item in gpg.fingerprints())
    assert sorted(openpgp.fingerprints(blocks)) == sorted(gpg.fingerprints())


@needs_gpg
def test_secret_keys_are_refused(gpg: Gpg) -> None:
    with pytest.raises(openpgp.OpenPgpError, match="secret key"):
        openpgp.fingerprints(gpg.run("--export-secret-keys"))


@given(st.binary(min_size=1), st.sampled_from(["\n", "\r\n"]))
def test_armor_round_trip(data: bytes, newline: str) -> None:
    assert openpgp.dearmor(armor(data, newline)) == data


@given(st.binary())
def test_no_file_makes_the_parser_fail_in_an_unforeseen_way(data: bytes) -> None:
    for candidate in (data, b"\xc6" + data, b"\x98" + data):
        try:
            openpgp.fingerprints(candidate)
        except openpgp.OpenPgpError:
            continue


@given(st.integers(min_value=0, max_value=9000))
def test_every_length_encoding_gives_the_same_fingerprint(size: int) -> None:
    body = PUBLIC_KEY_V4 + b"k" * size
    length = len(body)
    forms = [packet(body), b"\x9a" + length.to_bytes(4, "big") + body, b"\x99" + length.to_bytes(2, "big") + body]
    if length < 192:
        forms += [b"\xc6" + bytes([length]) + body, b"\x98" + bytes([length]) + body]
    elif length < 8384:
        forms += [b"\xc6" + bytes([192 + ((length - 192) >> 8), (length - 192) & 0xFF]) + body]
    assert len({openpgp.fingerprints(form)[0] for form in forms}) == 1


def test_a_truncated_key_is_refused() -> None:
    with pytest.raises(openpgp.OpenPgpError, match="middle of a packet"):
        openpgp.fingerprints(packet(PUBLIC_KEY_V4)[:-1])


def test_a_damaged_armor_is_refused() -> None:
    damaged = armor(packet(PUBLIC_KEY_V4)).replace(b"\n=", b"\n=AAAA\n=", 1)
    with pytest.raises(openpgp.OpenPgpError, match="checksum"):
        openpgp.fingerprints(damaged)


@pytest.mark.parametrize("data", [b"", b"<html>404</html>", b"-----BEGIN PGP MESSAGE-----"])
def test_what_is_no_key_is_refused(data: bytes) -> None:
    with pytest.raises(openpgp.OpenPgpError):
        openpgp.fingerprints(data)


def test_a_version_6_key_has_a_longer_fingerprint() -> None:
    assert len(openpgp.fingerprints(packet(b"\x06" + PUBLIC_KEY_V4[1:]))[0]) == 64


@pytest.mark.parametrize("text", ["", "060A 61C5", "0x" + "A" * 40, "G" * 40])
def test_an_abbreviated_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(openpgp.OpenPgpError, match="40 hexadecimal"):
        openpgp.normalise_fingerprint(text)
