# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from fnmatch import fnmatchcase

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import rpm
from ansible_collections.slipway.platform.plugins.module_utils.packages.rpm import Package

CANDIDATES = [
    Package(name, epoch, version, "1.el9")
    for version in ("20.10.24", "26.1.4", "26.1.10", "26.10.0", "27.0.1~rc.1")
    for name, epoch in (("docker-ce", "3"), ("docker-ce-cli", "1"), ("docker-ce-rootless-extras", "0"))
]


def on_host(*packages: Package) -> dict[str, Package]:
    return {package.name: package for package in packages}


@pytest.mark.parametrize("pin", ["", "26.1", "26.1.5", "1.13.1", "17.03"])
def test_a_pin_of_two_or_three_numbers_is_valid(pin: str) -> None:
    assert rpm.pin_problem(pin) is None


@pytest.mark.parametrize("pin", ["26", "v26", "v26.1", "3:26.1.5-1.el9", "26.1.5-1.el9", "26.1.x", "latest", "26.1\n"])
def test_an_invalid_pin_is_reported_with_examples(pin: str) -> None:
    assert "write 26.1 or 26.1.5" in (rpm.pin_problem(pin) or "")


@pytest.mark.parametrize(
    ("version", "pin", "satisfied"),
    [
        ("26.1.5", "26.1", True),
        ("26.1.5", "26.1.5", True),
        ("26.10.0", "26.1", False),
        ("26.1.50", "26.1.5", False),
        ("18.06.3.ce", "18.06.3", True),
        ("1.13.1", "", True),
    ],
)
def test_a_pin_matches_up_to_a_dot(version: str, pin: str, satisfied: bool) -> None:
    assert Package("docker-ce", "3", version, "1.el9").satisfies(pin) is satisfied


def test_versions_sort_as_rpm_sorts_them() -> None:
    shuffled = ["1.10", "1.0a", "1.0", "1.9", "1.0~rc1", "1.0.1"]
    in_order = ["1.0~rc1", "1.0", "1.0a", "1.0.1", "1.9", "1.10"]
    assert sorted(shuffled, key=rpm.version_key) == in_order


def test_a_pin_selects_one_matching_set_with_its_newest_build() -> None:
    assert [build.spec for build in rpm.pinned_builds("docker-ce", "26.1", CANDIDATES)] == [
        "docker-ce-3:26.1.10-1.el9",
        "docker-ce-cli-1:26.1.10-1.el9",
        "docker-ce-rootless-extras-26.1.10-1.el9",
    ]


def test_extras_missing_from_the_repository_are_left_out() -> None:
    candidates = [item for item in CANDIDATES if item.name != "docker-ce-rootless-extras"]
    assert len(rpm.pinned_builds("docker-ce", "20.10", candidates)) == 2


def test_a_pin_without_a_match_is_reported_with_the_available_versions() -> None:
    assert rpm.pinned_builds("docker-ce", "99.9", CANDIDATES) == []
    message = rpm.no_such_version("docker-ce", "99.9", CANDIDATES, "https://x")
    assert "20.10.24, 26.1.4, 26.1.10, 26.10.0" in message
    assert "Set docker_engine_version to one of them." in message


def is_included(patterns: list[str], package: Package) -> bool:
    """Match includepkgs as dnf does: against the name, or against name, version and release."""
    nevr = f"{package.name}-{package.version}-{package.release}"
    return any(fnmatchcase(package.name, pattern) or fnmatchcase(nevr, pattern) for pattern in patterns)


@pytest.mark.parametrize("pin", ["20.10", "26.1", "26.1.4", "27.0", "26.1.40"])
def test_includepkgs_offers_only_builds_that_satisfy_the_pin(pin: str) -> None:
    patterns = rpm.include_patterns("docker-ce", pin)
    assert [is_included(patterns, item) for item in CANDIDATES] == [item.satisfies(pin) for item in CANDIDATES]


@pytest.mark.parametrize(
    "name",
    ["containerd.io", "docker-buildx-plugin", "docker-compose-plugin", "docker-model-plugin", "docker-scan-plugin"],
)
def test_a_pin_excludes_no_other_package(name: str) -> None:
    assert is_included(rpm.include_patterns("docker-ce", "26.1"), Package(name, "0", "1.7.24", "1.el9"))


@pytest.mark.parametrize("pin", ["", "26.1"])
def test_a_pin_of_containerd_restricts_it_and_nothing_else(pin: str) -> None:
    patterns = rpm.include_patterns("docker-ce", pin, "2.1")
    builds = [Package("containerd.io", "0", version, "1.el9") for version in ("1.7.28", "2.1.5", "2.2.1", "2.10.0")]
    assert [is_included(patterns, build) for build in builds] == [False, True, False, False]
    others = ("container-selinux", "docker-compose-plugin", "cri-tools", "compose", "runc", "docker-model-plugin")
    assert all(is_included(patterns, Package(name, "0", "1", "1")) for name in others)
    assert [is_included(patterns, item) for item in CANDIDATES] == [item.satisfies(pin) for item in CANDIDATES]


def test_the_least_version_that_a_package_requires_is_read() -> None:
    assert rpm.required_version("tar\ncontainerd.io >= 2.1.5\n", "containerd.io") == "2.1.5"
    assert rpm.required_version("containerd.io >= 0:1.6.24-1\n", "containerd.io") == "1.6.24"
    assert rpm.required_version("containerd.io\nxcontainerd.io >= 3\n", "containerd.io") is None


def test_a_pin_restricts_docker_engine() -> None:
    patterns = rpm.include_patterns("docker-engine", "17.05")
    assert is_included(patterns, Package("docker-engine", "0", "17.05.0.ce", "1.el7.centos"))
    assert not is_included(patterns, Package("docker-engine", "0", "17.06.0.ce", "1.el7.centos"))
    assert is_included(patterns, Package("docker-engine-selinux", "0", "17.06.0.ce", "1.el7.centos"))


def test_without_a_pin_nothing_is_restricted() -> None:
    assert rpm.include_patterns("docker-ce", "") == []


def test_a_repository_without_the_package_is_reported() -> None:
    assert "is not in https://x" in rpm.no_such_version("docker-ce", "26.1", [], "https://x")


def test_all_installed_packages_must_satisfy_the_pin() -> None:
    engine, client = Package("docker-ce", "3", "26.1.5", "1"), Package("docker-ce-cli", "1", "26.1.5", "1")
    extras = Package("docker-ce-rootless-extras", "0", "27.0.0", "1")
    assert rpm.pin_is_satisfied("docker-ce", "26.1", on_host(engine, client))
    assert rpm.pin_is_satisfied("docker-ce", "", on_host(engine, client))
    assert not rpm.pin_is_satisfied("docker-ce", "26.1", on_host(engine))
    assert not rpm.pin_is_satisfied("docker-ce", "26.1", on_host(engine, client, extras))


def test_query_output_is_parsed_despite_missing_packages() -> None:
    text = "package docker is not installed\ndocker-ce\t3\t26.1.5\t1.el9\n\nrunc\t4\t1.1.12\t1.el9\n"
    assert [package.spec for package in rpm.parse(text)] == ["docker-ce-3:26.1.5-1.el9", "runc-4:1.1.12-1.el9"]


def test_docker_engine_is_installed_without_plugins() -> None:
    assert rpm.wanted("docker-engine", ["compose"]) == ["docker-engine"]
    assert "docker-compose-plugin" in rpm.wanted("docker-ce", ["compose"])


@pytest.mark.parametrize("package", ["docker-ce", "docker-engine"])
def test_no_package_conflicts_with_itself(package: str) -> None:
    wanted = set(rpm.wanted(package, ["buildx", "compose"])) | set(rpm.PINNED[package])
    assert not wanted & set(rpm.CONFLICTING[package])


def test_podman_alone_does_not_conflict() -> None:
    assert not {"podman", "buildah"} & set(rpm.CONFLICTING["docker-ce"])


def test_conflicts_are_reported_with_version_and_remedy() -> None:
    installed = on_host(Package("podman-docker", "4", "4.9", "1"), Package("runc", "4", "1.1", "1"))
    message = rpm.conflict_problem("docker-ce", ["podman-docker", "runc"], installed)
    assert message.startswith("podman-docker-4.9 and runc-1.1 are installed and conflict with docker-ce: remove them")
    assert "docker_engine_conflicts: replace" in message
    assert rpm.conflict_problem("docker-ce", ["runc"], installed).startswith("runc-1.1 is installed and conflicts")


TWICE = [
    rpm.Package("docker-ce-cli", "1", "20.10.24", "1.el9"),
    rpm.Package("docker-ce-cli", "1", "26.1.5", "1.el9"),
    rpm.Package("containerd.io", "0", "1.7.24", "3.1.el9"),
]


@pytest.mark.parametrize(("pin", "kept", "left"), [("", "26.1.5", "20.10.24"), ("20.10", "20.10.24", "26.1.5")])
def test_of_two_builds_the_one_that_satisfies_the_pin_counts_as_installed(pin: str, kept: str, left: str) -> None:
    installed, superseded = rpm.split_superseded(TWICE, "docker-ce", pin)
    assert {name: package.version for name, package in installed.items()} == {
        "docker-ce-cli": kept,
        "containerd.io": "1.7.24",
    }
    assert [package.spec for package in superseded] == [f"docker-ce-cli-1:{left}-1.el9"]


def test_a_version_may_have_thousands_of_digits() -> None:
    """Fault: a repository has a version with thousands of digits, which Python does not convert. Outcome: compared."""
    versions = ["9" * 5000, "1" + "0" * 5000, "0" * 5000 + "7", "7.1", "7a"]
    assert sorted(versions, key=rpm.version_key) == ["0" * 5000 + "7", "7a", "7.1", "9" * 5000, "1" + "0" * 5000]
