# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from ansible_collections.slipway.platform.plugins.module_utils.host import systemd

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
UNITS = systemd.parse_show(SHOWN)


def test_each_block_of_systemctl_show_is_a_unit() -> None:
    assert list(UNITS) == ["docker.service", "docker.socket", "containerd.service"]
    assert UNITS["docker.service"]["MainPID"] == "812"


def test_output_in_a_chroot_contains_no_units() -> None:
    assert systemd.parse_show("Running in chroot, ignoring command 'show'\n") == {}


def test_masked_and_installed_units_are_distinguished() -> None:
    assert systemd.masked(UNITS) == ["docker.socket"]
    assert systemd.installed(UNITS) == ["docker.service"]


def test_the_message_about_masked_units_names_the_remedy() -> None:
    message = systemd.masked_message(["docker.socket", "docker.service"])
    assert message.startswith("docker.service and docker.socket are masked")
    assert "run systemctl unmask docker.service docker.socket, and where docker runs, " in message
    assert message.endswith("systemctl restart docker.socket docker.service")
    assert systemd.masked_message(["docker.service"]).endswith("systemctl unmask docker.service")


def test_one_changed_unit_needs_a_reload() -> None:
    assert systemd.needs_reload(UNITS)


def test_started_at_is_in_seconds_and_zero_for_a_unit_that_never_ran() -> None:
    assert systemd.started_at(UNITS["docker.service"]) == 41.5
    assert systemd.started_at(UNITS["docker.socket"]) == 0


def test_only_units_in_the_wrong_state_are_toggled() -> None:
    assert systemd.to_toggle(UNITS, True) == ["docker.socket"]
    assert systemd.to_toggle(UNITS, False) == ["docker.service"]


def test_running_units_are_found_among_names() -> None:
    assert systemd.running(UNITS, ("docker.service", "docker.socket", "absent.service")) == ["docker.service"]


def test_unit_files_show_which_units_are_installed_masked_or_enabled() -> None:
    units = systemd.parse_list("docker.service enabled disabled\ndocker.socket masked enabled\n\n")
    assert systemd.installed(units) == ["docker.service"]
    assert systemd.masked(units) == ["docker.socket"]
    assert systemd.to_toggle(units, False) == ["docker.service"]
