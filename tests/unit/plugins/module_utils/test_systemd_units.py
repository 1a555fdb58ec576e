# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from ansible_collections.slipway.platform.plugins.module_utils import systemd_units

SHOWN = """\
MainPID=812
Id=docker.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
NeedDaemonReload=no
ActiveEnterTimestampMonotonic=41500000

Id=docker.socket
LoadState=masked
ActiveState=inactive
UnitFileState=disabled
NeedDaemonReload=yes

Id=containerd.service
LoadState=not-found
ActiveState=inactive
UnitFileState=
"""
UNITS = systemd_units.parse_show(SHOWN)


def test_each_block_is_a_unit() -> None:
    assert list(UNITS) == ["docker.service", "docker.socket", "containerd.service"]
    assert UNITS["docker.service"]["MainPID"] == "812"


def test_output_of_a_chroot_holds_no_units() -> None:
    assert systemd_units.parse_show("Running in chroot, ignoring command 'show'\n") == {}


def test_masked_and_installed_units_are_told_apart() -> None:
    assert systemd_units.masked(UNITS) == ["docker.socket"]
    assert systemd_units.installed(UNITS) == ["docker.service"]


def test_the_sentence_names_the_remedy() -> None:
    sentence = systemd_units.masked_sentence(["docker.socket", "docker.service"])
    assert sentence.startswith("docker.service and docker.socket are masked")
    assert sentence.endswith("systemctl unmask docker.service docker.socket")


def test_one_changed_unit_needs_a_reload() -> None:
    assert systemd_units.needs_reload(UNITS)


def test_started_at_is_in_seconds_and_zero_for_a_unit_that_never_ran() -> None:
    assert systemd_units.started_at(UNITS["docker.service"]) == 41.5
    assert systemd_units.started_at(UNITS["docker.socket"]) == 0


def test_only_units_that_differ_are_toggled() -> None:
    assert systemd_units.to_toggle(UNITS, True) == ["docker.socket"]
    assert systemd_units.to_toggle(UNITS, False) == ["docker.service"]


def test_running_units_are_found_among_names() -> None:
    assert systemd_units.running(UNITS, ("docker.service", "docker.socket", "absent.service")) == ["docker.service"]


def test_files_tell_which_units_are_there_masked_or_enabled() -> None:
    units = systemd_units.parse_list("docker.service enabled disabled\ndocker.socket masked enabled\n\n")
    assert systemd_units.installed(units) == ["docker.service"]
    assert systemd_units.masked(units) == ["docker.socket"]
    assert systemd_units.to_toggle(units, False) == ["docker.service"]
