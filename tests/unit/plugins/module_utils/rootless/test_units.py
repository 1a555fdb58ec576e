# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import configparser

from ansible_collections.slipway.platform.plugins.module_utils.rootless import requirements, units


def parse(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def test_the_unit_starts_the_launcher_with_the_network_of_the_user() -> None:
    plain = units.render_unit("/usr/bin/dockerd-rootless.sh", "/usr/bin", {})
    assert plain.startswith(units.HEADER)
    assert parse(plain)["Service"]["ExecStart"] == "/usr/bin/dockerd-rootless.sh"
    assert parse(plain)["Service"]["Environment"] == "PATH=/usr/bin"
    assert parse(plain)["Install"]["WantedBy"] == "default.target"
    pasta = units.render_unit("/usr/bin/dockerd-rootless.sh", "/usr/bin", requirements.NETWORK_VARIABLES["pasta"])
    assert "Environment=DOCKERD_ROOTLESS_ROOTLESSKIT_NET=pasta\n" in pasta
    assert "Environment=DOCKERD_ROOTLESS_ROOTLESSKIT_PORT_DRIVER=implicit\n" in pasta


def test_the_kernel_s_settings_are_written_only_when_asked_for() -> None:
    assert units.render_sysctl(units.sysctl_settings(None, False)) is None
    text = units.render_sysctl(units.sysctl_settings(80, True))
    assert text == (
        units.HEADER + "net.ipv4.ip_unprivileged_port_start = 80\nnet.ipv4.ping_group_range = 0 2147483647\n"
    )
