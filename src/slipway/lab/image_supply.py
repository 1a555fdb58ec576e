# SPDX-License-Identifier: Apache-2.0
"""The supply of image builds: the lab's stand-ins offline, the real sources online."""

from slipway.images.supply import ONLINE, Registry, Supply
from slipway.lab import hosts, hub, images, locking, wheels, yum_repository
from slipway.lab.engine import Engine
from slipway.lab.lab import Lab
from slipway.lab.setting import Setting

CENTOS = "quay.io/centos/centos:stream9"
USER = "ci"


def prepare(engine: Engine, setting: Setting) -> Supply:
    """Return the supply for builds on an engine; offline, start the lab's servers. Raises LabError.

    The first call takes a few seconds more than `images.prepare`, later calls no time.
    """
    if setting is Setting.ONLINE:
        return ONLINE
    with locking.exclusive():
        return offline(Lab(engine, images.prepare(engine.client, setting)))


def offline(lab: Lab) -> Supply:
    """Return the supply of an offline lab for builds on its engine, and start its servers."""
    assert lab.images.repository
    network = hosts.ready_network(lab)
    wheels.start(lab, network)
    return Supply(
        description="the lab's stand-in for CentOS Stream 9, its repository, wheels and registry",
        bases={CENTOS: images.base(lab.client, lab.images)},
        only_these_bases=True,
        packages=yum_repository.packages(lab.client, lab.images.repository),
        network=str(network.name),
        registry=Registry(hub.engine_address(lab), USER, hub.credentials(lab)[USER]),
    )
