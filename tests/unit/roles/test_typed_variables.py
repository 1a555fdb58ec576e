# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Expressions read no variable that is not a text as it arrives: any variable may arrive as a text.

A role reads `__<name>` of its vars/main.yml, which is the variable in its declared type; a number goes through the
filter int. A number or a boolean that is a module's whole argument needs neither, since the module converts it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import jinja2.nodes
import pytest
import yaml

from tests.support import yaml_files

PROJECT = Path(__file__).parents[3]
PLACES = ("roles/*/tasks/*.yml", "roles/*/handlers/*.yml", "roles/*/vars/*.yml", "roles/*/templates/*")
PLAYS = ("playbooks/**/*.yml", "molecule/**/*.yml")
FILES = sorted(path for pattern in (*PLACES, *PLAYS) for path in PROJECT.glob(pattern) if path.is_file())
CONDITIONS = ("when", "until", "changed_when", "failed_when", "that")
CONVERSIONS = {"slipway.platform.typed", "int", "bool"}


def declared() -> dict[str, str]:
    """Return the types of all roles' variables."""
    return {
        name: option.get("type", "str")
        for path in PROJECT.glob("roles/*/meta/argument_specs.yml")
        for name, option in yaml_files.read(path)["argument_specs"]["main"]["options"].items()
    }


# Every playbook may set slipway_baking, which no role declares.
TYPES = {**declared(), "slipway_baking": "bool"}
ENVIRONMENT = jinja2.Environment()


class _AnyName(dict[str, Any]):
    """Knows every filter and test, since Ansible's own are not needed to parse an expression."""

    def __missing__(self, name: str) -> Any:
        return lambda *_arguments, **_options: None

    def __contains__(self, name: object) -> bool:
        return True


ENVIRONMENT.filters = _AnyName()
ENVIRONMENT.tests = _AnyName()


def expressions(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (key, template) of every text of the file that is a template."""
    text = path.read_text()
    if path.suffix == ".j2":
        yield "", text
        return
    yield from _templates("", yaml.load(text, Loader=yaml.BaseLoader))


def _templates(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _templates(str(name), item)
    elif isinstance(value, list):
        for item in value:
            yield from _templates(key, item)
    elif isinstance(value, str):
        yield key, "{{ " + value + " }}" if key in CONDITIONS and "{{" not in value else value


def unconverted(key: str, template: str) -> Iterator[str]:
    """Yield the variables that the template reads as they arrive."""
    tree = ENVIRONMENT.parse(template)
    converted = {id(node) for found in tree.find_all(jinja2.nodes.Filter) for node in _converted(found)}
    parts = [node for output in tree.find_all(jinja2.nodes.Output) for node in output.nodes]
    whole = _without_default(parts[0]) if len(parts) == 1 else None
    for node in tree.find_all(jinja2.nodes.Name):
        kind = TYPES.get(node.name, "str")
        if kind in ("str", "path") or id(node) in converted:
            continue
        if kind in ("bool", "int", "float") and node is whole and key not in CONDITIONS and not key.startswith("__"):
            continue
        if (kind == "int" and any(node is part for part in parts)) or key in ("problem", "fail_msg"):
            continue
        yield node.name


def _converted(node: jinja2.nodes.Filter) -> Iterator[jinja2.nodes.Node]:
    """Yield the variable that a conversion is applied to, also where it has a default."""
    if node.name not in CONVERSIONS:
        return
    source = _without_default(node.node)
    if isinstance(source, jinja2.nodes.Name):
        kind = TYPES.get(source.name, "str")
        if node.name == "slipway.platform.typed":
            argument = node.args[0]
            if isinstance(argument, jinja2.nodes.Const) and argument.value == source.name:
                yield source
        elif kind == node.name == "int" or (source.name, node.name) == ("slipway_baking", "bool"):
            yield source


def _without_default(node: jinja2.nodes.Node | None) -> jinja2.nodes.Node | None:
    while isinstance(node, jinja2.nodes.Filter) and node.name == "default":
        node = node.node
    return node


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_expression_reads_converted_variables(path: Path) -> None:
    found = [(template, name) for key, template in expressions(path) for name in unconverted(key, template)]
    assert found == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_number_is_made_by_a_variable_s_whole_template(path: Path) -> None:
    """ansible-core before 2.19 makes a text of it, which no comparison takes for a number."""
    if path.parent.name == "vars":
        found = yaml_files.read(path)
        assert not [name for name, value in (found or {}).items() if re.fullmatch(r"\{\{[^}|]+\| int \}\}", str(value))]


@pytest.mark.parametrize(
    ("key", "template", "read"),
    [
        ("when", "{{ docker_engine_purge_data }}", ["docker_engine_purge_data"]),
        ("when", "{{ not docker_engine_purge_data }}", ["docker_engine_purge_data"]),
        ("when", "{{ docker_engine_purge_data | slipway.platform.typed('docker_engine_purge_data') }}", []),
        ("when", "{{ docker_engine_purge_data | slipway.platform.typed('docker_engine_state') }}", None),
        ("when", "{{ docker_engine_purge_data | default(false) | bool }}", None),
        ("when", "{{ ami_publish_prune_keep > 0 }}", ["ami_publish_prune_keep"]),
        ("when", "{{ ami_publish_prune_keep | int > 0 }}", []),
        ("enabled", "{{ docker_engine_service_enabled }}", []),
        ("__engine_enabled", "{{ docker_engine_service_enabled }}", ["docker_engine_service_enabled"]),
        ("when", "{{ slipway_baking | default(false) | bool }}", []),
        ("when", "{{ slipway_baking | default(false) }}", ["slipway_baking"]),
        ("plugins", "{{ docker_engine_plugins }}", ["docker_engine_plugins"]),
        ("", "{% if docker_engine_purge_data %}x{% endif %}", ["docker_engine_purge_data"]),
        ("", "{% for name in docker_access_members %}x{% endfor %}", ["docker_access_members"]),
    ],
)
def test_a_variable_as_it_arrives_is_found(key: str, template: str, read: list[str] | None) -> None:
    assert list(unconverted(key, template)) == (["docker_engine_purge_data"] if read is None else read)
