# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import openpgp
from hypothesis import given
from hypothesis import strategies as st

from tests.support.key_files import armor, hidden, packet

needs_gpg = pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is not installed")
PUBLIC_KEY_V4 = b"\x04" + b"\x00" * 4 + b"\x16\x05hello"


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
        """Return the fingerprints of primary keys: the first line after each "pub" line."""
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


@pytest.mark.program
@needs_gpg
@pytest.mark.parametrize("form", [["--armor"], []], ids=["armored", "binary"])
def test_fingerprints_match_gpg_and_exclude_subkeys(gpg: Gpg, form: list[str]) -> None:
    assert sorted(openpgp.fingerprints(gpg.run(*form, "--export"))) == sorted(gpg.fingerprints())


@pytest.mark.program
@needs_gpg
def test_every_primary_key_has_to_be_pinned(gpg: Gpg) -> None:
    exported = gpg.run("--armor", "--export")
    first, second = openpgp.fingerprints(exported)
    assert openpgp.untrusted(exported, [first]) == [second]
    assert openpgp.untrusted(exported, [first.lower(), " ".join(second)]) == []


@pytest.mark.program
@needs_gpg
def test_both_armored_blocks_in_one_file_count(gpg: Gpg) -> None:
    blocks = b"".join(gpg.run("--armor", "--export", item) for item in gpg.fingerprints())
    assert sorted(openpgp.fingerprints(blocks)) == sorted(gpg.fingerprints())


FOREIGN_KEY_V4 = PUBLIC_KEY_V4 + b"foreign"


@pytest.mark.parametrize("way", hidden(b"", b""))
def test_a_file_that_hides_a_second_key_is_refused(way: str) -> None:
    """Fault: a key file that hides a second key. Outcome: refused; no package is installed and no engine is stopped."""
    data = hidden(packet(PUBLIC_KEY_V4), packet(FOREIGN_KEY_V4))[way]
    pin = openpgp.fingerprint(PUBLIC_KEY_V4)
    try:
        assert openpgp.untrusted(data, [pin]) == [openpgp.fingerprint(FOREIGN_KEY_V4)]
    except openpgp.OpenPgpError as error:
        assert str(error).startswith(("it ", "its ", "line "))


@pytest.mark.program
@needs_gpg
@pytest.mark.parametrize("form", [["--armor"], []], ids=["armored", "binary"])
def test_the_canonical_form_equals_what_gpg_exports(gpg: Gpg, form: list[str]) -> None:
    one, two = gpg.fingerprints()
    written = openpgp.canonical(gpg.run(*form, "--export", two), [one, two])
    assert written == gpg.run("--armor", "--export", two)
    both = openpgp.canonical(gpg.run(*form, "--export"), [one, two])
    assert both.count(openpgp.BEGIN) == 2
    assert openpgp.canonical(both, [one, two]) == both
    (subkey,) = set(openpgp.all_fingerprints(gpg.run("--export", one))) - {one}
    assert openpgp.canonical(gpg.run("--export", one), [one, subkey]) == gpg.run("--armor", "--export", one)


@pytest.mark.parametrize("pins", [1, 2])
def test_a_subkey_is_kept_only_if_it_is_pinned_itself(pins: int) -> None:
    """rpm before 4.17.1 requires no binding signature, so anyone could add a subkey to a pinned key."""
    signature = packet(b"signature", openpgp.SIGNATURE_TAG)
    data = packet(PUBLIC_KEY_V4) + signature + packet(FOREIGN_KEY_V4, openpgp.PUBLIC_SUBKEY_TAG) + signature
    keys = [openpgp.fingerprint(body) for body in (PUBLIC_KEY_V4, FOREIGN_KEY_V4)]
    assert openpgp.all_fingerprints(data) == keys
    assert openpgp.all_fingerprints(openpgp.canonical(data, keys[:pins])) == keys[:pins]


def test_the_canonical_form_drops_a_key_that_is_not_pinned() -> None:
    data = packet(PUBLIC_KEY_V4) + packet(FOREIGN_KEY_V4)
    ours, foreign = openpgp.fingerprints(data)
    assert openpgp.untrusted(data, [ours]) == [foreign]
    assert openpgp.fingerprints(openpgp.canonical(data, [ours])) == [ours]


@given(st.lists(st.binary(max_size=70000), max_size=3))
def test_the_canonical_form_keeps_every_packet_of_a_pinned_key(bodies: list[bytes]) -> None:
    content = [(openpgp.PUBLIC_KEY_TAG, PUBLIC_KEY_V4), *((openpgp.USER_ID_TAG, body) for body in bodies)]
    content += [(openpgp.USER_ATTRIBUTE_TAG, b"image")]
    data = b"".join(packet(body, tag) for tag, body in content)
    written = openpgp.canonical(data, [openpgp.fingerprint(PUBLIC_KEY_V4)])
    assert list(openpgp.packets(openpgp.dearmor(written))) == content


@pytest.mark.program
@needs_gpg
def test_secret_keys_are_refused(gpg: Gpg) -> None:
    with pytest.raises(openpgp.OpenPgpError, match="secret key"):
        openpgp.fingerprints(gpg.run("--export-secret-keys"))


@given(st.binary(min_size=1), st.sampled_from(["\n", "\r\n"]))
def test_armor_round_trip(data: bytes, newline: str) -> None:
    assert openpgp.dearmor(armor(data, newline)) == data


@given(st.binary())
def test_the_parser_raises_only_its_own_error_for_any_input(data: bytes) -> None:
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
    whole = armor(packet(PUBLIC_KEY_V4))
    damaged = whole[: whole.index(b"\n=")] + b"\n=AAAA\n" + openpgp.END
    with pytest.raises(openpgp.OpenPgpError, match="checksum"):
        openpgp.fingerprints(damaged)


@pytest.mark.parametrize("data", [b"", b"<html>404</html>", b"-----BEGIN PGP MESSAGE-----"])
def test_anything_but_a_key_is_refused(data: bytes) -> None:
    with pytest.raises(openpgp.OpenPgpError):
        openpgp.fingerprints(data)


def test_a_version_6_key_has_a_longer_fingerprint() -> None:
    assert len(openpgp.fingerprints(packet(b"\x06" + PUBLIC_KEY_V4[1:]))[0]) == 64


@pytest.mark.parametrize("text", ["", "060A 61C5", "0x" + "A" * 40, "G" * 40])
def test_an_abbreviated_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(openpgp.OpenPgpError, match="40 hexadecimal"):
        openpgp.normalise_fingerprint(text)


def test_a_file_of_a_million_keys_is_refused_at_once() -> None:
    """Fault: a server sends a key file with countless keys. Outcome: refused in one sentence, at once."""
    data = b"".join(
        openpgp.encode(openpgp.PUBLIC_KEY_TAG, b"\x04" + number.to_bytes(4, "big")) for number in range(10**5)
    )
    with pytest.raises(openpgp.OpenPgpError, match="more than 100 keys"):
        openpgp.fingerprints(data)
