# SPDX-License-Identifier: Apache-2.0
"""Nobody has told site.yml that it bakes: the roles see that they are in a chroot."""

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


def test_what_is_new_is_configured_and_nothing_is_started(run: play.Run) -> None:
    assert run.status == 0, run.output
    (changed,) = run.changed("site")
    assert changed.endswith("Access | Keep the group, its members, the socket and the listener")


def test_images_are_left_to_the_first_run_on_an_instance(run: play.Run) -> None:
    said = [str(result.get("msg")) for _, result in run.results("site")]
    assert any("registry.example.com/app" in sentence for sentence in said)
