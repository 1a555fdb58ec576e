# SPDX-License-Identifier: Apache-2.0
"""The settings of the lab's proxy that squid.conf and the Python code must agree on."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from slipway.lab import hosts, hub, proxy

CONFIGURATION = (Path(proxy.__file__).parent / "squid.conf").read_text()
LINES = [line.split() for line in CONFIGURATION.splitlines()]


def test_squid_listens_on_the_ports_that_hosts_use() -> None:
    ports = [line[1] for line in LINES if line[:1] == ["http_port"]]
    assert ports == [str(urlsplit(proxy.OPEN).port), str(proxy.GUARDED_PORT)]


@pytest.mark.parametrize("name", [*hosts.REPOSITORY_NAMES, *hub.NAMES])
def test_every_server_of_the_lab_is_allowed(name: str) -> None:
    (domains,) = [line[3:] for line in LINES if line[:3] == ["acl", "allowed", "dstdomain"]]
    assert any(f".{name}".endswith(domain) for domain in domains)


def test_squid_writes_the_log_that_is_read() -> None:
    assert f"access_log stdio:{proxy.HOME}/access.log requests\n" in CONFIGURATION
