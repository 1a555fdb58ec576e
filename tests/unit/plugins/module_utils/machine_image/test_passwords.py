# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Usable and empty passwords, and authorized keys, do not ship unless they are explicitly kept."""

import os
import stat
from pathlib import Path

import pytest

from tests.unit.plugins.module_utils.machine_image.conftest import PASSWD, as_root, found, plant, sealed

SHADOW = "root:!locked::0:99999:7:::\nbin:*:19000:0:99999:7:::\nops:!!:19000::::::\nalice:{}:19000:0:99999:7:::\n"
HASHES = {
    "yescrypt": "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
    "SHA-512": "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/",
    "MD5": "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
    "DES": "ab01FAX.bQRSU",
    "none": "",
}
UNUSABLE = ["!", "!!", "*", "*LK*", "!$6$saltsalt$x", "x", "NP", "!locked"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may write what is read-only")
@pytest.mark.parametrize("hashed", HASHES.values(), ids=HASHES)
def test_a_usable_or_empty_password_is_found_and_locked(root: Path, hashed: str) -> None:
    """Fault: a password, or none, opens an account. Outcome: found, and locked by the seal unless it is allowed."""
    shadow = plant(root, "etc/shadow", SHADOW.format(hashed))
    shadow.chmod(0o400)
    assert found(root) == ["/etc/shadow: a usable or empty password for alice"]
    assert sealed(root) == ["/etc/shadow"]
    assert shadow.read_text() == SHADOW.format("*")
    assert stat.S_IMODE(shadow.stat().st_mode) == 0o400
    assert found(root) == sealed(root) == []


@pytest.mark.parametrize("field", UNUSABLE)
def test_an_account_without_a_usable_password_is_unchanged(root: Path, field: str) -> None:
    plant(root, "etc/shadow", SHADOW.format(field))
    assert found(root) == []


@pytest.mark.parametrize("field", ["", HASHES["MD5"]])
def test_a_password_in_etc_passwd_counts(root: Path, field: str) -> None:
    passwd = plant(root, "etc/passwd", f"{PASSWD}bob:{field}:0:0::/root:/bin/sh\n+::::::\n+@admins::::::\n\n")
    assert found(root) == ["/etc/passwd: a usable or empty password for bob"]
    sealed(root)
    assert passwd.read_text() == f"{PASSWD}bob:*:0:0::/root:/bin/sh\n+::::::\n+@admins::::::\n\n"


@pytest.mark.parametrize("file", ["etc/gshadow", "etc/group"])
def test_a_group_password_is_found_and_an_empty_one_is_not(root: Path, file: str) -> None:
    """Fault: a password admits to a group. Outcome: found, and locked by the seal."""
    planted = plant(root, file, f"wheel:::ops\nstaff:!:x:\ndocker:{HASHES['SHA-512']}:990:alice\n")
    assert found(root) == [f"/{file}: a usable password for the group docker"]
    sealed(root)
    assert planted.read_text() == "wheel:::ops\nstaff:!:x:\ndocker:*:990:alice\n"


def test_passwords_of_named_users_stay(root: Path) -> None:
    text = SHADOW.format(HASHES["MD5"]) + "bob::19000::::::\ncarol::19000::::::\n"
    shadow = plant(root, "etc/shadow", text)
    assert found(root) == ["/etc/shadow: a usable or empty password for alice, bob, carol"]
    sealed(root, keep_passwords_of=("alice", "carol"))
    assert shadow.read_text() == text.replace("bob::", "bob:*:")
    assert found(root, keep_passwords_of=["alice", "carol"]) == []


KEYS = "ssh-ed25519 AAAA ops"


@pytest.mark.parametrize(
    ("setting", "file"),
    [
        ("AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/keys/%u", "etc/ssh/keys/alice"),
        ('Match Group ops\n\tauthorizedkeysfile="/etc/ssh/keys/%u/authorized"', "etc/ssh/keys/gone/authorized"),
        ("AuthorizedKeysFile /etc/ssh/all_keys # of everybody", "etc/ssh/all_keys"),
        ("AuthorizedKeysFile %h/.keys/login", "home/alice/.keys/login"),
        ("AuthorizedKeysFile .keys", "home/gone/.keys"),
    ],
)
@pytest.mark.parametrize("configuration", ["etc/ssh/sshd_config", "etc/ssh/sshd_config.d/50-site.conf"])
def test_keys_in_files_configured_in_sshd_config_are_removed(
    root: Path, setting: str, file: str, configuration: str
) -> None:
    """Fault: login keys in another place, named by `AuthorizedKeysFile`. Outcome: found, and removed by the seal unless
    they are allowed.
    """
    planted = plant(root, file, KEYS)
    plant(root, configuration, f"#AuthorizedKeysFile /opt/comment\n{setting}\n")
    plant(root, "opt/comment")
    assert found(root) == [f"/{file}: authorized SSH keys"]
    assert sealed(root) == [f"/{file}"]
    assert not planted.exists()


@as_root
def test_a_device_is_not_taken_for_a_key_file(root: Path) -> None:
    plant(root, "etc/ssh/sshd_config", "AuthorizedKeysFile /dev/null\n")
    (root / "dev").mkdir()
    os.mknod(root / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    assert found(root) == sealed(root) == []


def test_keys_of_named_users_stay_in_files_configured_in_sshd_config(root: Path) -> None:
    plant(root, "etc/ssh/sshd_config", "AuthorizedKeysFile /etc/ssh/keys/%u .keys\n")
    for file in ("etc/ssh/keys/alice", "etc/ssh/keys/root", "home/alice/.keys", "root/.keys"):
        plant(root, file, KEYS)
    assert sealed(root, keep_keys_of=("alice",)) == ["/root/.keys", "/etc/ssh/keys/root"]
    assert found(root, keep_keys_of=["alice"]) == []


def test_a_name_cannot_control_the_terminal(root: Path) -> None:
    """Fault: the name of a user with a password has bytes that control a terminal. Outcome: they are shown escaped."""
    (root / "etc/shadow").write_bytes(b"e\x1b[2J\xff:$6$salt$hash:1::::::\n")
    assert found(root) == ["/etc/shadow: a usable or empty password for e\\x1b[2J\\xff"]
