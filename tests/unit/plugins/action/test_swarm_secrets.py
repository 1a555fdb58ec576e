# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What actions that carry a swarm's secrets show with -vvv, over the connection plugin ssh and a program in its place.

Hosts of the lab have another connection plugin, which shows no results.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.program

PROJECT = Path(__file__).parents[4]
SSH = '#!/bin/sh\nfor last; do :; done\ncase "$last" in -*) exit 0 ;; esac\nexec sh -c "$last"\n'


@pytest.mark.parametrize("action", ["docker_swarm_unlock_key", "docker_swarm_backup"])
def test_ssh_does_not_show_what_the_host_answers(action: str, tmp_path: Path) -> None:
    """The output of a run with -vvv may go into a log."""
    program = tmp_path / "ssh"
    program.write_text(SSH)
    program.chmod(0o755)
    task = {f"slipway.platform.{action}": {"path": str(tmp_path / "secret")}}
    playbook = tmp_path / "play.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
    variables = {
        "ansible_connection": "ssh",
        "ansible_ssh_executable": str(program),
        "ansible_python_interpreter": sys.executable,
    }
    extra = [f"--extra-vars={name}={value}" for name, value in variables.items()]
    done = subprocess.run(
        ["ansible-playbook", "--inventory=host,", "-vvv", *extra, playbook],
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_HOME": str(tmp_path / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "censored due to no log" in done.stdout
    assert "module_args" not in done.stdout
