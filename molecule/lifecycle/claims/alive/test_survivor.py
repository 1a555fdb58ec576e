# SPDX-License-Identifier: Apache-2.0
"""The container that shared/run_container.yml has started, when the engine has changed beneath it."""

from testinfra.host import Host


def test_the_container_has_not_noticed(host: Host) -> None:
    now = host.check_output("docker inspect --format '{{.State.Pid}} {{.State.StartedAt}}' survivor")
    assert now == host.file("/var/tmp/survivor").content_string
