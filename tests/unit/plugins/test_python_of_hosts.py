# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
PLUGINS = sorted(PROJECT.glob("plugins/*/**/*.py"))
INSTALLED = sorted(PROJECT.glob("roles/*/files/**/*.py"))


@pytest.mark.parametrize("path", PLUGINS + INSTALLED, ids=lambda path: path.name)
def test_what_runs_on_hosts_parses_with_the_python_of_el8(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 6))
