# SPDX-License-Identifier: Apache-2.0
"""Bad input gets a clear sentence with the remedy, and the host stays as it was."""

from typing import Any

import pytest

from slipway.lab.workbench import LabHost, Workbench

MIRROR = "https://download.docker.com"


def state(host: LabHost) -> str:
    """Return what a refusal must leave alone: packages, configuration, and the running daemon."""
    return host.sh(
        "rpm --query --all | sort;"
        "systemctl show docker.service --property=MainPID,ActiveState;"
        "find /etc/docker /etc/yum.repos.d /etc/pki/rpm-gpg /etc/systemd/system -type f 2>/dev/null | sort"
        " | xargs --no-run-if-empty sha256sum"
    )


BAD_INPUT: dict[str, tuple[dict[str, Any], list[str]]] = {
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
    "port without client certificates": (
        {"docker_engine_daemon_options": {"hosts": ["fd://", "tcp://0.0.0.0:2375"], "tls": True}},
        ["tcp://0.0.0.0:2375", "tlsverify", "docker_access_tls", "docker_engine_open_api_confirmed"],
    ),
    "three mistakes at once": (
        {
            "docker_engine_purge_data": True,
            "docker_engine_daemon_options": {"log-drvier": "journald"},
            "docker_engine_proxy": {"http": "proxy:3128"},
        },
        ["docker_engine_state: absent only", "'log-driver'", "docker_engine_proxy.http must be a proxy address"],
    ),
    "options that are no dict": ({"docker_engine_daemon_options": "debug"}, ["docker_engine_daemon_options"]),
}


@pytest.fixture(scope="module")
def refusals(fresh_host: LabHost) -> dict[str, str]:
    """What docker_engine says of each bad input; the host is as it was before them."""
    before = state(fresh_host)
    said = fresh_host.refusals("docker_engine", {case: variables for case, (variables, _) in BAD_INPUT.items()})
    assert state(fresh_host) == before
    return said


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_refused_before_anything_is_changed(refusals: dict[str, str], case: str) -> None:
    """Fault: invalid input, such as a version that does not exist or a key with another fingerprint. Outcome: refused
    with the remedy; nothing changes.
    """
    for word in BAD_INPUT[case][1]:
        assert word in refusals[case]


def test_bad_input_ends_a_run_of_the_site(fresh_host: LabHost) -> None:
    before = state(fresh_host)
    variables, words = BAD_INPUT["misspelt daemon option"]
    run = fresh_host.converge(**variables)
    assert run.status != 0
    for word in words:
        assert word in run.failure(fresh_host.name)
    assert state(fresh_host) == before


def test_an_unsupported_host_gets_one_sentence(workbench: Workbench) -> None:
    """Fault: an unsupported host: Debian, EL 6 or 7, 32 bits, no systemd. Outcome: rejected in one sentence; nothing
    changes.

    Which hosts are supported, tests/unit/plugins/module_utils/preflight/test_platform.py tells.
    """
    host = workbench.make("test-unsupported")
    host.sh("sed --in-place 's/^VERSION_ID=.*/VERSION_ID=7/' /etc/os-release")
    before = state(host)
    run = host.converge()
    assert run.status != 0
    message = run.failure(host.name)
    assert "CentOS Stream 7 on x86_64 with systemd is not supported" in message
    assert "Rocky 8/9/10" in message
    assert state(host) == before


# rpm keeps imported keys among the packages; the pinned one is there rightly.
INSTALLED = "rpm --query --all | grep --invert-match gpg-pubkey | sort"


@pytest.fixture(scope="module")
def own_host(workbench: Workbench) -> LabHost:
    """A host that gets the repository and its key, which would change what others test on a fresh one."""
    return workbench.make("test-refusals")


@pytest.mark.parametrize(
    ("tree", "words"),
    [("other-signer", ["docker-ce"]), ("unsigned", ["not signed"]), ("tampered", ["docker-ce"])],
)
def test_packages_that_the_key_did_not_sign_are_not_installed(own_host: LabHost, tree: str, words: list[str]) -> None:
    """Fault: packages that are unsigned, tampered with or signed by another key. Outcome: refused; no package is
    installed.

    The repository is in place by then; no package is.
    """
    packages = own_host.sh(INSTALLED)
    run = own_host.converge(docker_engine_repo_root=f"{MIRROR}/{tree}/linux")
    assert run.status != 0
    for word in words:
        assert word in run.failure(own_host.name)
    assert own_host.sh(INSTALLED) == packages


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        pytest.param({}, "docker_engine_repo_root", id="newest"),
        pytest.param({"docker_engine_version": "28.5"}, "fedora/45", id="pinned", marks=pytest.mark.slow),
    ],
)
def test_a_release_newer_than_all_known_needs_a_tree(
    workbench: Workbench, variables: dict[str, Any], words: str
) -> None:
    """Fault: a release of Fedora that came after this collection has no packages yet. Outcome: refused with the address
    that is missing; nothing changes.
    """
    host = workbench.make("test-newer")
    host.sh("sed --in-place 's/^ID=.*/ID=fedora/; s/^VERSION_ID=.*/VERSION_ID=45/' /etc/os-release")
    before = state(host)
    run = host.converge(**variables)
    assert run.status != 0
    assert "fedora/45" in run.failure(host.name)
    assert words in run.failure(host.name)
    assert state(host) == before
