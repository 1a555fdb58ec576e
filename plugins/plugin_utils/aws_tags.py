# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check tags against the limits that AWS would only report once what they are for exists.

Source: "Tag your Amazon EC2 resources", Amazon EC2 User Guide, read in November 2026.
"""

MOST = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256


def problems(place, tags, own):
    """Return one sentence, without a period, for each exceeded limit. own: number of tags that the role adds."""
    found = []
    if len(tags) + own > MOST:
        found.append(
            f"{place} has {len(tags)} tags, but AWS accepts {MOST}, {own} of which this role sets: keep at most "
            f"{MOST - own}"
        )
    for key, value in tags.items():
        if not 1 <= len(key) <= LONGEST_KEY:
            found.append(f"{place} has a key of {len(key)} characters, but AWS accepts 1 to {LONGEST_KEY}: change it")
        if len(value) > LONGEST_VALUE:
            found.append(
                f"{place} {key[:LONGEST_KEY]} has {len(value)} characters, but AWS accepts at most {LONGEST_VALUE}: "
                "shorten it"
            )
    return found
