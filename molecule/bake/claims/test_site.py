# SPDX-License-Identifier: Apache-2.0
"""site.yml needs no setting to bake: the roles detect the chroot."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from slipway.lab import play
from slipway.lab.paths import PROJECT


@pytest.fixture(scope="module")
def run(copy: Callable[[str], Path], inventory: Path, tmp_path_factory: pytest.TempPathFactory) -> play.Run:
    (machine,) = yaml.safe_load((inventory / "machine.yml").read_text())["image_builds"]["hosts"].values()
    machine |= yaml.safe_load((inventory / "group_vars/image_builds.yml").read_text())
    machine["ansible_host"] = str(copy("site"))
    hosts = tmp_path_factory.mktemp("site") / "hosts.yml"
    hosts.write_text(yaml.safe_dump({"docker_hosts": {"hosts": {"site": machine}}}))
    return play.run(PROJECT / "playbooks/site.yml", hosts, {"docker_access_members": ["alice", "root"]})


def test_changes_are_configured_and_nothing_is_started(run: play.Run) -> None:
    assert run.status == 0, run.output
    (changed,) = run.changed("site")
    assert changed.endswith("Access | Manage the group, its members, the socket and the TLS listener")


def test_images_are_deferred_to_the_first_run_on_an_instance(run: play.Run) -> None:
    assert "registry.example.com/app" in " ".join(run.warnings("site"))
