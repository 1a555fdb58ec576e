# SPDX-License-Identifier: Apache-2.0
"""What role docker_engine promises of a host's storage and upkeep."""

from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

Variable = Callable[[str, Any], Any]
DEFAULT_ROOT = "/var/lib/docker"


def test_the_engine_keeps_its_data_where_the_inventory_wants_them(host: Host, variable: Variable) -> None:
    wanted = variable("docker_engine_data_root", DEFAULT_ROOT)
    root = host.check_output("docker info --format '{{.DockerRootDir}}'")
    assert root == wanted or root.startswith(f"{wanted}/"), "userns-remap has a directory below it"


def test_containerd_keeps_its_data_on_the_same_disk(host: Host, variable: Variable) -> None:
    wanted = variable("docker_engine_data_root", DEFAULT_ROOT)
    if wanted == DEFAULT_ROOT:
        pytest.skip("at its default root")
    if not host.service("containerd").exists:
        pytest.skip("the engine keeps a containerd of its own, below its root")
    command = host.check_output("tr '\\0' ' ' < /proc/$(systemctl show containerd --property=MainPID --value)/cmdline")
    assert f"--root {wanted}/containerd/daemon" in command


def test_pruning_is_scheduled_as_the_inventory_wants_it(host: Host, variable: Variable) -> None:
    if not variable("docker_engine_prune", {}):
        units = host.run("cat /etc/systemd/system/docker-prune.timer").stdout
        assert "managed by slipway" not in units
        return
    timer = host.service("docker-prune.timer")
    assert timer.is_enabled
    assert timer.is_running
    assert host.check_output("systemctl show docker-prune.timer --property=NextElapseUSecRealtime --value")


def test_the_last_pruning_worked(host: Host) -> None:
    """Also where there was none yet, and where there is no timer."""
    assert host.check_output("systemctl show docker-prune.service --property=Result --value") == "success"
