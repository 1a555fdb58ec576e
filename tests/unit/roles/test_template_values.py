# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A value that Ansible knows as no template is not made one by a role."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.nasty_values import JINJA

PLAYBOOK = Path(__file__).parents[3] / "playbooks/user_data.yml"


class Unsafe(str):
    """A text that Ansible must not evaluate, such as what a lookup or a module returned."""


def dumped(variables: dict[str, Any]) -> str:
    class Dumper(yaml.SafeDumper):
        pass

    Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))
    return yaml.dump(variables, Dumper=Dumper)


@pytest.mark.program
def test_texts_that_look_like_templates_are_in_the_user_data_as_they_are(tmp_path: Path) -> None:
    """Fault: a value of user data that another program returned is a Jinja template. Outcome: it is written as it is,
    and no command in it runs on the controller."""
    trace = tmp_path / "was-here"
    values = [*JINJA, f"{{{{ lookup('pipe', 'touch {trace}') }}}}"]
    given = [Unsafe(value) for value in values]
    variables = {
        "user_data_path": str(tmp_path / "user-data.yml"),
        "user_data_cloud_config": {"locale": given[0], "bootcmd": given},
    }
    (tmp_path / "variables.yml").write_text(dumped(variables))
    command = ["ansible-playbook", "--inventory=localhost,", f"--extra-vars=@{tmp_path}/variables.yml", str(PLAYBOOK)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    written = yaml.safe_load((tmp_path / "user-data.yml").read_text())
    assert (written["locale"], written["bootcmd"]) == (values[0], values)
    assert not trace.exists()
