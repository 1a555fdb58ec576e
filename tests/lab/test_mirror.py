# SPDX-License-Identifier: Apache-2.0
"""A mirror serves what was chosen and was verified, and goes on doing so whatever happens to a later run."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from slipway.lab import hosts, inventory, play, proxy
from slipway.lab.paths import PROJECT
from slipway.lab.workbench import Workbench

pytestmark = pytest.mark.slow
PLAYBOOK = PROJECT / "playbooks/mirror.yml"
SOURCE = "https://download.docker.com"
NAME = "packages.slipway.test"  # of one host only: a name that two have leads to either
ROOT = "/var/www/slipway-mirror"
TREE = f"{ROOT}/linux/centos/9/x86_64"
PATIENCE_SECONDS = 60


class Mirror:
    """A host that can be made a mirror, and the variables that every run of mirror.yml on it has."""

    def __init__(self, workbench: Workbench, name: str, *, alias: str | None = None) -> None:
        self.host = workbench.make(name, isolated_alias=alias)
        self.host.sh(
            "printf '[baseos]\nname=BaseOS\nbaseurl=https://download.docker.com/baseos\n"
            "gpgcheck=1\ngpgkey=https://download.docker.com/baseos/gpg\n' >/etc/yum.repos.d/baseos.repo"
        )
        self.inventory = self.host.inventory.with_name("mirrors.yml")
        inventory.write(self.inventory, [self.host.name], workbench.lab, "docker_mirrors")
        self.variables: dict[str, Any] = {
            "docker_mirror_gpg_fingerprint": workbench.fingerprint,
            "docker_mirror_releases": {"centos": ["9"]},
            "docker_mirror_versions": ["20.10"],
            "docker_mirror_server_names": [NAME],
        }

    def converge(self, *options: str, **variables: Any) -> play.Run:
        """Run mirror.yml."""
        return play.run(PLAYBOOK, self.inventory, self.variables | variables, list(options))

    def made(self, **variables: Any) -> play.Run:
        """Run mirror.yml, which must succeed."""
        run = self.converge(**variables)
        assert run.status == 0, run.output
        return run

    def module(self, *options: str, **arguments: Any) -> list[str]:
        """Run the module alone, which must succeed; return what changed. Without arguments, as mirror.yml does."""
        asked = {
            "source_root": f"{SOURCE}/linux",
            "directory": ROOT,
            "releases": self.variables["docker_mirror_releases"],
            "versions": self.variables["docker_mirror_versions"],
            "gpg_fingerprint": [self.variables["docker_mirror_gpg_fingerprint"]],
        }
        run = self.host.play({"slipway.platform.docker_mirror": asked | arguments}, options=options)
        assert run.status == 0, run.output
        return run.changed(self.host.name)

    def failure(self, run: play.Run) -> str:
        assert run.status != 0, run.output
        return run.failure(self.host.name)

    def versions(self, package: str = "docker-ce", tree: str = TREE, root: str = f"http://{NAME}") -> list[str]:
        """Return the versions of a package that clients of the mirror see."""
        url = tree.replace(ROOT, root)
        repository = f"--repofrompath=seen,{url}/stable --repo=seen --setopt=cachedir=$(mktemp --directory)"
        query = f"dnf --quiet {repository} repoquery --qf '%{{version}}' {package}"
        return self.host.sh(query).split()

    def content(self) -> str:
        """Return everything that lies in the mirror, by name and checksum."""
        return self.host.sh(f"ls -AR {ROOT}; find {ROOT} -type f | sort | xargs sha256sum")


@pytest.fixture(scope="module")
def fresh(workbench: Workbench) -> Mirror:
    """On which nothing may be changed."""
    return Mirror(workbench, "test-mirror-fresh")


@pytest.fixture(scope="module")
def mirror(workbench: Workbench) -> Mirror:
    """A mirror of 20.10, which every test leaves as one."""
    mirror = Mirror(workbench, "test-mirror", alias=NAME)
    mirror.made()
    return mirror


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)


# --- Refusals ---------------------------------------------------------------------------------------------------------

BAD_INPUT = {
    "no such version": (
        {"docker_mirror_versions": ["26.1", "99.9"]},
        ["docker-ce 99.9", "centos/9", "20.10.24, 26.1.5", "docker_mirror_versions"],
    ),
    "version that is no pin": ({"docker_mirror_versions": ["v26"]}, ["'v26'", "26.1.5", "docker_mirror_versions"]),
    "wrong key at the source": (
        {"docker_mirror_source_root": f"{SOURCE}/wrong-key/linux"},
        ["wrong-key/linux/centos/gpg", "fingerprint", "ask the repository's owner"],
    ),
    "fingerprint that is none": ({"docker_mirror_gpg_fingerprint": "abc"}, ["abc", "40"]),
    "key that is not there": ({"docker_mirror_gpg_key": "/root/no-key"}, ["/root/no-key", "copy it"]),
    "unreachable source": (
        {"docker_mirror_source_root": "https://localhost:9/linux"},
        ["https://localhost:9/linux/centos/gpg", "proxy"],
    ),
    "release that the source does not have": (
        {"docker_mirror_releases": {"centos": ["77"]}},
        ["linux/centos/77/x86_64/stable", "docker_mirror_releases"],
    ),
    "release that is no number": ({"docker_mirror_releases": {"centos": ["9/../.."]}}, ["9/../..", "major"]),
    "no release": ({"docker_mirror_releases": {"centos": []}}, ["docker_mirror_releases", "centos"]),
    "unknown family": ({"docker_mirror_releases": {"debian": ["12"]}}, ["debian", "centos, fedora, rhel"]),
    "unknown plugin": ({"docker_mirror_plugins": ["scan"]}, ["scan", "buildx, compose"]),
    "proxy that is no address": ({"docker_mirror_proxy": "proxy:3128"}, ["docker_mirror_proxy", "http://"]),
    "port out of range": ({"docker_mirror_port": 80000}, ["80000", "65535"]),
    "name that would break out": ({"docker_mirror_server_names": ["a; return 200"]}, ["a; return 200"]),
}


@pytest.mark.parametrize(("variables", "words"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_refused_before_anything_is_changed(
    fresh: Mirror, variables: dict[str, Any], words: list[str]
) -> None:
    look = "rpm --query --all | grep --invert-match gpg-pubkey | sort; ls /var /etc /etc/yum.repos.d"
    before = fresh.host.sh(look)
    failure = fresh.failure(fresh.converge(**variables))
    for word in words:
        assert word in failure
    assert fresh.host.sh(look) == before


@pytest.mark.parametrize("tree", ["unsigned", "other-signer", "tampered"])
def test_a_package_that_the_key_did_not_sign_is_never_served(mirror: Mirror, tree: str) -> None:
    """Fault: a mirror's source has packages that are unsigned, tampered with, renamed or signed by another key.
    Outcome: refused; what is served stays.

    The repository's metadata agree with the package; only its signature does not.
    """
    before = mirror.content()
    root = f"{SOURCE}/{tree}/linux"
    failure = mirror.failure(mirror.converge(docker_mirror_source_root=root, docker_mirror_versions=["26.1"]))
    for word in ("docker-ce-cli-26.1.5", root, "not signed by the pinned key", "is unchanged"):
        assert word in failure
    assert "containerd" not in failure
    assert mirror.content() == before


def test_what_others_have_put_there_is_left_alone(fresh: Mirror) -> None:
    foreign = "/srv/foreign/linux/centos/9/x86_64/stable/precious"
    fresh.host.sh(f"mkdir -p {foreign}")
    failure = fresh.failure(fresh.converge(docker_mirror_directory="/srv/foreign"))
    assert "move it away" in failure
    assert fresh.host.sh(f"ls -d {foreign}")
    assert fresh.host.run("rpm", "--query", "nginx")[0] == 1


# --- The mirror's life ------------------------------------------------------------------------------------------------


def test_check_mode_predicts_the_first_run_and_writes_nothing(fresh: Mirror) -> None:
    look = "rpm --query --all | grep --invert-match gpg-pubkey | sort; ls /var /etc"
    before = fresh.host.sh(look)
    run = fresh.converge("--check", "--diff")
    assert run.status == 0, run.output
    assert "docker-ce-20.10.24" in run.output
    assert {name.split(" | ")[0] for name in run.changed(fresh.host.name)} == {
        f"slipway.platform.docker_mirror : {phase}" for phase in ("Tree", "Server")
    }
    assert fresh.host.sh(look) == before


def test_a_second_run_changes_nothing_and_takes_five_trips(mirror: Mirror) -> None:
    run = mirror.made()
    assert run.changed(mirror.host.name) == []
    assert len(run.module_invocations(mirror.host.name)) == 5


def test_other_versions_and_trees_come_and_the_old_ones_go(mirror: Mirror) -> None:
    assert mirror.versions() == ["20.10.24"]
    more = {"docker_mirror_versions": ["26.1.5", "20.10"], "docker_mirror_releases": {"centos": ["9"], "rhel": ["10"]}}
    mirror.made(**more)
    assert sorted(mirror.versions()) == ["20.10.24", "26.1.5"]
    assert mirror.versions(tree=f"{ROOT}/linux/rhel/10/x86_64") == ["26.1.5"], "that tree never had 20.10"
    assert mirror.host.sh(f"ls {ROOT}/linux/rhel") == "10\ngpg"
    mirror.made(docker_mirror_versions=[], docker_mirror_plugins=[])
    assert mirror.versions("\\*") == ["1.7.24", "26.1.5"]
    assert mirror.host.sh(f"ls {ROOT}/linux") == "centos"
    mirror.made()
    assert mirror.versions() == ["20.10.24"]
    assert mirror.made().changed(mirror.host.name) == []


DAMAGE = {
    "a package is cut": f"truncate --size=1000000 {TREE}/stable/Packages/docker-ce-20*",
    "a package is gone": f"rm {TREE}/stable/Packages/docker-ce-20*",
    "a package is another one": f"cd {TREE}/stable/Packages; cp docker-ce-cli-20* docker-ce-20*",
    "the index is half": f"truncate --size=500 {TREE}/stable/repodata/repomd.xml",
    "the index is gone": f"rm -r {TREE}/stable/repodata",
    "the link is gone": f"rm {TREE}/stable",
    "a run was killed while it downloaded": f"mkdir -p {TREE}/.stable-x/Packages; cd {TREE}/.stable-x/Packages;"
    f"cp {TREE}/stable/Packages/* .; truncate --size=9999 docker-ce-20*",
    "a run was killed before it moved the link": f"ln -s .stable-x {TREE}/.stable; mv {TREE}/stable {TREE}/.stable",
    "the key is cut": f"truncate --size=100 {ROOT}/linux/centos/gpg",
    "the key is closed to the web server": f"chmod 600 {ROOT}/linux/centos/gpg",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_whatever_is_damaged_is_healed_by_the_next_run(mirror: Mirror, damage: str) -> None:
    """Fault: a package on the mirror is damaged in place. Outcome: the next run repairs it."""
    packages = f"cd {TREE}/stable && sha256sum Packages/*"
    before = mirror.host.sh(packages)
    mirror.host.sh(damage)
    assert mirror.module()
    assert mirror.host.sh(packages) == before
    assert mirror.versions() == ["20.10.24"]
    assert mirror.host.sh(f"ls -A {TREE} | wc --lines") == "2"
    assert mirror.host.sh(f"curl --silent --fail http://{NAME}/linux/centos/gpg")
    assert not mirror.module()


def test_metadata_are_signed_by_a_key_of_the_mirror_s_own_and_signed_again_when_damaged(mirror: Mirror) -> None:
    gpg = "gpg --homedir /root/own --batch --quiet --passphrase ''"
    mirror.host.sh(
        f"mkdir -m 700 /root/own; {gpg} --quick-generate-key mirror@site.test ed25519 sign never;"
        f"{gpg} --export-secret-keys --pinentry-mode loopback >/root/own.key; gpgconf --homedir /root/own --kill all"
    )
    keys = f"http://{NAME}/linux/centos/gpg-with-metadata"
    options = f"--setopt=seen.repo_gpgcheck=1 --setopt=seen.gpgkey={keys} --setopt=cachedir=$(mktemp --directory)"
    seen = f"--assumeyes --repofrompath=seen,http://{NAME}/linux/centos/9/x86_64/stable --repo=seen {options}"
    query = f"dnf --quiet {seen} repoquery --qf '%{{version}}' docker-ce"
    assert mirror.module(signing_key="/root/own.key")
    assert mirror.host.sh(query).splitlines()[-1] == "20.10.24"
    assert not mirror.module(signing_key="/root/own.key")
    assert mirror.host.sh("ls /run | grep --count slipway-mirror || true") == "0"

    mirror.host.sh(f"echo >>{TREE}/stable/repodata/repomd.xml")
    assert mirror.host.run("sh", "-c", query)[0] != 0
    assert mirror.module(signing_key="/root/own.key")
    assert mirror.host.sh(query).splitlines()[-1] == "20.10.24"
    refused = mirror.failure(mirror.converge(docker_mirror_signing_key=f"{ROOT}/linux/centos/gpg"))
    assert f"docker_mirror_signing_key {ROOT}/linux/centos/gpg cannot be used: it contains no secret key" in refused
    assert mirror.module()
    assert mirror.host.sh(f"find {ROOT} -name '*.asc' -o -name 'gpg-*'") == ""


def test_a_power_cut_in_mid_download_leaves_the_old_mirror_and_the_next_run_heals(mirror: Mirror) -> None:
    """Fault: a mirror's run is killed during a download. Outcome: what is served stays whole; the next run repairs the
    rest.
    """
    newer = {"docker_mirror_versions": ["26.1"]}
    run = threading.Thread(target=mirror.converge, kwargs=newer)
    run.start()
    wait_until(lambda: len(mirror.host.sh(f"ls -A {TREE}").split()) == 3, "a new folder beside the old one")
    mirror.host.container.kill()
    run.join()
    mirror.host.container.start()
    hosts.wait_until_booted(mirror.host.container)
    assert len(mirror.host.sh(f"ls -A {TREE}").split()) == 3
    assert mirror.versions() == ["20.10.24"]
    mirror.made(**newer)
    assert mirror.versions() == ["26.1.5"]
    assert len(mirror.host.sh(f"ls -A {TREE}").split()) == 2
    mirror.made()


def test_a_full_disk_leaves_the_old_mirror(mirror: Mirror) -> None:
    """Fault: the mirror's disk is full. Outcome: what is served stays whole.

    Looked at without the web server, to which a disk that is mounted later is hidden.
    """
    small = "/srv/small"
    mirror.host.sh(f"mkdir {small} && mount -t tmpfs -o size=150m tmpfs {small}")
    mirror.made(docker_mirror_directory=small)
    failure = mirror.failure(mirror.converge(docker_mirror_directory=small, docker_mirror_versions=["26.1"]))
    assert "is unchanged" in failure
    assert mirror.versions(root=f"file://{small}") == ["20.10.24"]
    assert len(mirror.host.sh(f"ls -A {TREE.replace(ROOT, small)}").split()) == 2
    mirror.made()
    mirror.host.sh(f"umount {small}; rmdir {small}")


def test_a_configuration_that_nginx_does_not_accept_is_not_left_behind(mirror: Mirror) -> None:
    look = "cat /etc/nginx/conf.d/slipway-mirror.conf; ls /etc/nginx/conf.d"
    mirror.host.sh("echo nonsense >/etc/nginx/conf.d/zzz.conf")
    before = mirror.host.sh(look)
    failure = mirror.failure(mirror.converge(docker_mirror_port=8008))
    assert "zzz.conf" in failure
    assert mirror.host.sh(look) == before
    mirror.host.sh("rm /etc/nginx/conf.d/zzz.conf")
    mirror.made(docker_mirror_port=8008)
    assert mirror.host.sh(f"curl --silent --fail http://{NAME}:8008/linux/centos/gpg")
    mirror.made()


def test_the_proxy_leads_to_the_source_and_its_password_stays_a_secret(workbench: Workbench, mirror: Mirror) -> None:
    proxy.start(workbench.lab)
    guarded = proxy.guarded(workbench.lab)
    assert guarded
    run = mirror.converge("-vvv", "--diff", docker_mirror_proxy=guarded, docker_mirror_plugins=["compose"])
    assert run.status == 0, run.output
    asked = {(request.address, request.user) for request in proxy.requests(workbench.lab)}
    assert ("download.docker.com:443", proxy.USER) in asked
    assert guarded.split(":")[2].split("@")[0] not in run.output
    mirror.made()


# --- Its clients ------------------------------------------------------------------------------------------------------


def test_a_mirror_without_the_key_gets_a_sentence_and_changes_no_host(workbench: Workbench, mirror: Mirror) -> None:
    client = workbench.make("test-mirror-client", isolated=True)
    before = client.sh("rpm --query --all; ls /etc/yum.repos.d /etc/pki/rpm-gpg")
    mirror.host.sh(f"mv {ROOT}/linux/centos/gpg /root/gpg")
    run = client.converge(docker_engine_repo_root=f"http://{NAME}/linux")
    mirror.host.sh(f"mv /root/gpg {ROOT}/linux/centos/gpg")
    assert run.status != 0
    for word in (f"http://{NAME}/linux/centos/gpg", "404", "docker_engine_repo_root", "Nothing was changed"):
        assert word in run.failure(client.name)
    assert client.sh("rpm --query --all; ls /etc/yum.repos.d /etc/pki/rpm-gpg") == before


# --- The module -------------------------------------------------------------------------------------------------------


def test_the_module_predicts_changes_once_and_is_done(mirror: Mirror) -> None:
    look = "find /srv/four-runs 2>&1 | sort"
    for chosen in ({"versions": ["20.10"]}, {"versions": ["26.1"], "plugins": ["compose"]}):
        arguments: dict[str, Any] = {"directory": "/srv/four-runs", **chosen}
        before = mirror.host.sh(look)
        assert mirror.module("--check", "--diff", **arguments)
        assert mirror.host.sh(look) == before
        assert mirror.module(**arguments)
        after = mirror.host.sh(look)
        assert after != before
        assert not mirror.module(**arguments)
        assert not mirror.module("--check", "--diff", **arguments)
        assert mirror.host.sh(look) == after
