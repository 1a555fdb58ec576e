# SPDX-License-Identifier: Apache-2.0
"""Only packages that a pinned key signed are installed, whatever the host, other repositories and servers offer."""

import base64
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import openpgp

from slipway.lab.play import ok
from slipway.lab.workbench import LabHost, Workbench
from tests.support.key_files import hidden

MIRROR = "https://download.docker.com"
OTHER_SIGNER = f"{MIRROR}/other-signer/linux"
# The key that has signed docker-ce-cli there.
STRANGERS_KEY = f"{MIRROR}/wrong-key/linux/centos/gpg"
STATE = "rpm --query --all | sort; ls /etc/yum.repos.d /etc/pki/rpm-gpg"
# rpm keeps imported keys among the packages, and dnf imports the pinned one when it downloads.
INSTALLED = "rpm --query --all | grep --invert-match gpg-pubkey | sort"
SIGNED_BY = "rpm --query --queryformat '%{RSAHEADER:pgpsig}' docker-ce-cli"
STRANGER = "/etc/yum.repos.d/stranger.repo"


def key(host: LabHost, address: str) -> bytes:
    return bytes(openpgp.dearmor(base64.b64decode(host.sh(f"curl --silent --fail {address} | base64"))))


@pytest.fixture(scope="module")
def host(workbench: Workbench) -> LabHost:
    """A host that trusts the stranger's key, as it would after an installation from that stranger's repository."""
    host = workbench.make("test-signers")
    host.sh(f"curl --silent --fail {STRANGERS_KEY} >/root/stranger; rpmkeys --import /root/stranger")
    return host


def stranger(host: LabHost, repo_id: str) -> None:
    """Give the host a repository that dnf prefers, and whose signatures it does not verify."""
    host.sh(
        f"printf '[{repo_id}]\nname=stranger\nbaseurl={OTHER_SIGNER}/centos/9/x86_64/stable\ngpgcheck=0\npriority=1\n' "
        f">{STRANGER}"
    )


# Those that rpm 4.18 to 6.1, dnf 4.14 or dnf5 5.4 take the hidden key from.
WAYS = ["begin line with two carriage returns", "unknown packet before the key", "private key block"]


@pytest.mark.slow
def test_a_key_file_that_hides_a_second_key_is_refused(host: LabHost, workbench: Workbench) -> None:
    """Fault: a key file that hides a second key. Outcome: refused; no package is installed and no engine is stopped."""
    files = hidden(key(host, f"{MIRROR}/linux/centos/gpg"), key(host, STRANGERS_KEY))
    for number, way in enumerate(WAYS):
        host.sh(f"echo {base64.b64encode(files[way]).decode()} | base64 --decode >/root/hidden-{number}")
    before = host.sh(STATE)
    repository: dict[str, Any] = {
        "baseurl": f"{OTHER_SIGNER}/centos/9/$basearch/stable",
        "gpg_key": "/root/hidden-{{ item }}",
        "gpg_fingerprint": workbench.fingerprint,
    }
    task = {
        "slipway.platform.docker_package_repository": repository,
        "loop": list(range(len(WAYS))),
        "ignore_errors": True,
    }
    ((_, result),) = ok(host.play(task)).results(host.name)
    assert ["cannot be trusted" in refused["msg"] for refused in result["results"]] == [True] * len(WAYS)
    assert host.sh(STATE) == before


@pytest.mark.slow
def test_what_a_file_depends_on_is_verified_though_the_file_is_not(host: LabHost) -> None:
    """As host_metrics installs an agent from a file. docker-ce-cli, which docker-ce requires, is not signed there."""
    tree = f"{MIRROR}/unsigned/linux/centos/9/x86_64/stable"
    fetch = f"dnf --quiet --repofrompath=tree,{tree} --repo=tree repoquery --location docker-ce | grep 26.1"
    host.sh(f"curl --silent --fail --output /root/docker-ce.rpm $({fetch})")
    host.sh(
        f"printf '[tree]\nname=tree\nbaseurl={tree}\ngpgcheck=1\ngpgkey={MIRROR}/linux/centos/gpg\n'"
        " >/etc/yum.repos.d/tree.repo"
    )
    run = host.play({"slipway.platform.trusted_packages": {"packages": ["/root/docker-ce.rpm"]}})
    host.sh("rm /etc/yum.repos.d/tree.repo")
    assert "docker-ce-cli-26.1.5-1.el9.x86_64.rpm is not signed" in run.failure(host.name)
    assert host.run("rpm", "--query", "docker-ce", "docker-ce-cli")[0] == 2


def test_a_package_that_only_the_host_trusts_is_not_installed(host: LabHost) -> None:
    """Fault: packages that are signed only by a key in the host's rpm database. Outcome: refused; no package is
    installed and no engine is stopped.

    Dnf would take it: the key that signed it is in rpm's database.
    """
    before = host.sh(INSTALLED)
    failure = host.converge(docker_engine_repo_root=OTHER_SIGNER).failure(host.name)
    for word in ("docker-ce-cli-26.1.5", "docker-ce-stable", "not signed by a pinned key"):
        assert word in failure
    assert "containerd" not in failure
    assert host.sh(INSTALLED) == before
    assert host.run("sh", "-c", "ls /var/cache/dnf/docker-ce-stable-*/packages/docker-ce-cli-*")[0] != 0


def test_a_second_definition_of_the_repository_is_refused_by_its_file(host: LabHost) -> None:
    """Fault: the repository's id is defined in a second file. Outcome: refused with the name of the file."""
    stranger(host, "docker-ce-stable")
    before = host.sh(STATE)
    failure = host.converge().failure(host.name)
    assert f"docker-ce-stable is also defined in {STRANGER}" in failure
    assert host.sh(STATE) == before


def test_the_engine_comes_from_its_repository_alone_and_other_keys_survive_its_removal(
    host: LabHost, workbench: Workbench
) -> None:
    """Fault: another repository has the engine packages, with a better priority and without signatures. Outcome: it is
    not used.
    """
    stranger(host, "stranger")
    ok(host.converge())
    assert host.sh(SIGNED_BY).endswith(str(workbench.fingerprint)[-16:].lower())
    assert "docker-ce-stable" in host.sh("dnf --quiet --cacheonly list --installed docker-ce-cli")
    keys = "rpm --query gpg-pubkey | sort"
    both = host.sh(keys).split()
    ok(host.play({"slipway.platform.docker_package_repository": {"state": "absent"}}))
    assert len(both) == 2
    assert host.sh(keys).split() == [name for name in both if str(workbench.fingerprint)[-8:].lower() not in name]
