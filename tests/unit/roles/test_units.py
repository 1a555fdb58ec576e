# SPDX-License-Identifier: Apache-2.0
"""What the units start that the roles install."""

import re
from pathlib import Path

import jinja2
import pytest

from tests.support import yaml_files

UNITS = sorted((Path(__file__).parents[3] / "roles").glob("*/templates/*.service.j2"))
PROGRAM = re.compile(r"^Exec\w+=(\S+)", re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_what_selinux_lets_init_start(unit: Path) -> None:
    """The policy labels by the path: bin_t in a bin folder; lib_t in a lib folder, which init does not start."""
    role = unit.parents[1]
    values = {
        **yaml_files.read(role / "defaults/main.yml"),
        **yaml_files.read(role / "vars/main.yml"),
    }
    started = PROGRAM.findall(jinja2.Template(unit.read_text(), undefined=jinja2.StrictUndefined).render(values))
    assert {str(Path(program).parent) for program in started} == {"/usr/local/bin"}
