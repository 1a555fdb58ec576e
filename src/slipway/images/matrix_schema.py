# SPDX-License-Identifier: Apache-2.0
"""Validates a matrix against `schema.json`, with error messages in sentences."""

import json
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from slipway.images.errors import ImageError
from slipway.images.strict_yaml import Place, display

SCHEMA = json.loads(Path(__file__).with_name("schema.json").read_text())
# A line break of any kind would end an instruction, and a surrogate cannot be written; no value needs one.
CONTROL_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")


def check(matrix: Any, source: str) -> dict[str, Any]:
    """Return the entries of a matrix. Raises ImageError with the location of the first error."""
    for place, text in _strings(matrix, ()):
        problem = _string_problem(text)
        if problem:
            raise ImageError(f"{source}: {display(place)}: {problem}")
    error = best_match(Draft202012Validator(SCHEMA).iter_errors(matrix))
    if error:
        raise ImageError(f"{source}: {display(tuple(error.absolute_path))}: {_message(error)}")
    entries: dict[str, Any] = matrix["images"]
    return entries


def _strings(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Yield every key and every string value with its path."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield place, key
            yield from _strings(below, (*place, key))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _strings(below, (*place, number))
    elif isinstance(value, str):
        yield place, value


def _string_problem(text: str) -> str | None:
    if any(unicodedata.category(character) in CONTROL_CATEGORIES for character in text):
        return f"{text!r} contains a line break or another control character, or half a surrogate pair: remove it."
    return None


def _message(error: ValidationError) -> str:
    schema: Any = error.schema
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = sorted(schema["properties"])
        unknown = next(key for key in error.instance if key not in known)
        near = get_close_matches(unknown, known, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"unknown key {unknown!r}.{hint} Known keys: {', '.join(known)}."
    if error.instance is None:
        return "it is empty: set a value, or remove the key."
    if schema.get("type") == "string" and isinstance(error.instance, (bool, int)):
        return f"{json.dumps(error.instance)} is not a string: quote it."
    if "description" in schema and error.validator != "required":
        return f"{error.instance!r} is invalid: expected {schema['description']}."
    return f"{error.message}."
