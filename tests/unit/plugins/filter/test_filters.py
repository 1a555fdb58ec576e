# SPDX-License-Identifier: Apache-2.0
"""What a filter costs: Ansible loads all of them in each process that needs one, once a task and host."""

import re
import subprocess
import sys

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils.on_demand import on_demand

from slipway.lab.paths import PROJECT

FILTERS = PROJECT / "plugins/filter"
CALL = re.compile(r'on_demand\("(.+?)"\)')
NAMES = sorted({name for path in FILTERS.glob("*.py") for name in CALL.findall(path.read_text())})
COST = """
import sys
from ansible.plugins.loader import filter_loader, init_plugin_loader
init_plugin_loader(sys.argv[1:])
assert filter_loader.get("slipway.platform.registry_key")
print(*sorted(name for name in sys.modules if name.startswith("ansible_collections.slipway.platform.plugins.")))
"""


def test_loading_all_filters_imports_none_of_what_they_use() -> None:
    command = [sys.executable, "-c", COST, str(PROJECT / ".venv/collections")]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    filters = {f"filter.{path.stem}" for path in FILTERS.glob("*.py")}
    short = {name.removeprefix("ansible_collections.slipway.platform.plugins.") for name in imported}
    assert short == {*filters, "filter", "plugin_utils", "plugin_utils.on_demand"}


@pytest.mark.parametrize("name", NAMES)
def test_what_a_filter_imports_on_demand_exists(name: str) -> None:
    with pytest.raises(TypeError, match="argument"):
        on_demand(name)()
