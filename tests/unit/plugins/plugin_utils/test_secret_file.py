# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A secret in a file on the controller, encrypted by ansible-vault itself."""

import os
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.slipway.platform.plugins.plugin_utils.secret_file import SecretFile, SecretFileError

PLAIN = VaultLib()
LOCKED = VaultLib([("default", VaultSecret(b"correct horse"))])
OTHER = VaultLib([("default", VaultSecret(b"battery staple"))])


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("vault", [PLAIN, LOCKED], ids=["plain", "vault"])
def test_a_secret_comes_back_and_is_the_owner_s_alone(tmp_path: Path, vault: VaultLib) -> None:
    path = tmp_path / "key"
    file = SecretFile(path, vault)
    assert file.read() == ""
    assert not file.is_protected()
    before = os.umask(0)
    try:
        file.write("SWMKEY-1-a")
    finally:
        os.umask(before)
    assert file.read() == "SWMKEY-1-a"
    assert mode(path) == 0o600
    assert file.is_protected()
    assert (b"SWMKEY" in path.read_bytes()) == (vault is PLAIN)
    assert [found.name for found in tmp_path.iterdir()] == ["key"]


def test_another_secret_is_kept_beside_it(tmp_path: Path) -> None:
    """Fault: the unlock key of a swarm was rotated while a manager was down. Outcome: the file has the new key, and
    the one before, which that manager needs, is kept beside it.
    """
    file = SecretFile(tmp_path / "key", LOCKED)
    file.write("one")
    file.write("one")
    assert not (tmp_path / "key.previous").exists()
    file.write("two")
    assert file.read() == "two"
    assert SecretFile(tmp_path / "key.previous", LOCKED).read() == "one"
    assert mode(tmp_path / "key.previous") == 0o600


def test_a_file_that_others_read_or_that_should_be_encrypted_is_not_protected(tmp_path: Path) -> None:
    SecretFile(tmp_path / "key", PLAIN).write("one")
    assert not SecretFile(tmp_path / "key", LOCKED).is_protected()
    (tmp_path / "key").chmod(0o644)
    assert not SecretFile(tmp_path / "key", PLAIN).is_protected()


def test_what_cannot_be_decrypted_is_said(tmp_path: Path) -> None:
    SecretFile(tmp_path / "key", LOCKED).write("one")
    with pytest.raises(SecretFileError, match="--vault-password-file"):
        SecretFile(tmp_path / "key", PLAIN).read()
    with pytest.raises(SecretFileError, match="cannot be decrypted"):
        SecretFile(tmp_path / "key", OTHER).read()


def test_a_place_that_cannot_be_written_is_found_before(tmp_path: Path) -> None:
    SecretFile(tmp_path / "key", PLAIN).require_writable()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SecretFileError, match="create its directory"):
        SecretFile(tmp_path / "missing/key", PLAIN).require_writable()
    with pytest.raises(SecretFileError, match="is a directory"):
        SecretFile(tmp_path, PLAIN).require_writable()


def test_a_file_whose_secret_could_not_be_kept_is_found_before(tmp_path: Path) -> None:
    """Otherwise an engine would stop for a backup that is thrown away."""
    SecretFile(tmp_path / "key", OTHER).write("one")
    with pytest.raises(SecretFileError, match="cannot be decrypted"):
        SecretFile(tmp_path / "key", LOCKED).require_writable()


def test_a_folder_that_vanished_meanwhile_is_said(tmp_path: Path) -> None:
    """Any other exception would leave autolock on, with its key nowhere."""
    with pytest.raises(SecretFileError, match="cannot be written on the controller"):
        SecretFile(tmp_path / "gone/key", PLAIN).write("one")
