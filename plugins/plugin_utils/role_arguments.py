# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Convert variables of roles to the types that their argument_specs declare, as Ansible's own validation does.

Ansible validates the converted value of a variable, and leaves the variable as it is. `-e name=value` and INI
inventories make every value a text: "false" is true for a condition, and a list of letters for a loop.
"""

import datetime
import functools
from pathlib import Path

import yaml
from ansible.module_utils.common import validation
from ansible_collections.slipway.platform.plugins.module_utils.module.texts import UNQUOTED
from ansible_collections.slipway.platform.plugins.plugin_utils import quoting

ROLES = Path(__file__).parents[2] / "roles"
SCALARS = {
    "bool": validation.check_type_bool,
    "float": validation.check_type_float,
    "int": validation.check_type_int,
}


def typed(value, name):
    """Return the value of the role variable in its declared type. Raises TypeError with a sentence if it has none."""
    try:
        return _without_dates(_convert(value, _declaration(name)))
    except TypeError as error:
        raise TypeError(f"{name} cannot be used: {error}") from error


def default(name):
    """Return the default of the role variable; None if it has none."""
    return _declaration(name).get("default")


def _convert(value, declaration):
    kind = declaration.get("type", "str")
    if value is None:
        return None
    if kind in SCALARS:
        try:
            return SCALARS[kind](value)
        except OverflowError as error:  # Ansible's check of integers converts an infinite number too.
            raise TypeError("it is infinite") from error
    if kind == "list":
        element = {"type": declaration.get("elements", "raw"), "options": declaration.get("options", {})}
        return [_convert_element(item, element) for item in _items(value)]
    if kind == "dict":
        options = declaration.get("options", {})
        return {key: _convert(item, options.get(key, {})) for key, item in validation.check_type_dict(value).items()}
    return value


def _convert_element(value, declaration):
    """Convert an element of a list; an integer in a list of texts is a text, as for the validation."""
    if declaration["type"] != "str":
        return _convert(value, declaration)
    if isinstance(value, (bool, float)):
        raise TypeError(f"it contains {quoting.spelling(value)} {UNQUOTED}")
    return "" if value is None else value if isinstance(value, str) else str(value)


def _without_dates(value):
    """Return the value with the texts of its dates: before 2.19, ansible-core makes one text of all that has a date."""
    if isinstance(value, datetime.datetime):
        raise TypeError(f"it contains a date with a time {UNQUOTED}")
    if isinstance(value, datetime.date):
        return value.isoformat()  # as it was written
    if isinstance(value, dict):
        return {_without_dates(key): _without_dates(item) for key, item in value.items()}
    return [_without_dates(item) for item in value] if isinstance(value, list) else value


def _items(value):
    """Return the elements of a list, of a list written as YAML or JSON, or of a list separated by commas."""
    if not isinstance(value, str):
        return validation.check_type_list(value)
    text = value.strip()
    if text.startswith("["):
        try:
            found = yaml.load(text, Loader=yaml.BaseLoader)
        except yaml.YAMLError:
            found = None  # Such as [::1]:5432, the address of a port.
        if isinstance(found, list):
            return found
    return [item.strip() for item in text.split(",")] if text else []


@functools.lru_cache(maxsize=None)
def _declaration(name):
    words = name.split("_")
    for count in range(len(words) - 1, 0, -1):
        options = _options("_".join(words[:count]))
        if name in options:
            return options[name]
    raise KeyError(f"no role of this collection declares the variable {name}")


@functools.lru_cache(maxsize=None)
def _options(role):
    path = ROLES / role / "meta" / "argument_specs.yml"
    if not path.is_file():
        return {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_bytes(), Loader=loader)["argument_specs"]["main"]["options"]
