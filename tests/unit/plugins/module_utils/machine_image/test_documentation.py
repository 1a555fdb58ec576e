# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Made-up logins in the documentation of packages are not reported; whatever could be real is."""

import base64
import hashlib
import os
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import documentation

from tests.support.repeatable_secrets import RepeatableSecrets
from tests.unit.plugins.module_utils.machine_image.conftest import found, plant

secrets = RepeatableSecrets(__name__)

README = "usr/share/doc/app/README"
EXAMPLE = "Write machine imap.corp login tzz password letme" + "know, or https://tzz:letme" + "know@imap.corp/.\n"
KEY = f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(secrets.token_bytes(60)).decode()}\n"
TOKEN = "ghp" + f"_{secrets.token_hex(18)}"

Installer = Callable[[Path, str, str], None]


def install_by_dpkg(root: Path, path: str, content: str) -> None:
    digest = hashlib.md5(plant(root, path, content).read_bytes(), usedforsecurity=False).hexdigest()
    plant(root, "var/lib/dpkg/info/app.md5sums", f"{'0' * 32}  usr/bin/app\n{digest}  {path}\n")


def install_by_rpm(
    root: Path, path: str, content: str, *, flags: int = 2, algorithm: int | None = 8, database: str = "var/lib/rpm"
) -> None:
    """Plant a file and what rpm records of it: in a header, each of its tags is described by four numbers."""
    digest = documentation.digest_of(plant(root, path, content).read_bytes(), algorithm or 1)
    folder, _, name = f"/{path}".rpartition("/")
    values: dict[int, tuple[int, list[str] | list[int]]] = {
        documentation.DIGESTS: (8, ["", digest]),
        documentation.FLAGS: (4, [0, flags]),
        documentation.DIRECTORY_INDEXES: (4, [0, 1]),
        documentation.NAMES: (8, ["app", name]),
        documentation.DIRECTORIES: (8, ["/usr/bin/", f"{folder}/"]),
    }
    if algorithm:
        values[documentation.ALGORITHM] = (4, [algorithm])
    index, data = b"", b""
    for tag, (kind, items) in values.items():
        data += bytes(-len(data) % 4)
        index += struct.pack(">4I", tag, kind, len(data), len(items))
        data += b"".join(struct.pack(">I", item) if isinstance(item, int) else f"{item}\0".encode() for item in items)
    header = struct.pack(">2I", len(values), len(data)) + index + data
    (root / database).mkdir(parents=True)
    with closing(sqlite3.connect(root / database / "rpmdb.sqlite")) as packages, packages:
        packages.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        packages.execute("CREATE TABLE Basenames (key TEXT NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)")
        packages.execute("INSERT INTO Packages VALUES (1, ?)", (header,))
        packages.execute("INSERT INTO Basenames VALUES ('app', 1, 0), (?, 1, 1)", (name,))


INSTALLERS = pytest.mark.parametrize("install", [install_by_dpkg, install_by_rpm])


@INSTALLERS
def test_a_made_up_login_is_not_reported_until_the_file_differs(root: Path, install: Installer) -> None:
    """Fault: documentation of a distribution with an example login. Outcome: no finding, until the file differs."""
    readme = plant(root, README, EXAMPLE)
    whats = ["a netrc password", "a password in a URL"]
    assert [line.split(": ")[1] for line in found(root)] == whats
    install(root, README, EXAMPLE)
    assert found(root) == []
    readme.write_text(f"{EXAMPLE}And more.\n")
    assert [line.split(": ")[1] for line in found(root)] == whats


@INSTALLERS
@pytest.mark.parametrize(
    ("content", "what"),
    [(KEY, "a private key"), (TOKEN, "a GitHub token"), ("a-canary", "the canary")],
    ids=["key", "token", "canary"],
)
def test_what_could_be_real_is_reported(root: Path, install: Installer, content: str, what: str) -> None:
    """Fault: a site's own package hides a key or a token in its documentation. Outcome: found; examples are not."""
    install(root, README, f"{EXAMPLE}{content}\n")
    assert found(root, canaries=["a-canary"]) == [f"/{README}, line {EXAMPLE.count(chr(10)) + 1}: {what}"]


@INSTALLERS
def test_a_login_elsewhere_is_reported_although_a_package_installed_it(root: Path, install: Installer) -> None:
    install(root, "etc/app.conf", EXAMPLE)
    assert len(found(root)) == 2


@pytest.mark.parametrize(
    ("options", "is_excused"),
    [
        ({"flags": 0}, False),  # not documentation
        ({"flags": 0x42}, True),
        ({"algorithm": None}, True),  # MD5, which has no tag
        ({"algorithm": 10}, True),
        ({"algorithm": 99}, False),
        ({"database": "usr/lib/sysimage/rpm"}, True),
        ({"database": "var/lib/app"}, False),
    ],
)
def test_rpm_must_have_recorded_the_file_as_such(root: Path, options: dict[str, Any], is_excused: bool) -> None:
    install_by_rpm(root, README, EXAMPLE, **options)
    assert (found(root) == []) is is_excused


def test_another_package_s_file_of_the_same_name_excuses_nothing(root: Path) -> None:
    install_by_rpm(root, "usr/share/doc/other/README", EXAMPLE)
    plant(root, README, EXAMPLE)
    assert {line.partition(", ")[0] for line in found(root)} == {f"/{README}"}


HOSTILE = {
    "a text": b"no database\n" * 100,
    "nothing": b"",
    "a header cut off": b"\0\0\0\5\0\0\0\x99" + b"\0" * 20,
    "offsets beyond its end": struct.pack(">2I", 1, 4) + struct.pack(">4I", 1118, 8, 1 << 30, 1 << 31),
    "a number of entries without end": b"\xff" * 16,
}


@pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE)
def test_a_damaged_database_of_rpm_excuses_nothing(root: Path, header: bytes) -> None:
    """Fault: rpm's database is damaged, or made to mislead. Outcome: the finding is reported, without a traceback."""
    install_by_rpm(root, README, EXAMPLE)
    path = root / "var/lib/rpm/rpmdb.sqlite"
    with closing(sqlite3.connect(path)) as packages, packages:
        packages.execute("UPDATE Packages SET blob = ?", (header,))
    assert len(found(root)) == 2
    path.write_bytes(header)
    assert len(found(root)) == 2


def test_a_database_that_never_answers_excuses_nothing(root: Path) -> None:
    (root / "var/lib/rpm").mkdir(parents=True)
    with closing(sqlite3.connect(root / "var/lib/rpm/rpmdb.sqlite")) as packages, packages:
        packages.execute("CREATE TABLE Packages (hnum, blob)")
        endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT 'x' key, x hnum, 0 idx FROM n"
        packages.execute(f"CREATE VIEW Basenames AS {endless}")
    plant(root, README, EXAMPLE)
    assert len(found(root)) == 2


def test_a_pipe_in_place_of_the_database_is_not_opened(root: Path) -> None:
    plant(root, README, EXAMPLE)
    (root / "var/lib/rpm").mkdir(parents=True)
    os.mkfifo(root / "var/lib/rpm/rpmdb.sqlite")
    assert len(found(root)) == 2
