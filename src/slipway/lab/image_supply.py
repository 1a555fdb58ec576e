# SPDX-License-Identifier: Apache-2.0
"""What images are built from in the lab: offline its own stand-ins, online the real things."""

import docker

from slipway.images.supply import ONLINE, Registry, Supply
from slipway.lab import hosts, hub, images, wheels, yum_repository
from slipway.lab.setting import Setting

CENTOS = "quay.io/centos/centos:stream9"
USER = "ci"


def prepare(client: docker.DockerClient, setting: Setting) -> Supply:
    """Return what supplies builds on the lab's engine; offline, with its servers running. Raises LabError.

    The first time takes some seconds more than `images.prepare`, afterwards nothing.
    """
    made_of = images.prepare(client, setting) if setting is Setting.OFFLINE else None
    if not made_of or not made_of.repository:
        return ONLINE
    network = hosts.ready_network(client, made_of)
    wheels.start(client, made_of.repository, network)
    return Supply(
        description="the lab's stand-in for CentOS Stream 9, its repository, wheels and registry",
        bases={CENTOS: images.base(client, made_of)},
        only_these_bases=True,
        packages=yum_repository.packages(client, made_of.repository),
        network=str(network.name),
        registry=Registry(hub.engine_address(client), USER, hub.credentials(client)[USER]),
    )
