# SPDX-License-Identifier: Apache-2.0
"""No value breaks out of its instruction or is altered, according to BuildKit's own parser."""

import re
import shlex
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slipway.images import escape, matrix, matrix_schema, render
from slipway.images.errors import ImageError
from slipway.images.image import Healthcheck, Image, User
from tests.support.nasty_values import JINJA, NASTY

dockerfile = pytest.importorskip("dockerfile", reason="no wheel of it for this machine")
IMAGES = matrix.load()
HARMLESS = "harmless"
# Everything that `matrix_schema` accepts.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1)


def instructions(text: str) -> list[tuple[str, int]]:
    """Return the instructions and their numbers of words."""
    return [(command.cmd, len(command.value)) for command in dockerfile.parse_string(text)]


def with_nasty_examples(function: Any) -> Any:
    for value in NASTY:
        function = example(value)(function)
    return function


def variants(value: str) -> dict[str, Image]:
    """Return an image for each field that takes free text, with the value in that field."""
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
def test_no_value_changes_the_instructions(value: str) -> None:
    harmless = variants(HARMLESS)
    for place, image in variants(value).items():
        for buildkit in (False, True):
            expected = instructions(render.render(harmless[place], buildkit=buildkit))
            assert instructions(render.render(image, buildkit=buildkit)) == expected, place


@pytest.mark.parametrize("value", JINJA)
def test_a_value_that_looks_like_a_template_arrives_as_it_is(value: str) -> None:
    """Fault: a value in `images.yml` is a Jinja template. Outcome: it is in the Dockerfile as it is, not evaluated."""
    for place, image in variants(value).items():
        assert value in render.render(image).replace('\\"', '"'), place


@with_nasty_examples
@given(TEXT)
def test_a_quoted_value_is_one_unaltered_word(value: str) -> None:
    command = dockerfile.parse_string(f"FROM x\nLABEL a={escape.quoted(value)}\n")[1]
    assert len(command.value) == 2
    # How the engine unquotes a double-quoted word: \ escapes " \ and $.
    assert re.sub(r'\\(["\\$])', r"\1", command.value[1][1:-1]) == value


@with_nasty_examples
@given(TEXT)
def test_every_dollar_sign_is_escaped(value: str) -> None:
    assert not re.search(r"(?<!\\)(?:\\\\)*\$", escape.quoted(value))


@with_nasty_examples
@given(TEXT)
def test_words_in_exec_form_are_unaltered(value: str) -> None:
    command = dockerfile.parse_string(f"FROM x\nCMD {escape.exec_form(['x', value])}\n")[1]
    assert command.json
    assert command.value == ("x", value)


@with_nasty_examples
@given(TEXT)
def test_a_shell_word_is_one_word_of_one_instruction(value: str) -> None:
    command, *others = dockerfile.parse_string(f"FROM x\nRUN echo {escape.shell_word(value)}\nUSER x\n")[1:]
    assert [other.cmd for other in others] == ["USER"]
    assert shlex.split(command.value[0]) == ["echo", value]


@pytest.mark.parametrize("end", ["\n", "\r", "\x00", "\x0b", "\x0c", "\x1b", "\x85", "\u2028", "\u2029"])
def test_a_line_break_is_rejected_in_every_field(end: str) -> None:
    for entry in ({"description": f"x{end}USER 0"}, {"labels": {f"x{end}": "y"}}, {"command": ["x", end]}):
        with pytest.raises(ImageError, match="contains a line break or another control character"):
            matrix_schema.check({"images": {"one": entry}}, "images.yml")
