# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The output of rpm 4.18 and 6.1 is interpreted; tests/lab runs rpm itself."""

import base64
import textwrap
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import openpgp, pinned_keyring
from ansible_collections.slipway.platform.plugins.module_utils.packages.pinned_keyring import (
    KeyringError,
    PinnedKeyring,
)

from tests.support.key_files import packet

BODIES = [b"\x04" + b"\x00" * 4 + b"\x16\x05" + name for name in (b"one", b"two")]
KEYS = [packet(body) + packet(b"somebody" * 20, openpgp.USER_ID_TAG) for body in BODIES]
FINGERPRINTS = [openpgp.fingerprint(body) for body in BODIES]


def row(key: bytes, called: str, *, wrapped: bool) -> str:
    encoded = base64.b64encode(key).decode()
    kept = "\n".join(textwrap.wrap(encoded, 64)) + "\n" if wrapped else encoded
    return f"gpg-pubkey-{called}-6b0a16aa\t{called}\t{kept}\n"


def rows(*, wrapped: bool, digits: int) -> str:
    return "".join(
        row(key, known[-digits:].lower(), wrapped=wrapped) for key, known in zip(KEYS, FINGERPRINTS, strict=True)
    )


class Rpm:
    """Stands in for rpm: records what is erased, and answers queries with a fixed text."""

    def __init__(self, listing: str, status: int = 0) -> None:
        self.listing, self.status = listing, status
        self.erased: list[str] = []

    def run_command(self, command: list[str], **_: Any) -> tuple[int, str, str]:
        if "--erase" in command:
            self.erased.append(" ".join(command))
            return self.status, "", "error: it is in use\n"
        return 0, self.listing, ""


@pytest.mark.parametrize(("wrapped", "digits"), [(False, 8), (True, 40)], ids=["rpm 4.18", "rpm 6.1"])
def test_only_the_key_with_the_full_fingerprint_is_removed(wrapped: bool, digits: int) -> None:
    rpm = Rpm(rows(wrapped=wrapped, digits=digits))
    assert pinned_keyring.forget(rpm, [FINGERPRINTS[1]]) == []
    assert rpm.erased == [f"rpm --erase gpg-pubkey-{FINGERPRINTS[1][-digits:].lower()}-6b0a16aa"]
    rpm.erased.clear()
    assert pinned_keyring.forget(rpm, ["A" * 32 + FINGERPRINTS[0][-8:]]) == []
    assert rpm.erased == []


def test_a_key_that_cannot_be_removed_is_reported() -> None:
    (problem,) = pinned_keyring.forget(Rpm(rows(wrapped=False, digits=8), status=1), [FINGERPRINTS[0]])
    for word in (FINGERPRINTS[0], "it is in use", "by hand"):
        assert word in problem


@pytest.mark.parametrize("kept", [base64.b64encode(KEYS[1]).decode(), base64.b64encode(b"nonsense").decode(), "a", ""])
def test_a_key_whose_content_does_not_match_its_id_is_unknown(kept: str) -> None:
    assert pinned_keyring.imported(f"gpg-pubkey-deadbeef-1\tdeadbeef\t{kept}\n") == [
        ("gpg-pubkey-deadbeef-1", ["unknown deadbeef"])
    ]


GOOD = "/m/good.rpm"


class Rpmkeys:
    def __init__(self, status: int, output: str) -> None:
        self.result = status, output, ""

    def get_bin_path(self, program: str, **_: Any) -> str:
        return program

    def run_command(self, *_: Any, **__: Any) -> tuple[int, str, str]:
        return self.result


def is_intact(status: int, output: str) -> bool:
    keyring = PinnedKeyring.__new__(PinnedKeyring)
    keyring.module, keyring.database = Rpmkeys(status, output), []
    return bool(keyring.is_intact(GOOD))


def test_a_signed_package_is_intact() -> None:
    assert is_intact(0, f"{GOOD}: digests signatures OK\n")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (0, ": digests OK"),  # unsigned, if rpm does not require signatures
        (1, ": digests SIGNATURES NOT OK"),
        (1, ": DIGESTS SIGNATURES NOT OK"),
        (1, ": digests signatures NOT OK"),
        (1, ": digests signatures OK"),
        (0, ":"),
    ],
)
def test_a_package_with_any_other_verdict_is_not_intact(status: int, verdict: str) -> None:
    assert not is_intact(status, f"{GOOD}{verdict}\n")


class Importing(Rpm):
    """Stands in for rpm and rpmkeys: a private database that holds what the listing says, whatever is imported."""

    def __init__(self, folder: Path, listing: str, imports: int = 0) -> None:
        super().__init__(listing)
        self.tmpdir, self.imports = str(folder), imports
        self.imported: list[bytes] = []

    def get_bin_path(self, program: str, **_: Any) -> str:
        return program

    def run_command(self, command: list[str], **_: Any) -> tuple[int, str, str]:
        assert command[1] == "--dbpath", "the host's own database"
        if "--import" in command:
            self.imported.append(Path(command[-1]).read_bytes())
            return self.imports, "", "error: key 1 import failed.\n" if self.imports else ""
        return super().run_command(command)


def listing(*keys: bytes) -> str:
    return "".join(row(key, openpgp.fingerprints(key)[0][-8:].lower(), wrapped=False) for key in keys)


SUBKEY = packet(BODIES[1], openpgp.PUBLIC_SUBKEY_TAG)
PINNED = openpgp.canonical(KEYS[0], FINGERPRINTS)


def test_a_keyring_whose_keys_are_the_pinned_ones_is_used(tmp_path: Path) -> None:
    rpm = Importing(tmp_path, listing(KEYS[0]))
    PinnedKeyring(rpm, PINNED)
    assert rpm.imported == [PINNED]
    both = openpgp.canonical(KEYS[0] + KEYS[1], FINGERPRINTS)
    PinnedKeyring(Importing(tmp_path, listing(KEYS[1], KEYS[0])), both)
    with_subkey = openpgp.canonical(KEYS[0] + SUBKEY, FINGERPRINTS)
    PinnedKeyring(Importing(tmp_path, listing(KEYS[0] + SUBKEY)), with_subkey)


@pytest.mark.parametrize(
    ("read", "named"),
    [
        (listing(*KEYS), " and ".join(sorted(FINGERPRINTS))),
        (listing(KEYS[1]), FINGERPRINTS[1]),
        (listing(KEYS[0] + SUBKEY), " and ".join(sorted(FINGERPRINTS))),
        (listing(KEYS[0], KEYS[0]), f"{FINGERPRINTS[0]} and {FINGERPRINTS[0]}"),
        ("gpg-pubkey-deadbeef-1\tdeadbeef\t" + base64.b64encode(KEYS[0]).decode() + "\n", "unknown deadbeef"),
        ("package gpg-pubkey is not installed\n", "none"),
    ],
    ids=["a second key", "another key", "a subkey", "a key twice", "a key under another ID", "none"],
)
def test_a_keyring_in_which_rpm_reads_other_keys_is_refused(tmp_path: Path, read: str, named: str) -> None:
    """Fault: rpm reads another key from the pinned key file than we do. Outcome: refused; the keys are named."""
    with pytest.raises(KeyringError) as refused:
        PinnedKeyring(Importing(tmp_path, read), PINNED)
    assert str(refused.value) == f"rpm reads different keys from the pinned key file: {named}"


def test_a_key_that_rpm_cannot_import_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match=r"rpm cannot import the pinned key \(error: key 1 import failed\.\)"):
        PinnedKeyring(Importing(tmp_path, listing(KEYS[0]), imports=1), PINNED)
