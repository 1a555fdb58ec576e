# SPDX-License-Identifier: Apache-2.0
"""The agent's package, and the role that installs it."""

import ast
import sys
from pathlib import Path

import pytest
from slipway_agent import cli

from tests.support import yaml_files
from tests.unit.agent.conftest import LIBRARY, ROLES

PACKAGE = LIBRARY / "slipway_agent"
INSIDE = yaml_files.read(ROLES / "instance_agent/vars/main.yml")
MODULES = sorted(PACKAGE.rglob("*.py"))


def test_the_role_installs_every_command_and_every_module() -> None:
    assert {Path(command).name for command in INSIDE["__instance_agent_commands"]} == set(cli.COMMANDS)
    folders = {str(path.parent.relative_to(LIBRARY)) for path in MODULES}
    assert set(INSIDE["__instance_agent_packages"]) == folders


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_package_imports_only_itself_aws_the_engine_and_the_standard_library(path: Path) -> None:
    part = path.parent.name
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            first, _, rest = name.partition(".")
            if first == "slipway_agent" and part != "slipway_agent":
                assert rest.partition(".")[0] in {part, "aws", "engine"}, f"{path} imports {name}"
            else:
                assert first == "slipway_agent" or first in sys.stdlib_module_names, f"{path} imports {name}"
