# SPDX-License-Identifier: Apache-2.0
"""The container of shared/run_container.yml survives a change of the engine."""

from testinfra.host import Host


def test_the_container_is_the_same_process(host: Host) -> None:
    """Fault: an upgrade over six major versions, and the downgrade back. Outcome: containers keep their process and
    their start time.
    """
    now = host.check_output("docker inspect --format '{{.State.Pid}} {{.State.StartedAt}}' survivor")
    assert now == host.file("/var/tmp/survivor").content_string
