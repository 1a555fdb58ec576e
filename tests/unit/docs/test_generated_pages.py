# SPDX-License-Identifier: Apache-2.0
"""The generated pages of docs are those that the code and the tests of today make."""

import html
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.docs import __main__ as commands
from slipway.docs import reference, reliability
from slipway.lab.paths import PROJECT
from tests.support import yaml_files

REMEDY = "run `make docs-reference`, and commit what it writes"
ROLES = sorted(path.parents[1] for path in PROJECT.glob("roles/*/meta/argument_specs.yml"))


@pytest.mark.parametrize("path", commands.PAGES, ids=str)
def test_a_page_is_what_its_sources_say(path: Path) -> None:
    assert (PROJECT / path).read_text() == commands.PAGES[path](PROJECT), REMEDY


def test_no_page_of_the_reference_is_stale() -> None:
    assert reference.stale(PROJECT) == [], REMEDY


def shown(default: Any) -> str:
    """A default as antsibull-docs writes it."""
    return (
        str(default).lower() if isinstance(default, bool | int) else yaml.safe_dump(default, default_style='"').strip()
    )


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_s_page_has_every_variable_and_its_plain_default(role: Path) -> None:
    page = html.unescape((PROJECT / reference.PAGES / f"{role.name}_role.rst").read_text())
    for name, default in yaml_files.read(role / "defaults/main.yml").items():
        assert f"<strong>{name}</strong>" in page, REMEDY
        if isinstance(default, bool | int) or (isinstance(default, str) and default and "{{" not in default):
            assert str(shown(default)) in page.partition(f"<strong>{name}</strong>")[2].partition("</tr>")[0], REMEDY


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the reference is made of, and the reference."""
    for name in ("roles", "plugins", "docs/reference"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "galaxy.yml", tmp_path)
    return tmp_path


def test_a_default_that_is_changed_makes_its_role_s_page_stale(clone: Path) -> None:
    defaults = clone / "roles/docker_engine/defaults/main.yml"
    defaults.write_text(
        defaults.read_text().replace("docker_engine_conflicts: refuse", "docker_engine_conflicts: replace")
    )
    assert reference.stale(clone) == ["docker_engine_role.rst"]


def test_documentation_that_is_changed_makes_its_module_s_page_stale_and_other_code_does_not(clone: Path) -> None:
    module = clone / "plugins/modules/docker_daemon.py"
    module.write_text(module.read_text() + '\nSOCKET = "/run/x.sock"\n')
    assert reference.stale(clone) == []
    module.write_text(module.read_text().replace("short_description: ", "short_description: Also ", 1))
    assert reference.stale(clone) == ["docker_daemon_module.rst"]


def test_a_page_that_was_edited_or_has_no_source_is_stale(clone: Path) -> None:
    edited = clone / "docs/reference/docker_access_role.rst"
    edited.write_text(edited.read_text() + "By hand.\n")
    (clone / "docs/reference/docker_gone_role.rst").write_text("Gone.\n")
    assert reference.stale(clone) == ["docker_access_role.rst", "docker_gone_role.rst"]


@pytest.mark.parametrize(
    ("program", "message"),
    [(None, "antsibull-docs is not installed: run make docs"), ("exit 3", "antsibull-docs failed with exit status 3")],
)
def test_pages_stay_where_the_reference_cannot_be_made(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, message: str
) -> None:
    if program:
        (tmp_path / "antsibull-docs").write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / "antsibull-docs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(reference.ToolError, match=message):
        reference.write(clone)
    assert reference.stale(clone) == []


def test_a_docstring_may_state_several_faults_beside_other_paragraphs() -> None:
    text = "Fault: a disk is\nfull. Outcome: it waits. Fault: it breaks. Outcome: it\nsays so.\n\nOf version 20.10."
    assert list(reliability.stated(text, "here")) == [
        ("a disk is full", "it waits"),
        ("it breaks", "it says so"),
    ]


@pytest.mark.parametrize(
    "text",
    ["Fault: a disk is full.", "Outcome: it waits.", "Fault: it breaks.\n\nOutcome: it waits.", "Fault: x Outcome: y"],
)
def test_a_docstring_with_half_a_fault_is_named(text: str) -> None:
    with pytest.raises(reliability.DocstringError, match=r"tests/test_x\.py:7"):
        list(reliability.stated(text, "tests/test_x.py:7"))


def test_a_fault_of_two_tests_is_one_line() -> None:
    faults = [reliability.Fault("it breaks", "it waits", f"tests/lab/test_{name}.py") for name in ("daemon", "budget")]
    page = reliability.render(faults)
    assert "| It breaks | It waits | `lab/test_daemon.py`, `lab/test_budget.py` |" in page
    assert page.count("\n## ") == 1


def test_a_fault_that_no_section_lists_is_named() -> None:
    with pytest.raises(reliability.DocstringError, match=r"tests/lab/test_new\.py"):
        reliability.render([reliability.Fault("it breaks", "it waits", "tests/lab/test_new.py")])
