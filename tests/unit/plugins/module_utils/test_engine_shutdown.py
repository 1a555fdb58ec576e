# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import engine_shutdown

# Command lines as containerd 1.4 (shim v2) and 1.2 (shim v1) write them, and as Kubernetes' containers have them.
COMMANDS = {
    "12": ["/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", "ab", "-address", "/run/containerd/c.sock"],
    "7": ["containerd-shim", "-namespace", "moby", "-workdir", "/var/lib/containerd"],
    "30": ["/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", "cd"],
    "31": ["vi", "containerd-shim", "moby"],
    "2": [""],
}


@pytest.fixture
def proc(tmp_path: Path) -> str:
    for pid, words in COMMANDS.items():
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cmdline").write_text("\0".join(words))
    (tmp_path / "99").mkdir()  # a process that has just ended
    (tmp_path / "self").mkdir()
    return str(tmp_path)


def test_only_shims_of_docker_s_containers_count(proc: str) -> None:
    assert engine_shutdown.shims(proc) == ["7", "12"]
