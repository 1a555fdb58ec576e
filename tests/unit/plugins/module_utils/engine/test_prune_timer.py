# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from ansible_collections.slipway.platform.plugins.module_utils.engine import prune_timer


def test_the_command_has_the_flags_of_the_options() -> None:
    base = "/usr/bin/docker system prune --force"
    assert prune_timer.command({}) == f"{base} --filter=until=168h"
    assert prune_timer.command({"filters": [], "all": True, "volumes": True}) == f"{base} --all --volumes"
    assert prune_timer.command({"filters": ["label=a b%"]}) == f'{base} "--filter=label=a b%%"'


def test_without_options_neither_unit_is_wanted() -> None:
    assert [text for _, text in prune_timer.units({})] == [None, None]


def test_both_units_have_a_header() -> None:
    for path, text in prune_timer.units({"schedule": "weekly"}):
        assert path.startswith("/etc/systemd/system/docker-prune.")
        assert (text or "").startswith("# managed by slipway")
