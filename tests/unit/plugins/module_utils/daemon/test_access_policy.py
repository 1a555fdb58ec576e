# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

import pytest
import yaml
from ansible_collections.slipway.platform.plugins.module_utils.daemon import access_policy
from hypothesis import given
from hypothesis import strategies as st

CERTIFICATES = {"tlsverify": True, "tlscacert": "/ca.pem", "tlscert": "/cert.pem", "tlskey": "/key.pem"}
OPEN = [
    "tcp://0.0.0.0:2375",
    "tcp://192.0.2.1:2375",
    "tcp://[::]:2375",
    "tcp://:2375",
    "tcp://",
    "0.0.0.0:2375",
    "192.0.2.1",
    "tcp://docker.example.com:2375",
    "tcp://127.0.0.1.example.com:2375",
    "tcp://localhost.example.com:2375",
    "tcp://127.0.0.1@192.0.2.1:2375",
]
CLOSED = [
    "fd://",
    "unix:///run/docker.sock",
    "tcp://127.0.0.1:2375",
    "tcp://127.9.9.9:2375",
    "tcp://localhost:2375",
    "tcp://[::1]:2375",
    "127.0.0.1:2375",
]


@pytest.mark.parametrize("host", OPEN)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tls": True, "tlscert": "/cert.pem", "tlskey": "/key.pem"},
        {"tls": True, "tlsverify": False, "tlscacert": "/ca.pem"},
        {"tlsverify": True},
        {"tlsverify": "true", "tlscacert": "/ca.pem"},
    ],
    ids=["plain", "tls", "tlsverify off", "no CA", "string"],
)
def test_a_port_without_client_certificates_is_rejected_unless_confirmed(host: str, options: dict[str, Any]) -> None:
    wanted = {**options, "hosts": ["fd://", host]}
    (message,) = access_policy.problems(wanted)
    assert host in message
    assert "docker_access_tls" in message
    assert "docker_engine_open_api_confirmed: true" in message
    assert access_policy.problems(wanted, confirmed=True) == []


@pytest.mark.parametrize("host", OPEN)
def test_a_port_with_client_certificates_is_accepted(host: str) -> None:
    assert access_policy.problems({**CERTIFICATES, "hosts": [host]}) == []


@pytest.mark.parametrize("host", CLOSED)
def test_local_addresses_are_accepted(host: str) -> None:
    assert access_policy.problems({"hosts": [host]}) == []


@pytest.mark.parametrize("options", [{}, {"hosts": []}, {"hosts": "tcp://0.0.0.0"}, {"hosts": None}])
def test_options_without_a_list_of_hosts_are_accepted(options: dict[str, Any]) -> None:
    assert access_policy.problems(options) == []


@pytest.mark.parametrize(("text", "mode"), [("0660", 0o660), ("660", 0o660), ("0600", 0o600)])
def test_a_mode_for_owner_and_group_is_accepted(text: str, mode: int) -> None:
    assert access_policy.parse_mode(text) == mode


@pytest.mark.parametrize(
    ("text", "word"), [("0666", "root"), ("0661", "root"), ("0060", "locks root out"), ("rw", "0660"), ("4660", "0660")]
)
def test_other_modes_are_rejected_with_a_remedy(text: str, word: str) -> None:
    with pytest.raises(access_policy.AccessError, match=word):
        access_policy.parse_mode(text)


@pytest.mark.parametrize("mode", ["0600", "0620", "0640", "0660", "0700", "0770"])
def test_an_unquoted_mode_is_to_be_quoted(mode: str) -> None:
    """Fault: the socket's mode 0660 has no quotes, so YAML makes 432 of it. Outcome: refused with "quote it"."""
    number = str(yaml.safe_load(mode))
    with pytest.raises(access_policy.AccessError, match=f"YAML reads {mode} without quotes as {number}: quote it$"):
        access_policy.parse_mode(number)


@pytest.mark.parametrize("mode", ["0666", "384x", "0432", "4660"])
def test_another_mode_is_not_said_to_be_unquoted(mode: str) -> None:
    with pytest.raises(access_policy.AccessError) as raised:
        access_policy.parse_mode(mode)
    assert "quote it" not in str(raised.value)


@given(st.text())
def test_no_accepted_mode_gives_access_to_others(text: str) -> None:
    try:
        mode = access_policy.parse_mode(text)
    except access_policy.AccessError:
        return
    assert mode & 0o7 == 0
