# SPDX-License-Identifier: Apache-2.0
"""What supplies images online; what does offline is proven in tests/lab."""

import docker

from slipway.images.supply import ONLINE
from slipway.lab import image_supply
from slipway.lab.setting import Setting


def test_online_nothing_of_the_lab_is_asked_for_nor_started() -> None:
    unreachable = docker.DockerClient(base_url="unix:///nonexistent.sock", version="1.41")
    assert image_supply.prepare(unreachable, Setting.ONLINE) is ONLINE
