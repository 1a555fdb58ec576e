# SPDX-License-Identifier: Apache-2.0
"""Presets of an image with docker.service enabled, for the checker in tests/unit and systemd in tests/lab."""

from ansible_collections.slipway.platform.plugins.module_utils.sealing import seal

SYSTEM, ADMINISTRATOR = "usr/lib/systemd/system-preset", "etc/systemd/system-preset"
DISABLE_ALL = f"{SYSTEM}/99-default-disable.preset"
# The image's preset files beside "disable *" in DISABLE_ALL, and the file that disables docker.service, if any.
CASES: list[tuple[dict[str, str], str | None]] = [
    ({}, DISABLE_ALL),
    ({seal.PRESET: "# enable docker.service\n"}, DISABLE_ALL),
    ({seal.PRESET: "enable docker.*\n"}, None),
    ({f"{SYSTEM}/10-docker.preset": "enable docker.service\n"}, None),
    ({f"{ADMINISTRATOR}/99-default-disable.preset": ""}, None),
    ({f"{ADMINISTRATOR}/05-site.preset": "disable d*.service\n", seal.PRESET: seal.preset([])}, "05-site.preset"),
    ({f"{SYSTEM}/10-docker.preset": "disable docker.service\n", seal.PRESET: seal.preset([])}, None),
    (
        {f"{SYSTEM}/10-docker.preset": "enable docker.service\n", seal.PRESET: "disable\tdocker.service\n"},
        seal.PRESET,
    ),
]
