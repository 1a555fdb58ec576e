# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "plugins"


@pytest.mark.parametrize("path", sorted(PLUGINS.glob("*/**/*.py")), ids=lambda path: path.name)
def test_plugins_parse_with_the_python_of_el8(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 6))
