# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The groups of meta/runtime.yml, for which a play sets defaults with module_defaults."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import yaml_files

pytestmark = pytest.mark.program

PROJECT = Path(__file__).parents[4]
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
FRAGMENT = "slipway.platform.attributes."
# Each module fails, without a change; what counts are the options with which it was called.
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/slipway.platform.machine_image: {keep_keys_of: [ops]}
    group/slipway.platform.docker_engine: {baking: true}
    group/slipway.platform.aws: {region: mars-1, access_key: abcd, secret_key: abcd, endpoint_url: "http://127.0.0.1:1"}
  tasks:
    - slipway.platform.machine_image_check: {path: /nowhere}
      register: check
      failed_when: check.invocation.module_args.keep_keys_of != ['ops']
    - slipway.platform.docker_access: {socket_mode: everybody}
      register: access
      failed_when: not access.invocation.module_args.baking
    - amazon.aws.aws_caller_info:
      register: caller
      failed_when: caller.invocation.module_args.region != 'mars-1'
"""


def documentation(module: Path) -> dict[str, Any]:
    """Return what a module documents itself, without its fragments."""
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION":
            assert isinstance(node.value, ast.Constant)
            documented: dict[str, Any] = yaml.safe_load(str(node.value.value))
            return documented
    raise AssertionError(f"{module} has no documentation")


def test_modules_document_the_groups_that_they_are_in() -> None:
    documented: dict[str, set[str]] = {}
    for path in PROJECT.glob("plugins/modules/*.py"):
        for fragment in documentation(path)["extends_documentation_fragment"]:
            documented.setdefault(fragment, set()).add(path.stem)
    runtime = yaml_files.read(PROJECT / "meta/runtime.yml")
    for group, entries in runtime["action_groups"].items():
        assert documented[FRAGMENT + group] == {entry for entry in entries if isinstance(entry, str)}


def test_a_play_sets_defaults_for_all_modules_of_a_group(tmp_path: Path) -> None:
    playbook = tmp_path / "play.yml"
    playbook.write_text(PLAYBOOK)
    done = subprocess.run(
        ["ansible-playbook", "--inventory=localhost,", f"--extra-vars={json.dumps(LOCAL)}", playbook],
        cwd=PROJECT,
        env=os.environ | {"AWS_MAX_ATTEMPTS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
