# SPDX-License-Identifier: Apache-2.0
"""The support matrix stands in one file, and the documents say the same."""

from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[3]
ROLE = PROJECT / "roles/docker_engine"
PLATFORMS = yaml.safe_load((ROLE / "vars/main.yml").read_text())["__docker_engine_platforms"]
# Galaxy's names for what the facts call otherwise.
ENTERPRISE_LINUX = ("AlmaLinux", "CentOS", "OracleLinux", "RedHat", "Rocky")


def test_readme_lists_every_distribution_with_its_releases() -> None:
    readme = (PROJECT / "README.md").read_text()
    for name, platform in PLATFORMS.items():
        row = next((line for line in readme.splitlines() if line.startswith(f"| {name} |")), "")
        assert row, f"the support matrix of README.md has no row for {name}"
        assert row.split("|")[2].strip() == ", ".join(platform["releases"])


def test_galaxy_metadata_names_the_same_releases() -> None:
    platforms = {
        platform["name"]: platform["versions"]
        for platform in yaml.safe_load((ROLE / "meta/main.yml").read_text())["galaxy_info"]["platforms"]
    }
    for name in ENTERPRISE_LINUX:
        assert PLATFORMS[name]["releases"] == platforms["EL"]
    assert set(platforms) - {"EL"} == {"Amazon Linux", "Fedora"}
