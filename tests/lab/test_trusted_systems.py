# SPDX-License-Identifier: Apache-2.0
"""The hardened profile, the firewall and engines of users on systems newer than EL 9, where their other tests run."""

from typing import Any

import pytest

from slipway.lab import ready
from slipway.lab.lab import Lab
from slipway.lab.play import ok
from slipway.lab.systems import System
from slipway.lab.workbench import Workbench
from tests.lab.test_profile import ENABLE, HARDENED
from tests.lab.test_rootless import SHOW_PROC
from tests.lab.test_systems import NEWER

CLOSED: dict[str, Any] = {**HARDENED, "docker_firewall_policy": "closed"}
USERS: dict[str, Any] = {"docker_rootless_users": ["alice"], "docker_rootless_limits": False}


@pytest.mark.slow
@pytest.mark.parametrize("system", NEWER, ids=lambda system: system.name)
def test_a_host_is_hardened_closes_its_ports_and_gives_a_user_an_engine(lab: Lab, system: System) -> None:
    workbench = Workbench(ready.make_ready("offline", lab.prefix, system))
    try:
        host = workbench.make("test-trusted")
        host.sh(f"{ENABLE}; {SHOW_PROC}; sed --in-place /^alice:/d /etc/subuid /etc/subgid")
        ok(host.converge("--check", "--diff", **CLOSED))
        ok(host.converge(**CLOSED))
        assert ok(host.converge(**CLOSED)).changed(host.name) == []
        # Its logind cannot let users linger in a container of this lab: "Protocol driver not attached".
        users = {} if system.name == "fedora43" else USERS
        if users:
            ok(host.apply("docker_rootless", **users))
            assert ok(host.apply("docker_rootless", **users)).changed(host.name) == []
        for claims in ("test_hardened.py", "test_firewall.py", *(["test_rootless.py"] if users else [])):
            verified = host.verify(claims, **CLOSED, **users)
            assert verified.returncode == 0, verified.stdout
    finally:
        workbench.clear()
