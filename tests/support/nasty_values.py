# SPDX-License-Identifier: Apache-2.0
"""Values that try to break out of their place in a Dockerfile."""

NASTY = (
    '"',
    "\\",
    "$HOME",
    "${x}",
    "`id`",
    "' #",
    '\\"',
    "a\\",
    "<<EOF",
    "# escape=`",
    "x\\ y",
    "]",
    '", "x',
    "$$",
    "&& reboot",
)
