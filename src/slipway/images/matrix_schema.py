# SPDX-License-Identifier: Apache-2.0
"""Holds a matrix against `schema.json`, and says what is wrong in sentences."""

import json
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from slipway.images.errors import ImageError

SCHEMA = json.loads(Path(__file__).with_name("schema.json").read_text())
# Line ends of any kind would end an instruction; no value needs one.
REFUSED_CATEGORIES = ("Cc", "Zl", "Zp")


def check(matrix: Any, source: str) -> dict[str, Any]:
    """Return the entries of a matrix. Raises ImageError that names the first place where it is wrong."""
    for place, text in _texts(matrix, ()):
        problem = _text_problem(text)
        if problem:
            raise ImageError(f"{source}: {_where(place)}: {problem}")
    error = best_match(Draft202012Validator(SCHEMA).iter_errors(matrix))
    if error:
        raise ImageError(f"{source}: {_where(tuple(error.absolute_path))}: {_sentence(error)}")
    entries: dict[str, Any] = matrix["images"]
    return entries


def _texts(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield every key and every string with its place."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield place, key
            yield from _texts(below, (*place, key))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _texts(below, (*place, number))
    elif isinstance(value, str):
        yield place, value


def _text_problem(text: Any) -> str | None:
    if not isinstance(text, str):
        return f"the key {text!r} is not a text: put it into quotes."
    if any(unicodedata.category(character) in REFUSED_CATEGORIES for character in text):
        return f"{text!r} holds a line end or another control character: take it out."
    return None


def _where(place: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in (place[1:] if place[:1] == ("images",) else place)) or "the matrix"


def _sentence(error: ValidationError) -> str:
    schema: Any = error.schema
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = sorted(schema["properties"])
        unknown = next(key for key in error.instance if key not in known)
        near = get_close_matches(unknown, known, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"unknown key {unknown!r}.{hint} Known keys: {', '.join(known)}."
    if "description" in schema and error.validator != "required":
        return f"{error.instance!r} will not do: wanted is {schema['description']}."
    return f"{error.message}."
