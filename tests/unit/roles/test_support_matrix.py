# SPDX-License-Identifier: Apache-2.0
"""The support matrix stands in one file, and Galaxy's metadata say the same."""

from pathlib import Path

from tests.support import yaml_files

ROLE = Path(__file__).parents[3] / "roles/docker_engine"
MATRIX = yaml_files.read(ROLE / "vars/main.yml")
PLATFORMS = {platform["name"]: platform for platform in MATRIX["__docker_engine_platforms"].values()}
# Galaxy's names for what the facts call otherwise.
ENTERPRISE_LINUX = ("AlmaLinux", "CentOS", "OracleLinux", "RedHat", "Rocky")


def test_every_tree_has_its_architectures() -> None:
    named = {tree for entry in PLATFORMS.values() for tree in (entry["tree"], *entry.get("trees", {}).values())}
    assert named == set(MATRIX["__docker_engine_trees"])


def test_release_8_is_served_from_the_tree_that_docker_still_builds() -> None:
    """Docker has not built for CentOS 8 since engine 26.1.3."""
    for name in ENTERPRISE_LINUX:
        entry = PLATFORMS[name]
        assert entry.get("trees", {}).get("8", entry["tree"]) == "rhel"


def test_galaxy_metadata_names_the_same_releases() -> None:
    platforms = {
        platform["name"]: platform["versions"]
        for platform in yaml_files.read(ROLE / "meta/main.yml")["galaxy_info"]["platforms"]
    }
    for name in ENTERPRISE_LINUX:
        assert PLATFORMS[name]["releases"] == platforms["EL"]
    assert set(platforms) - {"EL"} == {"Amazon Linux", "Fedora"}
