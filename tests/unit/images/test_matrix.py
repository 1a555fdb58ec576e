# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.images import matrix
from slipway.images.errors import ImageError

PLAIN: dict[str, Any] = {
    "version": "1",
    "family": "runtime",
    "base": "registry.example.com/os:9",
    "description": "An image",
    "user": {"name": "app", "uid": 10001},
    "healthcheck": {"none_because": "it is an example"},
    "tags": ["1-r1"],
    "platforms": ["linux/amd64"],
    "size_budget_mb": 10,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "images.yml"


def write(file: Path, **entries: Any) -> Path:
    file.write_text(yaml.safe_dump({"images": entries}))
    return file


def refusal(file: Path, **entries: Any) -> str:
    with pytest.raises(ImageError) as refused:
        matrix.load(write(file, **entries))
    return str(refused.value)


def test_an_image_inherits_the_keys_that_it_does_not_set(file: Path) -> None:
    lower = {**PLAIN, "labels": {"a": "1", "b": "1"}, "packages": ["tini"], "abstract": True}
    upper = {"extends": "lower", "labels": {"b": "2"}, "packages": ["tar"]}
    image = matrix.load(write(file, lower=lower, upper=upper))["upper"]
    assert image.labels == {"a": "1", "b": "2"}
    assert image.packages == ("tar",)
    assert image.family == "runtime"


def test_an_abstract_entry_is_not_an_image_but_what_extends_it_is(file: Path) -> None:
    lower = {**PLAIN, "abstract": True}
    assert list(matrix.load(write(file, lower=lower, upper={"extends": "lower"}))) == ["upper"]


def test_each_version_is_a_separate_image(file: Path) -> None:
    entry = {key: value for key, value in PLAIN.items() if key not in ("version", "tags")}
    versions = {"3.11": {"tags": ["3.11-r1"]}, "3.12": {"tags": ["3.12-r1"], "moving_tags": ["3"]}}
    images = matrix.load(write(file, python={**entry, "versions": versions}))
    assert {name: image.local_tags for name, image in images.items()} == {
        "python-3.11": ("slipway.invalid/python:3.11-r1",),
        "python-3.12": ("slipway.invalid/python:3.12-r1", "slipway.invalid/python:3"),
    }


def test_a_local_base_is_referenced_by_its_tag(file: Path) -> None:
    lower = {**PLAIN, "moving_tags": ["1"]}
    images = matrix.load(write(file, lower=lower, upper={**PLAIN, "base": "lower"}))
    assert (images["upper"].base_reference, images["upper"].has_local_base) == ("slipway.invalid/lower:1", True)


def test_a_digest_pins_an_external_base(file: Path) -> None:
    digest = "sha256:" + "0" * 64
    file.with_name("digests.json").write_text(json.dumps({PLAIN["base"]: digest}))
    assert matrix.load(write(file, one=PLAIN))["one"].base_reference == f"{PLAIN['base']}@{digest}"


def test_an_unknown_key_is_named_with_the_known_ones(file: Path) -> None:
    message = refusal(file, one={**PLAIN, "pakages": ["tini"]})
    assert message.startswith("images.yml: one: unknown key 'pakages'. Did you mean packages? Known keys: abstract, ")
    assert "size_budget_mb" in message


def test_a_key_of_the_entry_is_rejected_in_a_version(file: Path) -> None:
    entry = {key: value for key, value in PLAIN.items() if key != "version"}
    message = refusal(file, one={**entry, "versions": {"1": {"extends": "two"}}})
    assert message == (
        "images.yml: one.versions.1: 'extends' is invalid: expected a key that may differ by version; "
        "set this one on the entry itself."
    )


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"one": {**PLAIN, "extends": "two"}}, ["one extends two", "not in the matrix", "The entries are one"]),
        (
            {"one": {**PLAIN, "extends": "two"}, "two": {**PLAIN, "extends": "one"}},
            ["extends forms a cycle: one -> two -> one"],
        ),
        ({"one": {**PLAIN, "base": "bse"}}, ["one has the base bse", "neither an image of the matrix (one)", "tag"]),
        ({"one": {**PLAIN, "base": "registry:5000/os"}}, ["nor a reference with a tag"]),
        (
            {"one": {**PLAIN, "base": "two"}, "two": {**PLAIN, "base": "one"}},
            ["Images form a cycle: ", "one -> two"],
        ),
        ({"one": {"version": "1"}}, ["one lacks family, base, ", "extend"]),
        ({"one": {**PLAIN, "versions": {"1": {}}}}, ["either version or versions"]),
        (
            {"one-1": PLAIN, "one": {k: v for k, v in {**PLAIN, "versions": {"1": {}}}.items() if k != "version"}},
            ["Two images have the name one-1"],
        ),
        ({"one": {**PLAIN, "moving_tags": ["1-r1"]}}, ["Two images have the tag slipway.invalid/one:1-r1"]),
    ],
)
def test_inconsistent_entries_are_rejected(file: Path, entries: dict[str, Any], words: list[str]) -> None:
    message = refusal(file, **entries)
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("tags", ["-1"], "one.tags.0: '-1' is invalid: expected a tag"),
        ("tags", ["a" * 129], "is invalid: expected a tag"),
        ("tags", [], "one.tags"),
        ("packages", ["tini; reboot"], "expected a package name"),
        ("packages", ["--nogpgcheck"], "expected a package name"),
        ("version", 3.11, "one.version: YAML reads 3.11 as a number with a fraction: quote it"),
        ("setuid", ["/bin/su x"], "expected an absolute path"),
        ("setuid", ["/bin/../su"], "expected an absolute path"),
        ("base", "os:9\nRUN true", "line break"),
        ("base", "os:9 AS x", "one.base"),
        ("description", "two\nlines", "one.description: 'two\\nlines' contains a line break"),
        ("description", "two\u2028lines", "line break"),
        ("labels", {"a b": "1"}, "one.labels"),
        ("labels", {"a": 1}, "one.labels.a"),
        ("labels", {1: "a"}, "one.labels: the key 1 is not a string: quote it"),
        ("env", {"A=B C": "1"}, "one.env"),
        ("ports", [70000], "one.ports.0"),
        ("user", {"name": "app"}, "one.user"),
        ("user", {"name": "root", "uid": 1000}, "one.user"),
        ("user", {"name": "app", "uid": 0}, "one.user.uid"),
        ("healthcheck", {}, "one.healthcheck"),
        ("healthcheck", {"command": ["true"], "interval": "soon"}, "expected a duration such as 30s"),
        ("context", {"path": "../outside", "include": ["x"]}, "one.context.path"),
        ("context", {"path": ".", "include": ["../outside"]}, "one.context.include.0"),
        ("platforms", ["windows/amd64"], "one.platforms.0"),
    ],
)
def test_an_invalid_value_is_reported_with_its_location(file: Path, key: str, value: Any, words: str) -> None:
    assert words in refusal(file, one={**PLAIN, key: value})


def test_invalid_yaml_is_rejected_with_the_line(file: Path) -> None:
    file.write_text("images: [")
    with pytest.raises(ImageError, match=r"images.yml is not valid YAML: line 1: "):
        matrix.load(file)


@pytest.mark.parametrize("text", ["", "[]", "images: []", "other: {}"])
def test_a_matrix_of_another_shape_is_rejected(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ImageError, match=r"images\.yml: (the matrix|images): "):
        matrix.load(file)


def test_a_missing_matrix_is_reported(file: Path) -> None:
    with pytest.raises(ImageError, match=r"images\.yml is missing"):
        matrix.load(file)
