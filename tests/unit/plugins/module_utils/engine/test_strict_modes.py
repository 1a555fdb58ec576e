# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import os
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.engine import strict_modes


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(strict_modes, "LIMITS", ((f"{tmp_path}/certs.d/*/*.crt", 0o444),))
    path = tmp_path / "key.pem"
    path.touch(0o640)
    if os.geteuid():
        pytest.skip("only root can give a file to root")
    return path


def tighten(options: dict[str, Any], check_mode: bool = False) -> list[Any]:
    return list(strict_modes.tighten(SimpleNamespace(check_mode=check_mode), options))


def test_a_key_that_others_can_read_is_closed_once(key: Path) -> None:
    options = {"tlskey": str(key)}
    assert tighten(options, check_mode=True)[0]["after"] == "root:root, 0400\n"
    assert key.stat().st_mode & 0o777 == 0o640, "check mode"
    assert tighten(options)
    assert key.stat().st_mode & 0o777 == 0o400
    assert tighten(options) == []


def test_a_file_that_is_not_root_s_is_given_to_root(key: Path) -> None:
    key.chmod(0o400)
    os.chown(key, 1, 1)
    assert tighten({"tlskey": str(key)})
    assert (key.stat().st_uid, key.stat().st_gid) == (0, 0)


def test_what_took_the_place_of_a_file_is_left_alone(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault: the owner of the key's directory puts a link, or another file, in its place while the role runs. Outcome:
    neither the link's target nor the other file gets the key's mode.
    """
    shadow = key.parent / "shadow"
    shadow.touch(0o600)
    key.chmod(0o444)
    found = strict_modes.loose({"tlscert": str(key), "tlskey": str(key)})
    monkeypatch.setattr(strict_modes, "loose", lambda options: found)
    key.unlink()
    key.symlink_to(shadow)
    tighten({})
    key.unlink()
    shadow.rename(key)
    tighten({})
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_socket_is_closed_and_no_socket_that_an_option_names(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = key.parent / "containerd.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    path.chmod(0o666)
    assert tighten({"tlskey": str(path)}) == []
    monkeypatch.setattr(strict_modes, "LIMITS", ((str(path), 0o660),))
    assert tighten({})
    assert path.stat().st_mode & 0o777 == 0o660
    assert tighten({}) == []


def test_a_mode_that_is_stricter_stays(key: Path) -> None:
    certificate = key.parent / "certs.d/registry.example.com:5000/ca.crt"
    certificate.parent.mkdir(parents=True)
    certificate.touch(0o644)
    tighten({})
    assert certificate.stat().st_mode & 0o777 == 0o444
    certificate.chmod(0o600)
    tighten({})
    assert certificate.stat().st_mode & 0o777 == 0o400
    assert tighten({}) == []


def test_links_and_what_is_no_path_are_left_alone(key: Path) -> None:
    """Fault: `tlskey` is a link, or no path. Outcome: nothing is changed."""
    link = key.parent / "link.pem"
    link.symlink_to(key)
    for value in (str(link), 7, None, "relative.pem", "/no/such/[file]", "/nul\0"):
        assert tighten({"tlskey": value}) == []
    assert key.stat().st_mode & 0o777 == 0o640
