# SPDX-License-Identifier: Apache-2.0
"""Bad input gets a clear sentence with the remedy, and the host stays as it was."""

from typing import Any

import pytest

from slipway.lab.workbench import LabHost

MIRROR = "https://download.docker.com"


def state(host: LabHost) -> str:
    """Return what a refusal must leave alone: packages, configuration, and the running daemon."""
    return host.sh(
        "rpm --query --all | sort;"
        "systemctl show docker.service --property=MainPID,ActiveState;"
        "find /etc/docker /etc/yum.repos.d /etc/pki/rpm-gpg /etc/systemd/system -type f 2>/dev/null | sort"
        " | xargs --no-run-if-empty sha256sum"
    )


BAD_INPUT = {
    "no such version": ({"docker_engine_version": "99.9"}, ["99.9", "26.1.5", "20.10.24", "docker_engine_version"]),
    "version with dist tag": ({"docker_engine_version": "3:26.1.5-1.el9"}, ["3:26.1.5-1.el9", "26.1.5"]),
    "misspelt daemon option": (
        {"docker_engine_daemon_options": {"log-drvier": "journald"}},
        ["log-drvier", "did you mean 'log-driver'"],
    ),
    "unreachable repository": (
        {"docker_engine_repo_root": "https://localhost:9/linux"},
        ["https://localhost:9/linux", "docker_engine_repo_root"],
    ),
    "wrong key at the key's URL": (
        {"docker_engine_repo_root": f"{MIRROR}/wrong-key/linux"},
        ["wrong-key/linux/centos/gpg", "fingerprint"],
    ),
    "fingerprint that is none": ({"docker_engine_gpg_fingerprint": "abc"}, ["abc", "40"]),
    "historic package without a mirror": ({"docker_engine_package": "docker-engine"}, ["docker_engine_repo_baseurl"]),
    "unknown package": ({"docker_engine_package": "podman"}, ["podman", "docker-ce, docker-engine"]),
    "unknown conflict policy": ({"docker_engine_conflicts": "maybe"}, ["maybe", "refuse, replace"]),
    "unknown plugin": ({"docker_engine_plugins": ["scan"]}, ["scan", "buildx, compose"]),
    "unknown service state": ({"docker_engine_service_state": "restarted"}, ["restarted", "started, stopped"]),
    "options that are no dict": ({"docker_engine_daemon_options": "debug"}, ["docker_engine_daemon_options"]),
}


@pytest.mark.parametrize(("variables", "words"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_refused_before_anything_is_changed(
    fresh_host: LabHost, variables: dict[str, Any], words: list[str]
) -> None:
    before = state(fresh_host)
    run = fresh_host.converge(**variables)
    assert run.status != 0
    for word in words:
        assert word in run.failure(fresh_host.name)
    assert state(fresh_host) == before


UNSUPPORTED = {
    "Debian": ({"distribution": "Debian", "distribution_version": "12.5"}, "Debian 12.5"),
    "EL 6": ({"distribution": "CentOS", "distribution_version": "6.10"}, "CentOS 6.10"),
    "EL 7": ({"distribution": "CentOS", "distribution_version": "7.9"}, "CentOS 7.9"),
    "32 bits": ({"architecture": "i686"}, "i686"),
    "no systemd": ({"service_mgr": "openrc"}, "openrc"),
}


@pytest.mark.parametrize(("facts", "word"), UNSUPPORTED.values(), ids=UNSUPPORTED.keys())
def test_an_unsupported_host_gets_one_sentence(fresh_host: LabHost, facts: dict[str, str], word: str) -> None:
    """Fault 15. The facts are those of such hosts; the lab has none of them."""
    before = state(fresh_host)
    supported = {
        "distribution": "CentOS",
        "distribution_version": "9",
        "distribution_major_version": "9",
        "architecture": "x86_64",
        "service_mgr": "systemd",
        "pkg_mgr": "dnf",
    }
    run = fresh_host.converge(ansible_facts={**supported, **facts})
    assert run.status != 0
    message = run.failure(fresh_host.name)
    assert word in message
    assert "Rocky 8/9/10" in message
    assert state(fresh_host) == before


# rpm keeps imported keys among the packages; the pinned one is there rightly.
INSTALLED = "rpm --query --all | grep --invert-match gpg-pubkey | sort"


@pytest.mark.parametrize(
    ("tree", "words"),
    [("other-signer", ["docker-ce"]), ("unsigned", ["not signed"]), ("tampered", ["docker-ce"])],
)
def test_packages_that_the_key_did_not_sign_are_not_installed(fresh_host: LabHost, tree: str, words: list[str]) -> None:
    """Fault 5. The repository is in place by then; no package is."""
    packages = fresh_host.sh(INSTALLED)
    run = fresh_host.converge(docker_engine_repo_root=f"{MIRROR}/{tree}/linux")
    assert run.status != 0
    for word in words:
        assert word in run.failure(fresh_host.name)
    assert fresh_host.sh(INSTALLED) == packages
