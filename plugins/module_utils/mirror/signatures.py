# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find the packages of a mirror that are undamaged and signed by a pinned key."""

from ansible_collections.slipway.platform.plugins.module_utils.mirror import choice as mirror_choice

# A line for mirror_choice.parse.
FORMAT = "%{NAME}\t%|EPOCH?{%{EPOCH}}:{0}|\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n"


def intact(keyring, paths):
    """Map the NEVRA in each package that the keyring verifies to its path; file names are not trusted."""
    signed = [path for path in paths if keyring.is_intact(path)]
    if not signed:
        return {}
    _, output = keyring.run("rpm", "--query", "--nosignature", "--queryformat", FORMAT, "--package", *signed)
    return {build.nevra: signed[place] for place, build in enumerate(mirror_choice.parse(output))}
