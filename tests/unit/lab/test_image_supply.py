# SPDX-License-Identifier: Apache-2.0
"""The online supply of image builds; tests/lab covers the offline one."""

import docker

from slipway.images.supply import ONLINE
from slipway.lab import image_supply
from slipway.lab.engine import Engine
from slipway.lab.setting import Setting


def test_online_the_lab_is_neither_queried_nor_started() -> None:
    unreachable = docker.DockerClient(base_url="unix:///nonexistent.sock", version="1.41")
    assert image_supply.prepare(Engine(unreachable, "unix:///nonexistent.sock"), Setting.ONLINE) is ONLINE
