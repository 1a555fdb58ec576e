# SPDX-License-Identifier: Apache-2.0
"""Prepares everything that hosts need."""

from slipway.lab import engine, images, inotify, locking, setting, systems
from slipway.lab.lab import Lab


def make_ready(wanted: str, prefix: str = "", system: systems.System = systems.DEFAULT) -> Lab:
    """Start the engine and build the images of a system's hosts for LAB=<wanted>, unless they exist.

    Waits while another command of this clone does the same. Raises LabError.
    """
    chosen = setting.choose(wanted)
    with locking.exclusive():
        docker_engine = engine.find_or_start(chosen)
        inotify.raise_limit()
    return Lab(docker_engine, images.prepare(docker_engine.client, chosen, system), prefix)
