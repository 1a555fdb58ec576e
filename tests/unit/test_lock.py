# SPDX-License-Identifier: Apache-2.0
"""The lock files: what they cover, without an index."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from slipway.lab.paths import PROJECT

EVERYTHING = PROJECT / "requirements.txt"
TOOLBOX = PROJECT / "dockerfiles/contexts/toolbox/requirements.txt"
PACKAGE = re.compile(
    r"^(?P<requirement>[a-z0-9][^\\\n]*) \\\n(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")


def locked(file: Path) -> dict[NormalizedName, tuple[Requirement, set[str]]]:
    """Each package's line and hashes, by its name."""
    packages = {}
    for found in PACKAGE.finditer(file.read_text()):
        requirement = Requirement(found["requirement"])
        packages[canonicalize_name(requirement.name)] = requirement, set(re.findall("[0-9a-f]{64}", found["hashes"]))
    return packages


def wanted_by_the_project() -> list[Requirement]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return [Requirement(line) for line in (*project["dependencies"], *project["optional-dependencies"]["dev"])]


def dependencies(of: Requirement) -> list[Requirement]:
    """What an installed package needs; nothing for one that this machine has no use for."""
    try:
        lines = metadata.requires(of.name) or []
    except metadata.PackageNotFoundError:
        return []
    return [Requirement(line) for line in lines]


def holds(requirement: Requirement, environment: dict[str, str], extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate(environment | {"extra": extra}) for extra in extras or {""})


def needed(roots: list[Requirement], environment: dict[str, str]) -> set[str]:
    """The names of the packages that requirements lead to, on a machine like that."""
    seen: set[tuple[str, str]] = set()
    waiting = [root for root in roots if holds(root, environment, set())]
    while waiting:
        requirement = waiting.pop()
        key = (canonicalize_name(requirement.name), str(sorted(requirement.extras)))
        if key not in seen:
            seen.add(key)
            waiting += [line for line in dependencies(requirement) if holds(line, environment, requirement.extras)]
    return {name for name, _ in seen}


@pytest.mark.parametrize("file", [EVERYTHING, TOOLBOX], ids=lambda file: file.parent.name)
def test_a_lock_has_versions_hashes_and_wheels_alone_and_no_address(file: Path) -> None:
    header, rest = re.split(r"(?<=\n)\n", file.read_text(), maxsplit=1)
    assert header.splitlines()[-1] == "--only-binary :all:"
    assert PACKAGE.sub("", rest) == ""
    assert not re.search(r"https?:|file:|index|find-links|trusted-host", file.read_text())
    for requirement, _ in locked(file).values():
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("file", "roots"),
    [(EVERYTHING, wanted_by_the_project()), (TOOLBOX, [Requirement("ansible-core")])],
    ids=["everything", "toolbox"],
)
def test_a_lock_covers_whatever_is_needed_and_no_more(
    file: Path, roots: list[Requirement], python: str, machine: str
) -> None:
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_machine": machine,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    held = {name for name, (line, _) in locked(file).items() if holds(line, environment, set())}
    assert held == needed(roots, environment)


def test_the_toolbox_has_the_files_that_the_project_is_tested_with() -> None:
    everything = locked(EVERYTHING)
    for name, (requirement, hashes) in locked(TOOLBOX).items():
        assert requirement.specifier == everything[name][0].specifier
        assert hashes == everything[name][1]
