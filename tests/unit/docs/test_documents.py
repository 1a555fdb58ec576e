# SPDX-License-Identifier: Apache-2.0
"""What documents name is there: other documents, headings, files, variables, playbooks."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.docs import support
from slipway.lab.paths import PROJECT
from tests.support import yaml_files

ROLES = sorted(path.name for path in (PROJECT / "roles").iterdir() if path.is_dir())
DOCUMENTS = sorted(
    [
        PROJECT / "README.md",
        PROJECT / "CONTRIBUTING.md",
        *PROJECT.glob("roles/*/README.md"),
        *(path for path in (PROJECT / "docs").rglob("*.md") if "_build" not in path.parts),
    ]
)
VARIABLES = {name for path in PROJECT.glob("roles/*/defaults/main.yml") for name in yaml_files.read(path)}
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
VARIABLE = re.compile(rf"(?<![\w/.-])(?:{'|'.join(ROLES)})_\w+")
# What begins like a variable of a role, and is a tag, a module, a group of the inventory, or a page.
OTHER = re.compile(
    r"ami_publish_(images|backup|prune|report)$|docker_swarm_(managers|workers|node|info|secrets|backup|unlock_key)$"
    r"|\w+_(role|module)$|machine_image_(seal|check|manifest)$"
)
PLACE = re.compile(
    r"`((?:docs|dockerfiles|files|inventory|molecule|packer|playbooks|plugins|roles|src|tests)/[\w./-]*)`"
)
# What commands of the documents make.
MADE = {"docs/_build/html", "dockerfiles/digests.json", "inventory/lab/hosts.yml"}
PLAYBOOK = re.compile(r"\bplaybooks/\w+\.yml")


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as code hosts and the site make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path) -> Iterator[str]:
    for link in LINK.finditer(FENCE.sub("", path.read_text())):
        file, _, anchor = link["target"].partition("#")
        if re.match(r"[a-z]+:", file):
            continue
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link["target"]


def test_the_readme_is_one_page() -> None:
    assert len((PROJECT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    assert list(broken_links(path)) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_variable_of_a_role_exists(path: Path) -> None:
    named = {found for found in VARIABLE.findall(path.read_text()) if not OTHER.match(found)}
    assert named - VARIABLES - set(ROLES) == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_file_and_playbook_of_the_clone_exists(path: Path) -> None:
    text = path.read_text()
    named = {*PLACE.findall(text), *PLAYBOOK.findall(text)} - MADE
    assert [place for place in sorted(named) if not any(PROJECT.glob(place.rstrip("/")))] == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_a_short_readme_that_leads_to_its_page(role: str) -> None:
    lines = (PROJECT / "roles" / role / "README.md").read_text().splitlines()
    assert len(lines) <= 12
    assert f"(../../docs/reference/{role}_role.rst)" in "\n".join(lines)


@pytest.mark.parametrize("path", sorted((PROJECT / "docs/iam").glob("*.json")), ids=lambda path: path.name)
def test_a_policy_is_complete_and_shown_by_a_guide(path: Path) -> None:
    policy = json.loads(path.read_text())
    assert policy["Version"] == "2012-10-17"
    for statement in policy["Statement"]:
        assert (
            {"Effect", "Action", "Resource"} <= set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        )
    guides = "".join(guide.read_text() for guide in (PROJECT / "docs/guides").glob("*.md"))
    assert f"{{literalinclude}} ../iam/{path.name}" in guides


def test_lists_that_age_have_the_date_that_their_file_says() -> None:
    rows = re.findall(
        r"^\| [^|]+ \| `([^`]+)` \| [^|]+ \| ([0-9-]{10}) \|$",
        (PROJECT / "docs/development/lists.md").read_text(),
        re.MULTILINE,
    )
    assert len(rows) == 4
    assert [file for file, date in rows if date not in (PROJECT / file).read_text()] == []


EXAMPLES = [*DOCUMENTS, *PROJECT.glob("inventory/example/**/*.yml")]
PIN = re.compile(r'(?:docker_engine_version: |docker_mirror_versions: \[)"([\d.]+)"')


@pytest.mark.parametrize("path", [path for path in EXAMPLES if PIN.search(path.read_text())], ids=name)
def test_an_example_pins_the_current_major(path: Path) -> None:
    current = support.load(PROJECT)[1]["engines"][-1].partition(".")[0]
    assert {pin.partition(".")[0] for pin in PIN.findall(path.read_text())} == {current}
