# SPDX-License-Identifier: Apache-2.0
"""Faults in images.yml are reported in one sentence with the place, and no value is converted silently."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from slipway.images import matrix, render
from slipway.images.errors import ImageError

TEXT = """\
images:
  common:
    abstract: true
    version: "1"
    family: runtime
    base: registry.example.com/os:9
    description: An image
    user: {name: app, uid: 10001}
    healthcheck: {command: [python], retries: 3}
    tags: [1-r1]
    platforms: [linux/amd64]
    size_budget_mb: 10
    publish: true
  one:
    extends: common
    ports: [22]
"""
USER = 8  # lines of TEXT
HEALTHCHECK = 9
TAGS = 10
PORTS = 16


def refusal(folder: Path, content: bytes) -> str:
    """Return the message about a matrix with this content, which is one line without an invalid character."""
    (folder / "images.yml").write_bytes(content)
    with pytest.raises(ImageError) as refused:
        matrix.load(folder / "images.yml")
    message = str(refused.value)
    assert message.splitlines() == [message]
    assert message.encode().decode() == message
    return message


def changed(old: str, new: str) -> bytes:
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new).encode()


def test_the_example_without_a_fault_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "images.yml").write_text(TEXT)
    assert list(matrix.load(tmp_path / "images.yml")) == ["one"]


@pytest.mark.parametrize(
    ("old", "new", "line", "place", "words"),
    [
        ("[22]", "[22:22]", PORTS, "one.ports.0", "YAML reads 22:22 as a number: quote it"),
        ("[22]", "[0x16]", PORTS, "one.ports.0", "YAML reads 0x16 as a number"),
        ("[22]", "[2_2]", PORTS, "one.ports.0", "YAML reads 2_2 as a number"),
        ("[22]", "[+22]", PORTS, "one.ports.0", "YAML reads +22 as a number"),
        (
            "[22]",
            "[22.0]",
            PORTS,
            "one.ports.0",
            "as a number with a fraction: quote it where a text is meant, or write",
        ),
        ("[22]", f"[{'9' * 5000}]", PORTS, "one.ports.0", "YAML reads 9999"),
        ("10001", "1.0e+4", USER, "common.user.uid", "YAML reads 1.0e+4 as a number with a fraction"),
        ("retries: 3", "retries: 3.0", HEALTHCHECK, "common.healthcheck.retries", "YAML reads 3.0 as a number with"),
        ("[1-r1]", "[1.10]", TAGS, "common.tags.0", "YAML reads 1.10 as a number with a fraction: quote it"),
        ("[1-r1]", "[r, 0777]", TAGS, "common.tags.1", "YAML reads 0777 as a number: quote it"),
        ("[1-r1]", "[yes]", TAGS, "common.tags.0", "YAML reads yes as true or false: quote it"),
        ("[1-r1]", "[12:30:45]", TAGS, "common.tags.0", "YAML reads 12:30:45 as a number: quote it"),
        ("[1-r1]", "[2026-08-01]", TAGS, "common.tags.0", "YAML reads 2026-08-01 as a date: quote it"),
        ("[1-r1]", "[2026-13-45]", TAGS, "common.tags.0", "YAML reads 2026-13-45 as a date: quote it"),
        ("[1-r1]", "[.inf]", TAGS, "common.tags.0", "YAML reads .inf as a number with a fraction"),
        ("[1-r1]", "[NULL]", TAGS, "common.tags.0", "YAML reads NULL as nothing: quote it"),
        ("[1-r1]", "[=]", TAGS, "common.tags.0", "a value has the YAML type value: quote it"),
        ("[1-r1]", "[!!binary eA==]", TAGS, "common.tags.0", "a value has the YAML type binary"),
        ("[1-r1]", "!!set {a}", TAGS, "common.tags", "a value has the YAML type set: quote it, or remove its tag"),
        ("[1-r1]", "!!python/name:os.system ''", TAGS, "common.tags", "a value has the YAML type python/name:os"),
        ("publish: true", "publish: on", 13, "common.publish", "YAML reads on as true or false"),
        (
            "    tags: [1-r1]",
            "    tags: [1-r1]\n    tags: [2-r1]",
            TAGS + 1,
            "common",
            "the key 'tags' is also on line 10",
        ),
        ("  one:", "  common:", 14, "the matrix", "the key 'common' is also on line 2, and only one would count"),
        ("{name: app, uid: 10001}", "{uid: 1000, uid: 2000}", USER, "common.user", "the key 'uid' is also on line 8"),
        ("  one:", "  9:", 14, "the matrix", "the key 9 is not a string: quote it"),
        ("  one:", "  ? [one]\n  :", 14, "the matrix", "a list or mapping is used as a key"),
        ("[1-r1]", "&a [1-r1, *a]", TAGS, "common.tags.1", "an anchor that contains itself: remove the alias"),
        ("[1-r1]", "&a {b: {c: *a}}", TAGS, "common.tags.b.c", "an anchor that contains itself"),
    ],
)
def test_a_fault_is_reported_with_its_line_and_place(
    tmp_path: Path, old: str, new: str, line: int, place: str, words: str
) -> None:
    """Fault: `images.yml` has a key twice, or an unquoted value that YAML converts. Outcome: no Dockerfile changes, and
    the error names the line, the place and the remedy."""
    message = refusal(tmp_path, changed(old, new))
    assert message.startswith(f"images.yml: line {line}: {place}: "), message
    assert words in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[1-r1]", "[9]", "common.tags.0: 9 is not a string: quote it."),
        ("[1-r1]", "[true]", "common.tags.0: true is not a string: quote it."),
        ('"1"', "1", "common.version: 1 is not a string: quote it."),
        ("[1-r1]", "", "common.tags: it is empty: set a value, or remove the key."),
        ("[1-r1]", "[~]", "common.tags.0: it is empty"),
        ("An image", r'"\ud800"', r"'\ud800' contains a line break or another control character, or half"),
    ],
)
def test_a_value_of_another_type_is_reported_with_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert words in refusal(tmp_path, changed(old, new))


MERGED = TEXT.replace("common:", "common: &common").replace("extends: common", "<<: *common")


def test_a_merge_of_an_abstract_entry_is_rejected(tmp_path: Path) -> None:
    """Fault: an entry of `images.yml` takes over an abstract entry with `<<`. Outcome: it does not vanish with its
    Dockerfile; the error names both lines and `extends`."""
    assert refusal(tmp_path, MERGED.encode()) == (
        "images.yml: line 15: one: << copies the key 'abstract' of line 2, so that this would not be an image: use "
        "extends."
    )
    listed = MERGED.replace("*common", "[{description: x}, *common]")
    assert "<< copies the key 'abstract'" in refusal(tmp_path, listed.encode())
    nested = MERGED.replace("extends: common", "<<: {<<: *common}")
    assert "<< copies the key 'abstract'" in refusal(tmp_path, nested.encode())


def test_other_merges_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "images.yml").write_text(MERGED.replace("<<: *common", "<<: *common\n    abstract: false"))
    assert matrix.load(tmp_path / "images.yml")["one"].tags == ("1-r1",)
    (tmp_path / "images.yml").write_text(
        MERGED.replace("abstract: true", "publish: false", 1).replace("publish: true", "")
    )
    assert list(matrix.load(tmp_path / "images.yml")) == ["common", "one"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TEXT.replace("An image", "Ein schönes Bild").encode("latin-1"), "line 7: byte 0xf6 is not UTF-8"),
        (TEXT.encode("utf-16"), "images.yml is in UTF-16: save it in UTF-8."),
        (TEXT.encode("utf-16-be"), "images.yml is not valid YAML: line 1: "),
        (TEXT.encode().replace(b"An image", b"\xed\xa0\x80"), "line 7: byte 0xed is not UTF-8"),
        (TEXT.encode().replace(b"An image", b"\x07"), "images.yml is not valid YAML: line 7: "),
        (b"<<<<<<< HEAD\n" + TEXT.encode() + b"=======\n>>>>>>> other\n", "images.yml is not valid YAML: line 2: "),
        (changed("An image", r'"\U00110000"'), "images.yml is not valid YAML: line 7: "),
        (changed("An image", r'"\UFFFFFFFF"'), "images.yml is not valid YAML: line 7: "),
        (changed("An image", "*nowhere"), "found undefined alias 'nowhere'"),
        (b"[" * 100_000, "it is nested too deeply"),
        (TEXT.encode() + b"---\n" + TEXT.encode(), "images.yml is not valid YAML: line 17: "),
        (changed("[22]", "[22"), "images.yml is not valid YAML: line 17: "),
        (b"images: {one: {abstract: true}}", "images.yml defines no image"),
        (b"images: {}", "images.yml defines no image"),
    ],
)
def test_an_unreadable_matrix_is_reported_in_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    """Fault: `images.yml` is in Latin-1 or UTF-16, or has a conflict marker. Outcome: one sentence with the line."""
    assert words in refusal(tmp_path, content)


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "images.yml").write_text(TEXT, encoding="utf-8-sig")
    assert list(matrix.load(tmp_path / "images.yml")) == ["one"]


def test_a_few_lines_of_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    levels = ["    a0: &a0 [x]", *(f"    a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20))]
    message = refusal(tmp_path, "\n".join(["images:", "  one:", *levels]).encode())
    assert "aliases that expand to more than 100000 values" in message


@pytest.mark.parametrize("kind", ["folder", "missing"])
def test_a_matrix_that_is_no_file_is_reported(tmp_path: Path, kind: str) -> None:
    if kind == "folder":
        (tmp_path / "images.yml").mkdir()
    with pytest.raises(ImageError, match=r"images\.yml (cannot be read \(Is a directory\)|is missing)"):
        matrix.load(tmp_path / "images.yml")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), below, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "abstract",
        "extends",
        "version",
        "versions",
        "base",
        "user",
        "healthcheck",
        "tags",
        "env",
        "context",
        "ports",
        "x",
    ]
)


def accepted_or_reported(folder: Path, content: bytes) -> None:
    (folder / "images.yml").write_bytes(content)
    try:
        images = matrix.load(folder / "images.yml")
    except ImageError as error:
        message = str(error)
        assert message.splitlines() == [message] and message.endswith((".", "]")), message
        assert message.encode()
    else:
        assert all(render.render(image) for image in images.values() if image.family == "runtime")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))
@example(b"<<<<<<< HEAD\n", 0, 0)
@example(b"\xff\xfe", 0, 0)
@example(b"&a [*a]", TEXT.index("[22]"), TEXT.index("[22]") + 4)
@example(b"22:22", TEXT.index("22]"), TEXT.index("22]") + 2)
@example(b"? &a {*a : 1}", TEXT.index("[22]"), TEXT.index("[22]") + 4)
def test_any_bytes_in_the_matrix_are_accepted_or_reported(
    tmp_path: Path, inserted: bytes, start: int, end: int
) -> None:
    content = TEXT.encode()
    accepted_or_reported(tmp_path, content[: min(start, end)] + inserted + content[max(start, end) :])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.dictionaries(st.text(max_size=5), VALUES, max_size=2))
@example({}, {"\r": {"x": 0.0}})
@example({}, {"\ud800\n": 0.0})
def test_any_values_in_the_matrix_are_accepted_or_reported(
    tmp_path: Path, differing: dict[str, object], others: dict[str, object]
) -> None:
    content = yaml.safe_load(TEXT)
    content["images"]["one"].update(differing)
    content["images"].update(others)
    accepted_or_reported(tmp_path, yaml.safe_dump(content).encode())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.sampled_from("{}[]:-,&*!|>'\"#%@ \n\tab01~<?\\")))
def test_any_punctuation_in_the_matrix_is_accepted_or_reported(tmp_path: Path, inserted: str) -> None:
    accepted_or_reported(tmp_path, changed("[22]", inserted))


@pytest.mark.parametrize("program", [("slipway.images", "list"), ("slipway.lab", "prepare")])
def test_every_command_reports_a_broken_matrix_in_one_sentence(tmp_path: Path, program: tuple[str, str]) -> None:
    module, command = program
    (tmp_path / "images.yml").write_text("images: [")
    code = (
        "import pathlib, sys, slipway.images.matrix as matrix\n"
        f"matrix.load.__defaults__ = (pathlib.Path({str(tmp_path / 'images.yml')!r}),)\n"
        f"import {module}.__main__ as program\n"
        # Of the lab, only how it reports the matrix: it would need an engine before it reads the matrix.
        "program._prepare = lambda _: matrix.load()\n"
        f"sys.argv = ['program', {command!r}]\n"
        "sys.exit(program.main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert ": images.yml is not valid YAML: line 1: " in done.stderr
