# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils import socket_access
from hypothesis import given
from hypothesis import strategies as st

PATHS = {"ca": "/ca", "cert": "/cert", "key": "/key"}


@pytest.mark.parametrize(("text", "mode"), [("0660", 0o660), ("660", 0o660), ("0600", 0o600)])
def test_a_mode_for_owner_and_group_is_taken(text: str, mode: int) -> None:
    assert socket_access.parse_mode(text) == mode


@pytest.mark.parametrize(
    ("text", "word"), [("0666", "root"), ("0661", "root"), ("0060", "shuts root out"), ("rw", "0660"), ("4660", "0660")]
)
def test_another_mode_is_refused_with_the_remedy(text: str, word: str) -> None:
    with pytest.raises(socket_access.AccessError, match=word):
        socket_access.parse_mode(text)


@given(st.text())
def test_whatever_is_taken_is_closed_to_others(text: str) -> None:
    try:
        mode = socket_access.parse_mode(text)
    except socket_access.AccessError:
        return
    assert mode & 0o7 == 0


def test_a_unit_agrees_that_says_the_same() -> None:
    unit = {"SocketGroup": "docker", "SocketMode": "0660"}
    assert socket_access.unit_agrees(unit, "docker", 0o660)
    assert not socket_access.unit_agrees(unit, "docker", 0o600)
    assert not socket_access.unit_agrees(unit, "containers", 0o660)


def test_the_listener_is_added_to_the_vendor_s_command() -> None:
    text = socket_access.render_tls_drop_in("/usr/bin/dockerd -H fd://", "0.0.0.0:2376", PATHS)
    assert "ExecStart=\nExecStart=/usr/bin/dockerd -H fd:// --host=tcp://0.0.0.0:2376 --tlsverify" in text


@given(st.text())
def test_no_address_breaks_out_of_its_line(address: str) -> None:
    try:
        text = socket_access.render_tls_drop_in("/usr/bin/dockerd", address, PATHS)
    except socket_access.AccessError:
        return
    assert len(text.splitlines()) == 4


def test_text_that_is_no_certificate_is_refused() -> None:
    with pytest.raises(socket_access.AccessError, match="PEM"):
        socket_access.prove_certificates({"ca": "x", "cert": "y", "key": "z"})


def test_the_last_assignment_in_a_units_files_holds() -> None:
    texts = ["[Socket]\nSocketGroup=docker\nSocketMode = 0660\nListenStream=/run/docker.sock\n", "SocketMode=0600\n"]
    assert socket_access.parse_socket_unit(texts) == {"SocketGroup": "docker", "SocketMode": "0600"}
