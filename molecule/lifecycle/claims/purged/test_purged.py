# SPDX-License-Identifier: Apache-2.0
"""After two runs with docker_engine_purge_data: true."""

import pytest
from testinfra.host import Host


@pytest.mark.parametrize("root", ["/var/lib/docker", "/var/lib/containerd"])
def test_no_data_is_left(host: Host, root: str) -> None:
    """In the lab, the data roots are mount points, which remain."""
    assert not host.file(root).exists or host.file(root).listdir() == []


def test_the_identity_of_the_engine_is_removed(host: Host) -> None:
    """Engines before 23.0 keep it in /etc/docker."""
    assert not host.file("/etc/docker").exists
