# SPDX-License-Identifier: Apache-2.0
"""What of the lab's wheels can be proven without a server and without PyPI."""

import configparser
import io
import stat
import tarfile
from pathlib import Path

import pytest

from slipway.lab import wheels
from slipway.lab.errors import LabError
from slipway.lab.paths import PROJECT
from slipway.lab.yum_repository import HERE as REPOSITORY_FOLDER


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of .lab."""
    monkeypatch.setattr(wheels, "LAB", tmp_path)
    return tmp_path


def test_the_server_has_the_name_that_pip_asks_for_and_a_certificate_for_it() -> None:
    pip = configparser.ConfigParser()
    pip.read(PROJECT / "dockerfiles/contexts/stand-in-base/pip.conf")
    assert pip["global"]["find-links"] == f"https://{wheels.NAME}/"
    assert pip["global"].getboolean("no-index")
    assert f" = {wheels.NAME}\n" in (REPOSITORY_FOLDER / "tls.cnf").read_text()
    assert f"server_name {wheels.NAME};" in (REPOSITORY_FOLDER / "nginx.conf").read_text()


def test_wheels_are_downloaded_again_when_a_version_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = wheels._key()
    assert before == wheels._key()
    changed = tmp_path / "constraints.txt"
    changed.write_text(wheels.CONSTRAINTS.read_text().replace("ansible-core==", "ansible-core==1"))
    monkeypatch.setattr(wheels, "CONSTRAINTS", changed)
    assert before != wheels._key()


def test_a_download_that_fails_says_so_and_leaves_nothing_to_be_taken_for_wheels(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "WANTED", ("./no-such-folder",))
    with pytest.raises(LabError, match=r"wheels of \./no-such-folder cannot be downloaded.*\n.*no-such-folder"):
        wheels._downloaded()
    assert not (lab / f"wheels-{wheels._key()}").exists()


def test_everybody_may_read_the_wheels_whatever_the_umask_was(tmp_path: Path) -> None:
    wheel = tmp_path / "a-1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    wheel.chmod(0o600)
    with tarfile.open(fileobj=io.BytesIO(wheels._archive(tmp_path))) as archive:
        (member,) = archive
        file = archive.extractfile(member)
        assert file
        assert (member.name, stat.S_IMODE(member.mode), file.read()) == (f"wheels/{wheel.name}", 0o644, b"wheel")
