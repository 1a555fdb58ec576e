# SPDX-License-Identifier: Apache-2.0
"""The isolated network, on which the proofs of the proxy and of the air gap stand, and who may use the engine."""

import pytest

from slipway.lab import hosts, networks, private_engine
from slipway.lab.errors import LabError
from slipway.lab.workbench import LabHost, Workbench

MIRROR = "mirror.slipway.test"
CONNECT = "timeout 3 bash -c '</dev/tcp/{}/{}'"


@pytest.fixture(scope="module")
def mirror(workbench: Workbench) -> LabHost:
    """A host on both networks, as a mirror is."""
    return workbench.make("test-both-networks", isolated_alias=MIRROR)


@pytest.fixture(scope="module")
def isolated(workbench: Workbench) -> LabHost:
    return workbench.make("test-isolated", isolated=True)


@pytest.mark.slow
def test_an_isolated_host_finds_and_reaches_no_server_of_the_internet(workbench: Workbench, isolated: LabHost) -> None:
    for name in hosts.REPOSITORY_NAMES:
        assert isolated.run("getent", "hosts", name)[0] != 0
    server = workbench.lab.client.containers.get(workbench.lab.name(hosts.REPOSITORY))
    address = server.attrs["NetworkSettings"]["Networks"][workbench.lab.name(networks.PUBLIC)]["IPAddress"]
    assert isolated.run("sh", "-c", CONNECT.format(address, 80))[0] != 0


def test_a_host_on_both_networks_reaches_the_servers_and_is_reached_under_its_alias(
    mirror: LabHost, isolated: LabHost
) -> None:
    for machine in (mirror, isolated):
        assert machine.run("getent", "hosts", MIRROR)[0] == 0
    assert mirror.run("sh", "-c", CONNECT.format(hosts.REPOSITORY_NAMES[0], 80))[0] == 0
    mirror.sh("systemctl start ssh")
    isolated.sh(CONNECT.format(MIRROR, 22))


def test_a_host_that_stands_elsewhere_is_not_taken_for_an_isolated_one(workbench: Workbench, mirror: LabHost) -> None:
    with pytest.raises(LabError, match="on other networks"):
        hosts.create(workbench.lab, [mirror.name], isolated=True)


@pytest.mark.usefixtures("workbench")
def test_only_root_may_use_the_private_engine() -> None:
    """Its group docker has a number of its own root file system, which is that of another group on the machine."""
    if not private_engine.is_running():
        pytest.skip("this machine has an engine of its own")
    status = private_engine.SOCKET.stat()
    assert (status.st_uid, status.st_gid) == (0, 0)
    assert not status.st_mode & 0o007
