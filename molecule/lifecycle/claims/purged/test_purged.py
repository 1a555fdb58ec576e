# SPDX-License-Identifier: Apache-2.0
"""After docker_engine_purge_data: true, said twice."""

import pytest
from testinfra.host import Host


@pytest.mark.parametrize("root", ["/var/lib/docker", "/var/lib/containerd"])
def test_no_data_is_left(host: Host, root: str) -> None:
    """In the lab the roots are mount points, which stay."""
    assert not host.file(root).exists or host.file(root).listdir() == []


def test_the_engine_s_identity_is_gone(host: Host) -> None:
    """Which engines before 23.0 keep in /etc/docker."""
    assert not host.file("/etc/docker").exists
