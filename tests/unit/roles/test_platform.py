# SPDX-License-Identifier: Apache-2.0
"""Which hosts the role serves, and from where, asked of its own tasks with the facts of such hosts."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.lab import play

RECORDED = yaml.safe_load((Path(__file__).parent / "recorded_facts.yml").read_text())
HOSTS = {**RECORDED["served"], **RECORDED["refused"]}
ROOT = "https://download.docker.com/linux"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> play.Run:
    """One run for all hosts: no task of it reaches a host."""
    folder = tmp_path_factory.mktemp("platform")
    inventory = folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": dict.fromkeys(HOSTS)}}))
    playbook = folder / "play.yml"
    tasks = [
        {"import_role": {"name": "slipway.platform.docker_engine", "tasks_from": "platform"}},
        {"name": "Address", "debug": {"msg": "{{ __docker_engine_repo_baseurl }} {{ __docker_engine_gpg_key }}"}},
    ]
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    facts = {name: {**RECORDED["common"], **host["facts"]} if host["facts"] else {} for name, host in HOSTS.items()}
    done = play.run(playbook, inventory, {"recorded": facts, "ansible_facts": "{{ recorded[inventory_hostname] }}"})
    assert done.account["plays"], done.output
    return done


@pytest.mark.parametrize("name", RECORDED["served"])
def test_a_host_of_the_matrix_is_served_from_its_tree(run: play.Run, name: str) -> None:
    assert run.failure(name) == ""
    tree: str = HOSTS[name]["tree"]
    address = next(result["msg"] for task, result in run.results(name) if task == "Address")
    assert address == f"{ROOT}/{tree}/stable {ROOT}/{tree.split('/')[0]}/gpg"


@pytest.mark.parametrize("name", RECORDED["refused"])
def test_any_other_host_is_refused_by_one_sentence_that_names_it(run: play.Run, name: str) -> None:
    message = run.failure(name)
    assert f"{name} is {HOSTS[name]['words']}" in message
    assert "docker_engine does not serve that. It serves AlmaLinux 8/9/10" in message
    assert message.endswith("Nothing was changed.")


def test_every_distribution_of_the_matrix_has_recorded_facts() -> None:
    role = Path(__file__).parents[3] / "roles/docker_engine"
    platforms: dict[str, Any] = yaml.safe_load((role / "vars/main.yml").read_text())["__docker_engine_platforms"]
    assert {host["facts"]["distribution"] for host in RECORDED["served"].values()} == set(platforms)
