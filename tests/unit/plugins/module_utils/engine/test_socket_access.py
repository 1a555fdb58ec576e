# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import os
import struct
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.engine import socket_access
from hypothesis import given
from hypothesis import strategies as st

PATHS = {"ca": "/ca", "cert": "/cert", "key": "/key"}


def test_a_unit_agrees_if_group_and_mode_are_equal() -> None:
    unit = {"SocketGroup": "docker", "SocketMode": "0660"}
    assert socket_access.unit_agrees(unit, "docker", 0o660)
    assert not socket_access.unit_agrees(unit, "docker", 0o600)
    assert not socket_access.unit_agrees(unit, "containers", 0o660)


def test_the_listener_is_added_to_the_command_of_the_package() -> None:
    text = socket_access.render_tls_drop_in("/usr/bin/dockerd -H fd://", "0.0.0.0:2376", PATHS)
    assert "ExecStart=\nExecStart=/usr/bin/dockerd -H fd:// --host=tcp://0.0.0.0:2376 --tlsverify" in text


@given(st.text())
def test_no_address_can_add_a_line(address: str) -> None:
    try:
        text = socket_access.render_tls_drop_in("/usr/bin/dockerd", address, PATHS)
    except socket_access.AccessError:
        return
    assert len(text.splitlines()) == 4


def test_invalid_certificates_are_rejected() -> None:
    with pytest.raises(socket_access.AccessError, match="PEM"):
        socket_access.validate_certificates({"ca": "x", "cert": "y", "key": "z"})


def test_a_file_system_without_acls_has_none() -> None:
    assert not socket_access.has_acl("/proc/self/status")


def test_an_acl_is_detected_and_removed_though_the_mode_is_unchanged(tmp_path: Path) -> None:
    socket = tmp_path / "docker.sock"
    socket.touch()
    socket.chmod(0o660)
    assert not socket_access.has_acl(str(socket))
    before = socket.stat().st_mode
    # user::rw-, user 4444:rw-, group::rw-, mask::rw-, other::---, as setfacl -m u:4444:rw would set them.
    entries = [(1, 6, -1), (2, 6, 4444), (4, 6, -1), (16, 6, -1), (32, 0, -1)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    try:
        os.setxattr(socket, "system.posix_acl_access", acl)
    except OSError as error:
        pytest.skip(f"this file system has no access control lists ({error.strerror})")
    assert socket.stat().st_mode == before
    assert socket_access.has_acl(str(socket))
    socket_access.remove_acl(str(socket))
    assert not socket_access.has_acl(str(socket))


def test_the_last_assignment_in_a_units_files_takes_effect() -> None:
    texts = ["[Socket]\nSocketGroup=docker\nSocketMode = 0660\nListenStream=/run/docker.sock\n", "SocketMode=0600\n"]
    assert socket_access.parse_socket_unit(texts) == {"SocketGroup": "docker", "SocketMode": "0600"}
