# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check the settings of docker_firstboot for instances of a fleet."""

import re

from ansible_collections.slipway.platform.plugins.plugin_utils import endpoints, setting_types

UNIT = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9:_.@\\-]+\.(?:service|socket|target|timer|path|scope|slice)\Z")
# Least and greatest values. AWS lets no lifecycle hook wait longer than 7200 s without a heartbeat.
LIMITS = {
    "health_checks": (0, 100),
    "health_interval": (10, 3600),
    "health_share": (1, 100),
    "drain_seconds": (10, 7000),
}


def problems(settings):
    """Return one sentence for each invalid setting."""
    found = []
    if not settings["enabled"]:
        found.append(
            "docker_firstboot_fleet is set, but docker_firstboot_enabled is not, so nothing would complete the launch "
            "hook and the group would replace every instance: set docker_firstboot_enabled to true, too."
        )
    for name, (least, greatest) in LIMITS.items():
        value = setting_types.number(settings[name])
        if value is None or not least <= value <= greatest:
            found.append(f"docker_firstboot_{name} is not a whole number from {least} to {greatest}: set it to one.")
    for unit in settings["drain_units"]:
        if not isinstance(unit, str) or not UNIT.match(unit):
            found.append(
                f"'{unit}' in docker_firstboot_drain_units is not the name of a systemd unit: use a name such as "
                "fluent-bit.service."
            )
    if endpoints.unencrypted([settings["fleet_endpoint"]]):
        found.append("docker_firstboot_fleet_endpoint does not start with https://: start it so, or leave it empty.")
    return found
