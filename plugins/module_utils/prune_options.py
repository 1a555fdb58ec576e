# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Knows what docker system prune takes, and what it would refuse in the middle of the night."""

import re

PREFIX = "docker_engine_prune: "
DEFAULT_FILTERS = ("until=168h",)
DURATION = re.compile(r"\A(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|ms|s|m|h))+\Z")
MOMENT = re.compile(
    r"\A(?:[0-9]+(?:\.[0-9]+)?|"
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)\Z"
)
LABEL = re.compile(r"\Alabel!?=[^=]")


def given(options):
    """The options that were set; none of them means that nothing is pruned."""
    return {name: value for name, value in (options or {}).items() if value is not None}


def filters(options):
    return list(options.get("filters", DEFAULT_FILTERS))


def problems(options):
    """One sentence for everything that docker or systemd would refuse."""
    options = given(options)
    if not options:
        return []
    found = [] if options.get("schedule") else ["schedule is missing: write weekly, or {} for no pruning at all"]
    chosen = filters(options)
    found += [sentence for sentence in map(filter_problem, chosen) if sentence]
    moments = [item for item in chosen if item.startswith("until=")]
    if len(moments) > 1:
        found.append("docker takes one until= only, not {}: keep one".format(" and ".join(moments)))
    spared = [item for item in chosen if item.startswith("label!=")]
    if len(spared) > 1:
        found.append(
            "docker spares only what has all of {}: mark what stays with one label".format(" and ".join(spared))
        )
    if moments and options.get("volumes"):
        found.append(
            "docker refuses {} beside volumes, which have no age: set filters without it, [] for none".format(
                moments[0]
            )
        )
    return [PREFIX + sentence for sentence in found]


def filter_problem(item):
    """The sentence about a filter that docker system prune does not take, or None."""
    name, _, value = item.partition("=")
    if not item.isprintable():
        return f"filter {item!r} has a line break or another control character: remove it"
    if name == "until":
        if DURATION.match(value) or MOMENT.match(value):
            return None
        return f"filter '{item}' has neither a duration nor a moment: write it like until=168h, days are unknown"
    if LABEL.match(item):
        return None
    return f"filter '{item}' is unknown to docker system prune: write until=168h, label=name or label!=name"
