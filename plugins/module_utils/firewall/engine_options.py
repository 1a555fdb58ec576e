# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find options of the engine whose packets pass the table by, and those of firewalld that drop what it accepts."""

import re

from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json, foreign_flags
from ansible_collections.slipway.platform.plugins.module_utils.host import unit_files
from ansible_collections.slipway.platform.plugins.module_utils.host.files import read_text

DECISIVE = ("iptables", "userland-proxy")
# As Go spells it, of which dockerd's flags are parsed.
FALSE = ("0", "f", "F", "false", "False", "FALSE")
FIREWALLD = "/etc/firewalld/firewalld.conf"
STRICT = re.compile(r"^\s*StrictForwardPorts\s*=\s*(?:yes|true)\s*$", re.MULTILINE | re.IGNORECASE)


def effective(given):
    """Return the decisive options: those of dockerd's command, of daemon.json, and of the playbook, the later first.

    What is null in the playbook, daemon.json will not have.
    """
    command = "\n".join(unit_files.texts("docker.service"))
    flags = foreign_flags.of_command(foreign_flags.last_command(command))
    options = {name: flags[name] not in FALSE for name in DECISIVE if name in flags}
    options.update(daemon_json.normalise({**daemon_json.parse(read_text(daemon_json.PATH)), **given}))
    return options


def problems(options):
    """Return a sentence about each option with which connections reach containers without being forwarded."""
    if options.get("iptables") is False:
        return [
            "The engine has iptables: false, so its proxy accepts connections to published ports on the host itself, "
            "where docker_firewall does not see them: remove iptables from docker_engine_daemon_options, or set "
            "docker_firewall_state: absent."
        ]
    if options.get("userland-proxy") is not False:
        return [
            "The engine's userland proxy is on, through which IPv6 connections reach published ports of containers "
            "that have only IPv4 addresses, without passing docker_firewall: set userland-proxy: false in "
            "docker_engine_daemon_options."
        ]
    return []


def warnings(path=FIREWALLD):
    """Return a message if firewalld drops what the table lets pass."""
    if not STRICT.search(read_text(path) or ""):
        return []
    return [
        f"{path} sets StrictForwardPorts, with which firewalld drops connections to published ports that it does not "
        "forward itself, also those that docker_firewall_allow lists"
    ]
