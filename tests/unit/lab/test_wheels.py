# SPDX-License-Identifier: Apache-2.0
"""The parts of the lab's wheels that need neither a server nor PyPI."""

import configparser
import io
import os
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


def test_pip_uses_the_name_of_the_server_and_its_certificate() -> None:
    pip = configparser.ConfigParser()
    pip.read(PROJECT / "dockerfiles/contexts/stand-in-base/pip.conf")
    assert pip["global"]["find-links"] == f"https://{wheels.NAME}/"
    assert pip["global"].getboolean("no-index")
    assert f" = {wheels.NAME}\n" in (REPOSITORY_FOLDER / "tls.cnf").read_text()
    assert f"server_name {wheels.NAME};" in (REPOSITORY_FOLDER / "nginx.conf").read_text()


def test_wheels_are_downloaded_again_when_a_version_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = wheels._key()
    assert before == wheels._key()
    changed = tmp_path / "requirements.txt"
    changed.write_text(wheels.REQUIREMENTS.read_text().replace("ansible-core==", "ansible-core==1"))
    monkeypatch.setattr(wheels, "REQUIREMENTS", changed)
    assert before != wheels._key()


def test_a_wheel_with_another_hash_is_rejected_and_nothing_is_left_behind(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lab / "changed-1-py3-none-any.whl").write_bytes(b"changed")
    wanted = lab / "requirements.txt"
    wanted.write_text(f"changed==1 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(wheels, "REQUIREMENTS", wanted)
    for name, value in {"CONFIG_FILE": os.devnull, "NO_INDEX": "1", "FIND_LINKS": str(lab)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    with pytest.raises(LabError, match=r"(?s)cannot download the wheels of \S+/requirements\.txt: .*DO NOT MATCH"):
        wheels._download()
    assert not (lab / f"wheels-{wheels._key()}").exists()


def test_wheels_are_world_readable_regardless_of_the_umask(tmp_path: Path) -> None:
    wheel = tmp_path / "a-1-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    wheel.chmod(0o600)
    with tarfile.open(fileobj=io.BytesIO(wheels._archive(tmp_path))) as archive:
        (member,) = archive
        file = archive.extractfile(member)
        assert file
        assert (member.name, stat.S_IMODE(member.mode), file.read()) == (f"wheels/{wheel.name}", 0o644, b"wheel")
