# SPDX-License-Identifier: Apache-2.0
"""Values that try to break out of their place in a file that a template writes."""

# A template that evaluated a value, or its result once more, would run the command, or fail.
JINJA = (
    "{{ lookup('pipe', 'touch /tmp/slipway-was-here') }}",
    "{% include '/etc/passwd' %}",
    "{# gone #}",
    "{{ 7 * 191 }}",
)

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
    *JINJA,
)
