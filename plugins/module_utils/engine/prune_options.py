# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Options of docker system prune, and checks that prevent it from failing when the timer runs."""

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
    """The options that are set; without any, pruning is off."""
    return {name: value for name, value in (options or {}).items() if value is not None}


def filters(options):
    return list(options.get("filters", DEFAULT_FILTERS))


def problems(options):
    """Return a list of messages about options that docker or systemd would reject."""
    options = given(options)
    if not options:
        return []
    found = (
        []
        if options.get("schedule")
        else ["schedule is missing: set it, such as weekly, or set docker_engine_prune to {} to disable pruning"]
    )
    chosen = filters(options)
    found += [message for message in map(filter_problem, chosen) if message]
    moments = [item for item in chosen if item.startswith("until=")]
    if len(moments) > 1:
        found.append("docker accepts only one until= filter, not {}: keep one".format(" and ".join(moments)))
    kept = [item for item in chosen if item.startswith("label!=")]
    if len(kept) > 1:
        found.append(
            "docker keeps only objects that match all of {}: use one label for everything to keep".format(
                " and ".join(kept)
            )
        )
    if moments and options.get("volumes"):
        found.append(
            "docker rejects {} in combination with volumes: set filters without until, or to []".format(moments[0])
        )
    return [PREFIX + message for message in found]


def filter_problem(item):
    """A message about a filter that docker system prune does not support, or None."""
    name, _, value = item.partition("=")
    if not item.isprintable():
        return f"filter {item!r} contains a line break or another control character: remove it"
    if name == "until":
        if DURATION.match(value) or MOMENT.match(value):
            return None
        return f"filter '{item}' has no valid duration or timestamp: use one such as until=168h, days are not supported"
    if LABEL.match(item):
        return None
    return f"filter '{item}' is not supported by docker system prune: use until=168h, label=name or label!=name"
