# SPDX-License-Identifier: Apache-2.0
"""Reads YAML in which every value means what its spelling says, and reports errors with the line and the remedy.

YAML 1.1 reads 22:22 as 1342, 0777 as 511, 1.10 as 1.1 and yes as true, and keeps the last of two equal keys. Here all
of these are errors.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

from slipway.images.errors import ImageError
from slipway.images.text_file import read_text

PREFIX = "tag:yaml.org,2002:"
STRING, MERGE = f"{PREFIX}str", f"{PREFIX}merge"
# The spellings that YAML 1.1, YAML 1.2 and a reader understand alike. Integers of more digits have no use here.
SPELLINGS = {
    f"{PREFIX}int": re.compile(r"-?(0|[1-9][0-9]{0,17})"),
    f"{PREFIX}bool": re.compile(r"true|false"),
    f"{PREFIX}null": re.compile(r"|~|null"),
}
MEANINGS = {
    f"{PREFIX}int": ("a number", "or write a number in decimal digits"),
    f"{PREFIX}float": ("a number with a fraction", "or write a whole number"),
    f"{PREFIX}bool": ("true or false", "or write true or false"),
    f"{PREFIX}null": ("nothing", "or remove the key"),
    f"{PREFIX}timestamp": ("a date", "since no value is a date"),
}
COLLECTIONS = (f"{PREFIX}map", f"{PREFIX}seq")
# Aliases can make a small file huge.
MOST_VALUES = 100_000

Place = tuple[str | int, ...]


def load(path: Path) -> Any:
    """Return the content of a YAML file. Raises ImageError with the file, the line, the place and the remedy."""
    text = read_text(path)
    try:
        loader = yaml.SafeLoader(text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position)
        raise _invalid(path, line, f"the character U+{error.character:04X} is not allowed") from error
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _Checker(path.name).check(node)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(text for text in (error.context, error.problem) if text)
        raise _invalid(path, mark.line if mark else loader.line, what) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # PyYAML leaves some invalid escapes to chr()
        raise _invalid(path, loader.line, str(error).splitlines()[0]) from error
    except RecursionError as error:
        raise _invalid(path, loader.line, "it is nested too deeply") from error
    finally:
        loader.dispose()


def display(place: Place) -> str:
    """Return a place in the matrix as a user writes it."""
    parts = [str(part) for part in (place[1:] if place[:1] == ("images",) else place)]
    return ".".join(part if part.isprintable() else ascii(part)[1:-1] for part in parts) or "the matrix"


def _invalid(path: Path, line: int, what: str) -> ImageError:
    return ImageError(f"{path.name} is not valid YAML: line {line + 1}: {what}. Correct it, or restore it from git.")


class _Checker:
    """Checks the nodes of one file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._sizes: dict[Node, int] = {}  # values below each checked node; aliases share nodes

    def check(self, node: Node, place: Place = (), above: tuple[Node, ...] = ()) -> int:
        """Return the number of values of a node with its aliases expanded."""
        if node in above:
            raise self._error(node, place, "an anchor that contains itself: remove the alias")
        if node not in self._sizes:
            below = sum(self.check(child, where, (*above, node)) for where, child in self._children(node, place))
            if below > MOST_VALUES:
                raise self._error(node, place, f"aliases that expand to more than {MOST_VALUES} values: remove some")
            self._sizes[node] = 1 + below
        return self._sizes[node]

    def _children(self, node: Node, place: Place) -> Iterator[tuple[Place, Node]]:
        if isinstance(node, ScalarNode):
            self._check_scalar(node, place)
        elif node.tag not in COLLECTIONS:
            raise self._type_error(node, place)
        elif isinstance(node, SequenceNode):
            yield from (((*place, number), child) for number, child in enumerate(node.value))
        elif isinstance(node, MappingNode):
            self._check_keys(node, place)
            yield from (((*place, key.value), child) for key, child in node.value)
            self._check_merge(node, place)

    def _check_scalar(self, node: ScalarNode, place: Place) -> None:
        spelling = SPELLINGS.get(node.tag)
        if node.tag == STRING or (spelling and not node.style and spelling.fullmatch(node.value)):
            return
        if node.tag not in MEANINGS:
            raise self._type_error(node, place)
        meaning, remedy = MEANINGS[node.tag]
        raise self._error(
            node, place, f"YAML reads {_short(node.value)} as {meaning}: quote it where a text is meant, {remedy}"
        )

    def _check_keys(self, node: MappingNode, place: Place) -> None:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                raise self._error(key, place, "a list or mapping is used as a key: use a string")
            if key.tag not in (STRING, MERGE):
                raise self._error(key, place, f"the key {_short(key.value)} is not a string: quote it")
            if key.value in lines:
                raise self._error(
                    key,
                    place,
                    f"the key {_short(key.value)!r} is also on line {lines[key.value]}, and only one would count: "
                    "remove or rename one",
                )
            lines[key.value] = key.start_mark.line + 1

    def _check_merge(self, node: MappingNode, place: Place) -> None:
        """Reject a merged `abstract`, which would make an image vanish; `extends` does not inherit it."""
        own = {key.value for key, _ in node.value}
        for key, merged in node.value:
            if key.tag == MERGE and "abstract" not in own and "abstract" in _keys(merged):
                raise self._error(
                    key,
                    place,
                    f"<< copies the key 'abstract' of line {merged.start_mark.line + 1}, so that this would not be an "
                    "image: use extends",
                )

    def _type_error(self, node: Node, place: Place) -> ImageError:
        return self._error(
            node,
            place,
            f"a value has the YAML type {_short(node.tag.removeprefix(PREFIX))}: quote it, or remove its tag",
        )

    def _error(self, node: Node, place: Place, what: str) -> ImageError:
        return ImageError(f"{self._name}: line {node.start_mark.line + 1}: {display(place)}: {what}.")


def _short(text: str) -> str:
    """Return a value for a message, on one line."""
    shown = ascii(text)[1:-1]
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


def _keys(node: Node) -> set[str]:
    """Return the keys that a merge of a node adds."""
    if isinstance(node, SequenceNode):
        return {key for each in node.value for key in _keys(each)}
    if not isinstance(node, MappingNode):
        return set()
    merged = {key for name, each in node.value if name.tag == MERGE for key in _keys(each)}
    return merged | {key.value for key, _ in node.value}
