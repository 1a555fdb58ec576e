# SPDX-License-Identifier: Apache-2.0
"""No value breaks out of its instruction, as BuildKit's own parser reads the result; and none arrives changed."""

import re
import shlex
from dataclasses import replace
from typing import Any

import dockerfile
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slipway.images import escape, matrix, matrix_schema, render
from slipway.images.errors import ImageError
from slipway.images.image import Healthcheck, Image, User
from tests.nasty_values import NASTY

IMAGES = matrix.load()
HARMLESS = "harmless"
# All that `matrix_schema` lets through; it refuses the rest.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1)


def instructions(text: str) -> list[tuple[str, int]]:
    """The instructions, and how many words each has."""
    return [(command.cmd, len(command.value)) for command in dockerfile.parse_string(text)]


def with_nasty_examples(function: Any) -> Any:
    for value in NASTY:
        function = example(value)(function)
    return function


def variants(value: str) -> dict[str, Image]:
    """Images with the value in each place that takes free text, one at a time."""
    image = replace(IMAGES["app"], env={"A": HARMLESS}, labels={"a": HARMLESS}, description=HARMLESS)
    return {
        "description": replace(image, description=value),
        "label": replace(image, labels={"a": value}),
        "env": replace(image, env={"A": value}),
        "entrypoint": replace(image, entrypoint=(value,)),
        "command": replace(image, command=("x", value)),
        "healthcheck": replace(image, healthcheck=Healthcheck(command=("x", value))),
        "none_because": replace(image, healthcheck=Healthcheck(none_because=value)),
        "root_because": replace(image, user=User(root_because=value)),
    }


@with_nasty_examples
@given(TEXT)
def test_the_instructions_are_the_same_whatever_the_value(value: str) -> None:
    harmless = variants(HARMLESS)
    for place, image in variants(value).items():
        for buildkit in (False, True):
            expected = instructions(render.render(harmless[place], buildkit=buildkit))
            assert instructions(render.render(image, buildkit=buildkit)) == expected, place


@with_nasty_examples
@given(TEXT)
def test_a_quoted_value_is_one_word_and_arrives_as_it_was(value: str) -> None:
    command = dockerfile.parse_string(f"FROM x\nLABEL a={escape.quoted(value)}\n")[1]
    assert len(command.value) == 2
    # What the engine makes of a word in double quotes: \ takes the meaning of " \ and $.
    assert re.sub(r'\\(["\\$])', r"\1", command.value[1][1:-1]) == value


@with_nasty_examples
@given(TEXT)
def test_no_dollar_of_a_value_is_left_to_be_expanded(value: str) -> None:
    assert not re.search(r"(?<!\\)(?:\\\\)*\$", escape.quoted(value))


@with_nasty_examples
@given(TEXT)
def test_words_in_exec_form_arrive_as_they_were(value: str) -> None:
    command = dockerfile.parse_string(f"FROM x\nCMD {escape.exec_form(['x', value])}\n")[1]
    assert command.json
    assert command.value == ("x", value)


@with_nasty_examples
@given(TEXT)
def test_a_word_of_the_shell_is_one_word_of_one_instruction(value: str) -> None:
    command, *others = dockerfile.parse_string(f"FROM x\nRUN echo {escape.shell_word(value)}\nUSER x\n")[1:]
    assert [other.cmd for other in others] == ["USER"]
    assert shlex.split(command.value[0]) == ["echo", value]


@pytest.mark.parametrize("end", ["\n", "\r", "\x00", "\x0b", "\x0c", "\x1b", "\x85", "\u2028", "\u2029"])
def test_what_ends_a_line_is_refused_wherever_it_stands(end: str) -> None:
    for entry in ({"description": f"x{end}USER 0"}, {"labels": {f"x{end}": "y"}}, {"command": ["x", end]}):
        with pytest.raises(ImageError, match="holds a line end or another control character"):
            matrix_schema.check({"images": {"one": entry}}, "images.yml")
