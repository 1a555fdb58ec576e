# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The table's file, and the unit that loads it before the engine starts."""

import os

from ansible_collections.slipway.platform.plugins.module_utils.host import files as host_files
from ansible_collections.slipway.platform.plugins.module_utils.host import systemd, unit_files

RULES = "/etc/slipway/docker-firewall.nft"
SERVICE = "slipway-docker-firewall.service"
UNIT = os.path.join(unit_files.OWN, SERVICE)
# The engine's start runs the unit again, and so do a restart and a reload of nftables.service, which empty the kernel's
# rules. Without ExecStop, the table outlives the stop of the engine, whose containers may go on.
UNIT_TEXT = """# managed by slipway.platform.docker_firewall
[Unit]
Description=Firewall of the ports that Docker publishes
Before=docker.service
After=nftables.service firewalld.service
PartOf=docker.service nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={nft} -f {rules}
ExecReload={nft} -f {rules}

[Install]
WantedBy=multi-user.target docker.service
"""


def wanted(nft, text):
    """Return (path, text, mode) of the files; a text of None removes them."""
    unit = text and UNIT_TEXT.format(nft=nft, rules=RULES)
    return [(RULES, text, 0o644), (UNIT, unit, 0o644)]


def changes(files):
    return [item for item in files if not host_files.is_up_to_date(*item)]


def is_in_use(module, baking):
    """Return whether the unit is enabled, and active unless an image is being built."""
    if baking:
        unit = systemd.list_unit_files(module, [SERVICE]).get(SERVICE, {})
    else:
        unit = systemd.parse_show(module.run_command(systemd.show_command([SERVICE]))[1]).get(SERVICE, {})
    return unit.get("UnitFileState") == "enabled" and (baking or systemd.is_running(unit))


def put(module, files, baking):
    """Write the files, and enable and start the unit; while an image is built, only enable it."""
    host_files.put_all(files)
    systemctl(module, baking, "reenable", SERVICE)
    if not baking:
        systemctl(module, baking, "daemon-reload")
        systemctl(module, baking, "start", SERVICE)


def remove(module, baking):
    """Stop and disable the unit, and remove the files."""
    if os.path.lexists(UNIT):
        systemctl(module, baking, "disable", SERVICE)
        if not baking:
            systemctl(module, baking, "stop", SERVICE)
    for path in (UNIT, RULES):
        host_files.remove(path)
    host_files.remove_if_empty(os.path.dirname(RULES))
    if not baking:
        systemctl(module, baking, "daemon-reload")


def systemctl(module, baking, *arguments):
    """Run systemctl; while an image is built, it only changes files."""
    module.run_command(["systemctl", *arguments], check_rc=True, environ_update=systemd.OFFLINE if baking else None)
