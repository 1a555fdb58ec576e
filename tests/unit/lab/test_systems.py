# SPDX-License-Identifier: Apache-2.0
"""Each system of the lab has everything that its hosts are made of."""

import pytest

from slipway.images import matrix
from slipway.lab import rootfs, systems
from slipway.lab.paths import PROJECT
from slipway.lab.systems import System
from slipway.lab.yum_repository import assemble

IMAGES = matrix.load()


@pytest.mark.parametrize("system", systems.SYSTEMS.values(), ids=lambda system: system.name)
def test_a_system_has_images_a_release_and_packages_of_debian(system: System) -> None:
    assert IMAGES[f"stand-in-host-{system.name}"].base == f"stand-in-{system.name}"
    release = (PROJECT / f"dockerfiles/contexts/stand-in/os-releases/{system.name}").read_text()
    assert system.title.split()[-1] in release
    assert assemble.RELEASE_PACKAGES[system.name][1] == system.tree.split("/")[1]


def test_there_is_no_root_file_system_without_a_system() -> None:
    assert rootfs.HOSTS.keys() == systems.SYSTEMS.keys() == assemble.RELEASE_PACKAGES.keys()
