# SPDX-License-Identifier: Apache-2.0
"""Everything that hosts need, before the first one is made."""

from slipway.lab import engine, images, setting


def make_ready(wanted: str) -> tuple[engine.Engine, images.Images]:
    """Have the engine running and the images built for LAB=<wanted>; what is there already is kept."""
    chosen = setting.choose(wanted)
    carrier = engine.find_or_start(chosen)
    return carrier, images.prepare(carrier.client, chosen)
