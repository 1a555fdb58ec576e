# SPDX-License-Identifier: Apache-2.0
"""Claims about the storage and maintenance of the engine (role docker_engine)."""

from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

Variable = Callable[[str, Any], Any]
DEFAULT_ROOT = "/var/lib/docker"


def test_the_engine_uses_the_configured_data_root(host: Host, variable: Variable) -> None:
    wanted = variable("docker_engine_data_root", DEFAULT_ROOT)
    root = host.check_output("docker info --format '{{.DockerRootDir}}'")
    assert root == wanted or root.startswith(f"{wanted}/"), (
        f"the data root is {root}, not {wanted} or, with userns-remap, a folder below it"
    )


def test_containerd_keeps_its_data_below_the_data_root(host: Host, variable: Variable) -> None:
    wanted = variable("docker_engine_data_root", DEFAULT_ROOT)
    if wanted == DEFAULT_ROOT:
        pytest.skip("the data root is the default")
    if not host.service("containerd").exists:
        pytest.skip("the engine runs its own containerd, with data below its root")
    command = host.check_output("tr '\\0' ' ' < /proc/$(systemctl show containerd --property=MainPID --value)/cmdline")
    assert f"--root {wanted}/containerd/daemon" in command


def test_pruning_is_scheduled_as_configured(host: Host, variable: Variable) -> None:
    if not variable("docker_engine_prune", {}):
        units = host.run("cat /etc/systemd/system/docker-prune.timer").stdout
        assert "managed by slipway" not in units
        return
    timer = host.service("docker-prune.timer")
    assert timer.is_enabled
    assert timer.is_running
    assert host.check_output("systemctl show docker-prune.timer --property=NextElapseUSecRealtime --value")


def test_the_last_prune_succeeded(host: Host) -> None:
    """The result is also "success" before the first prune and without a timer."""
    assert host.check_output("systemctl show docker-prune.service --property=Result --value") == "success"
