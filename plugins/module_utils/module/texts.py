# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find parameters where YAML made a number or a boolean of what is meant as a text: 1.10 is 1.1, 0777 is 511."""

from ansible_collections.slipway.platform.plugins.module_utils.module.parameter_secrets import option_of

UNQUOTED = "in YAML, which may differ from what you wrote: quote it"
SCALARS = ((bool, "a boolean"), ((int, float), "a number"))
OTHERS = ((type(None), "empty"), (dict, "a mapping"), (list, "a list"))
TEXTS = ("str", "path")


def problem(values, options, place=""):
    """Return a sentence about the first value that is not a text where its option is one, or None."""
    for name, value in values.items() if isinstance(values, dict) else ():
        option = option_of(name, options)
        found = option and problem_of(value, option, place + str(name))
        if found:
            return found
    return None


def problem_of(value, option, place):
    if value is None:
        return None
    kind, suboptions = option.get("type", "str"), option.get("options")
    if kind in TEXTS:
        return sentence(value, option, place)
    if kind == "dict" and suboptions:
        return problem(value, suboptions, place + ".")
    if kind != "list":
        return None
    if not isinstance(value, (list, str)):  # a single value, which Ansible makes a list of
        return sentence(value, option, place) if option.get("elements") in TEXTS else None
    for index, item in enumerate(value if isinstance(value, list) else ()):
        where = f"{place}[{index}]"
        if option.get("elements") in TEXTS:
            found = sentence(item, option, where)
        else:
            found = problem(item, suboptions or {}, where + ".")
        if found:
            return found
    return None


def sentence(value, option, place):
    scalar = kind_of(value, SCALARS)
    if scalar:
        shown = "" if option.get("no_log") else f" ({value})"
        return f"{place} is {scalar}{shown} {UNQUOTED}"
    other = kind_of(value, OTHERS)
    return f"{place} is {other}: set it to a text" if other else None


def kind_of(value, kinds):
    return next((kind for types, kind in kinds if isinstance(value, types)), None)
