# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import os
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import shims

# Command lines of shims of containerd 1.4 (v2) and 1.2 (v1), of a Kubernetes container, and of other processes.
COMMANDS = {
    "12": ["/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", "ab", "-address", "/run/containerd/c.sock"],
    "7": ["containerd-shim", "-namespace", "moby", "-workdir", "/var/lib/containerd"],
    "30": ["/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", "cd"],
    "40": ["/usr/bin/containerd-shim-runc-v2", "-namespace", "moby-165536.165536", "-id", "ef"],
    "50": ["/usr/bin/containerd-shim-runc-v2", "-namespace", "engine", "-id", "gh"],
    "31": ["vi", "containerd-shim", "moby"],
    "2": [""],
}


@pytest.fixture
def proc(tmp_path: Path) -> str:
    for pid, words in COMMANDS.items():
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cmdline").write_text("\0".join(words))
    (tmp_path / "99").mkdir()  # a process that has just exited
    (tmp_path / "self").mkdir()
    return str(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's processes count as shims")
def test_only_shims_of_docker_containers_are_found(proc: str) -> None:
    assert shims.running(proc=proc) == ["7", "12", "40"], "one of them of a user namespace"
    assert shims.running(("engine",), proc) == ["50"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of files")
def test_processes_of_users_are_not_shims(proc: str) -> None:
    """Otherwise any user could block an upgrade, which waits for the last shim to exit."""
    os.chown(Path(proc) / "12", 65534, 65534)
    assert shims.running(proc=proc) == ["7", "40"]
