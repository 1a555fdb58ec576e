# SPDX-License-Identifier: Apache-2.0
"""A cache of Docker Hub on one host, through which others pull: real engines, a real registry, the stand-in Hub."""

import contextlib
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.lab import hub, play
from slipway.lab.paths import PROJECT
from slipway.lab.play import Run, ok
from slipway.lab.workbench import LabHost, Workbench
from tests.support import certificates

PLAYBOOK = PROJECT / "playbooks/registry_cache.yml"
CHECK = "systemctl start slipway-registry-cache-check.service"
CHECK_LOG = ("--unit=slipway-registry-cache-check", "--output=cat", "--lines=9")
STATE = "/run/slipway-registry-cache/state.json"
WAIT = "timeout 60 sh -c 'until curl -s http://127.0.0.1:5001/debug/health >/dev/null; do sleep 0.1; done'"
DATA = "/var/lib/slipway-registry-cache"
HUB_NAME = "registry-1.docker.io"
PULL = "docker image rm --force hello-world >/dev/null 2>&1; docker pull --quiet hello-world"


class Site:
    """A cache, and hosts that pull through it."""

    def __init__(self, workbench: Workbench, folder: Path, cache: LabHost, clients: list[LabHost]) -> None:
        self.workbench, self.lab, self.cache, self.clients = workbench, workbench.lab, cache, clients
        self.address = f"{cache.name}:5000"
        self.inventory = folder / "hosts.yml"
        known = yaml.safe_load(cache.inventory.read_text())
        hosts = known["docker_hosts"]
        hosts["hosts"] = dict.fromkeys(client.name for client in clients)
        caches = {"hosts": {cache.name: None}, "vars": hosts["vars"]}
        self.inventory.touch(mode=0o600)
        self.inventory.write_text(yaml.safe_dump({"docker_hosts": hosts, "registry_caches": caches}))
        digest = hub.digest(self.lab, "library/registry")
        self.variables: dict[str, Any] = {
            "registry_cache_image": f"docker.io/library/registry@{digest}",
            "registry_cache_limit_gb": 1,
            "docker_engine_registry_mirrors": [f"https://{self.address}"],
        }

    def converge(self, *options: str, **variables: Any) -> Run:
        """Run the playbook on all hosts."""
        return play.run(PLAYBOOK, self.inventory, {**self.variables, **variables}, list(options))

    def role(self, *options: str, **variables: Any) -> Run:
        """Run the role on the cache alone."""
        ca = str(self.inventory.parent / ".registry-caches")
        return self.cache.apply(
            "registry_cache", *options, **{**self.variables, "registry_cache_ca_directory": ca, **variables}
        )

    def refused(self, **variables: Any) -> str:
        run = self.role(**variables)
        assert run.status != 0
        return run.failure(self.cache.name)

    def manifests_served(self) -> int:
        """Return how many manifests the Hub has given out so far: what its rate limit counts."""
        return len([line for line in hub.requests(self.lab) if '"GET /v2/' in line and "/manifests/" in line])

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Leave the hosts no way to the Hub: every packet to it is answered with a reset."""
        hosts = {host.name: host for host in (self.cache, *self.clients)}.values()
        hub_address = self.cache.sh(f"getent ahostsv4 {HUB_NAME} | head -1 | cut -d' ' -f1")
        rule = f"OUTPUT --destination {hub_address} --protocol tcp --jump REJECT --reject-with tcp-reset"
        for host in hosts:
            host.sh(f"iptables --insert {rule}")
        try:
            yield
        finally:
            for host in hosts:
                host.sh(f"iptables --delete {rule}")


@pytest.fixture(scope="module")
def site(workbench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A cache that pulls through itself, and another host that does."""
    cache, other = (workbench.make_converged(name) for name in ("test-cache", "test-cached"))
    made = Site(workbench, tmp_path_factory.mktemp("site"), cache, [cache, other])
    ok(made.converge())
    return made


def test_several_hosts_cost_the_hub_one_pull_and_none_where_it_cannot_be_reached(site: Site) -> None:
    """Fault: the way to Docker Hub is cut. Outcome: hosts pull what the cache has."""
    before = site.manifests_served()
    for client in site.clients:
        client.sh(PULL)
    assert site.manifests_served() - before == 1
    with site.cut():
        for client in site.clients:
            client.sh(PULL)
            assert client.run("docker", "pull", "ratelimitpreview/test")[0] != 0


@pytest.mark.slow
def test_a_second_run_changes_nothing_and_check_mode_predicts_a_change(site: Site) -> None:
    assert [ok(site.converge()).changed(host.name) for host in site.clients] == [[], []]
    predicted = ok(site.role("--check", "--diff", registry_cache_limit_gb=2))
    assert predicted.changed(site.cache.name)
    assert "2000000000" in predicted.output
    assert ok(site.role("--check")).changed(site.cache.name) == []


def test_what_cannot_work_is_refused_before_anything_is_changed(site: Site) -> None:
    """Fault: an unpinned image, a certificate for another name or one that has ended, a port in use, a disk that is too
    small, credentials that everyone would share or that are wrong. Outcome: refused with the remedy; the cache runs on.
    """
    look = "systemctl show --property=MainPID --value slipway-registry-cache; sha256sum /etc/slipway/registry-cache/*"
    before = site.cache.sh(look)
    now = datetime.datetime.now(datetime.UTC)
    tls = {
        "other": certificates.with_key(now + datetime.timedelta(days=9), "other.example.com"),
        "good": certificates.with_key(now + datetime.timedelta(days=9), site.cache.name),
        "ended": certificates.with_key(now - datetime.timedelta(days=1), site.cache.name),
    }
    login = {"registry_cache_username": "alice", "registry_cache_password": "wrong-password"}
    cases: dict[str, dict[str, Any]] = {
        "is not pinned by a digest": {"registry_cache_image": "docker.io/library/registry:2"},
        "is not for": {"registry_cache_tls": tls["other"]},
        "has ended": {"registry_cache_tls": tls["ended"]},
        "does not belong to its cert": {"registry_cache_tls": {**tls["good"], "key": tls["other"]["key"]}},
        "Port 2222 of registry_cache_port is in use": {"registry_cache_port": 2222},
        "has room for": {"registry_cache_limit_gb": 10**6},
        "serves every image that these may pull": login,
        "rejected the credentials": {**login, "registry_cache_private_images_confirmed": True},
    }
    listener = "import socket, time; s = socket.socket(); s.bind(('', 2222)); s.listen(); time.sleep(600)"
    site.cache.sh(f'systemd-run --unit=taken --collect python3 -c "{listener}"')
    try:
        said = site.cache.refusals(
            "registry_cache", {reason: {**site.variables, **variables} for reason, variables in cases.items()}
        )
    finally:
        site.cache.sh("systemctl stop taken")
    assert {reason: message for reason, message in said.items() if reason not in message} == {}
    assert site.cache.sh(look) == before


@pytest.mark.slow
def test_a_cache_that_does_not_start_runs_with_the_settings_of_before(site: Site) -> None:
    """Fault: the image holds no registry. Outcome: the play fails with the reason; the cache runs as before."""
    image = f"docker.io/library/hello-world@{hub.digest(site.lab)}"
    message = site.refused(registry_cache_image=image)
    assert "/bin/registry" in message
    assert "runs with the settings of before" in message
    assert ok(site.role()).changed(site.cache.name) == []
    site.clients[1].sh(PULL)


@pytest.mark.slow
def test_check_mode_predicts_on_a_host_without_an_engine_and_a_run_says_what_to_do(
    site: Site, fresh_host: LabHost, tmp_path: Path
) -> None:
    variables = {**site.variables, "registry_cache_ca_directory": str(tmp_path)}
    assert ok(fresh_host.apply("registry_cache", "--check", "--diff", **variables)).changed(fresh_host.name)
    message = fresh_host.apply("registry_cache", **variables).failure(fresh_host.name)
    assert "run the role docker_engine first" in message


@pytest.mark.slow
def test_the_host_of_the_cache_boots_without_the_hub_and_caches_again_when_it_answers(site: Site) -> None:
    """Fault: the host of the cache boots while Docker Hub cannot be reached. Outcome: the cache serves what it has,
    says so by a failed unit, and caches again as soon as the Hub answers.
    """
    site.clients[1].sh(PULL)
    # A route to nowhere is gone after a boot of a real host; here, the network is that of the container.
    with site.cut():
        site.cache.sh("systemctl restart slipway-registry-cache")
        site.cache.sh(WAIT)
        site.clients[1].sh(PULL)
        assert site.cache.run("sh", "-c", CHECK)[0] != 0
        assert "does not answer, so the cache serves only what it has" in site.cache.journal(*CHECK_LOG)
        warned = ok(site.role())
        assert warned.changed(site.cache.name) == []
        assert "serves only what it has" in warned.warnings(site.cache.name)[0]
    site.cache.sh(CHECK)
    site.cache.sh(f"until grep -q false {STATE}; do sleep 0.2; done; {WAIT}; {CHECK}")
    site.cache.reboot()
    site.cache.sh(WAIT)
    site.clients[1].sh(PULL)


@pytest.mark.slow
def test_a_cache_beyond_its_limit_loses_what_was_not_used_for_longest(site: Site) -> None:
    """Fault: the cache has grown beyond its limit. Outcome: the oldest blobs are removed; one that is asked for again
    is fetched again.
    """
    site.clients[1].sh(PULL)
    blobs = f"{DATA}/docker/registry/v2/blobs/sha256"
    old, new = f"{blobs}/aa/{'a' * 64}", f"{blobs}/bb/{'b' * 64}"
    layer = site.cache.sh(f"find {blobs} -name data -size +500k | head -1")
    site.cache.sh(f"mkdir -p {old} {new}; truncate -s 900M {old}/data; truncate -s 700M {new}/data")
    site.cache.sh(f"touch -d '-3 days' {layer}; touch -d '-2 days' {old}/data; touch -d '-1 hour' {new}/data; {CHECK}")
    assert site.cache.run("ls", layer)[0] != 0
    assert site.cache.run("ls", old)[0] != 0
    assert site.cache.run("ls", new)[0] == 0
    site.clients[1].sh(PULL)
    site.cache.sh(f"until test -e {layer}; do sleep 0.1; done; rm -r {new}")


@pytest.mark.slow
def test_hosts_get_their_images_while_the_disk_of_the_cache_is_full(site: Site) -> None:
    """Fault: the disk of the cache is full. Outcome: hosts get their images all the same, and the check of the cache
    says so; the cache is well again when it has space.
    """
    unit = "slipway-registry-cache"
    site.cache.sh(f"mount -t tmpfs -o size=64k none {DATA}; head -c 65536 /dev/zero > {DATA}/full || true")
    try:
        site.cache.sh(f"systemctl restart {unit}; {WAIT}")
        site.clients[1].sh(PULL)
        assert site.cache.run("sh", "-c", CHECK)[0] != 0
        assert "is full, so the cache stores nothing more" in site.cache.journal(*CHECK_LOG)
    finally:
        site.cache.sh(f"systemctl stop {unit}; umount {DATA}; systemctl start {unit}; {WAIT}")
    site.clients[1].sh(PULL)
    site.cache.sh(CHECK)


@pytest.mark.slow
def test_private_images_are_for_everyone_who_gets_in_and_client_certificates_decide_who_does(site: Site) -> None:
    """Fault: a cache has upstream credentials. Outcome: everyone whom it lets in gets private images, which needs a
    confirmation; with client certificates, only hosts that have one get in. What was pulled with an account stays
    behind them.
    """
    pull = "docker image rm --force alice/private >/dev/null 2>&1; docker pull --quiet alice/private"
    secret = hub.credentials(site.lab)["alice"]
    login = {"registry_cache_username": "alice", "registry_cache_password": secret}
    with_key = certificates.with_key(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=9), "client")
    other = site.clients[1]
    assert other.run("sh", "-c", pull)[0] != 0
    folder = f"/etc/docker/certs.d/{site.address}"
    printed = site.role("-vvv", "--diff", **login, registry_cache_client_ca=with_key["ca"])
    assert ok(printed).changed(site.cache.name)
    assert secret not in printed.output
    assert site.cache.sh("stat -c '%U %a' /etc/slipway/registry-cache/config.json") == "root 600"
    assert site.cache.sh("ls /proc/[0-9]*/cmdline | xargs cat 2>/dev/null | tr '\\0' ' '").count(secret) == 0
    assert other.run("sh", "-c", pull)[0] != 0
    for name in ("cert", "key"):
        other.sh(f"cat > {folder}/client.{name} <<'END'\n{with_key[name]}END")
    try:
        other.sh(pull)
        assert site.cache.run("sh", "-c", pull)[0] != 0
    finally:
        other.sh(f"rm {folder}/client.cert {folder}/client.key")
    answer = json.dumps({"Username": "alice", "Secret": secret})
    helper = "/usr/local/bin/docker-credential-lab"
    site.cache.sh(f"cat > {helper} <<'END'\n#!/bin/sh\necho '{answer}'\nEND\nchmod 755 {helper}")
    ok(site.role(registry_cache_helper="lab", registry_cache_private_images_confirmed=True))
    assert json.loads(site.cache.sh("cat /run/slipway-registry-cache/config.json"))["proxy"]["username"] == "alice"
    site.cache.sh(pull)
    assert "has images that were pulled with an account" in site.refused()
    ok(site.role(registry_cache_state="absent", registry_cache_purge_data=True))
    ok(site.converge())
    assert site.cache.run("sh", "-c", pull)[0] != 0


@pytest.mark.slow
def test_behind_an_air_gap_hosts_pull_what_the_list_has_by_its_tags(site: Site) -> None:
    """Fault: there is no way to Docker Hub at all. Outcome: a cache that was filled from a list serves it by its
    tags.
    """
    digest = hub.digest(site.lab)
    filled: dict[str, Any] = {
        "registry_cache_directory": "/var/lib/slipway-airgap",
        "registry_cache_images": [{"name": "library/hello-world", "digest": digest, "tags": ["1.0", "stable"]}],
        "registry_cache_read_only": True,
    }
    assert ok(site.role(**filled)).changed(site.cache.name)
    with site.cut():
        for client in site.clients:
            client.sh("docker pull --quiet hello-world:1.0; docker image rm --force hello-world:1.0")
            assert client.run("docker", "pull", "hello-world:other")[0] != 0
        assert ok(site.role(**filled)).changed(site.cache.name) == []
        more = [*filled["registry_cache_images"], {"name": "library/absent", "digest": digest}]
        assert "check the way to registry_cache_upstream" in site.refused(**{**filled, "registry_cache_images": more})
        site.clients[1].sh("docker pull --quiet hello-world:stable")
    assert "library/absent@" in site.refused(**{**filled, "registry_cache_images": more})
    ok(site.role())


@pytest.mark.slow
def test_a_certificate_of_the_user_is_served_and_hosts_trust_its_ca(site: Site) -> None:
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=90)
    tls = certificates.with_key(end, site.cache.name)
    ok(site.converge(registry_cache_tls=tls))
    site.clients[1].sh(PULL)
    with site.cut():
        site.clients[1].sh(PULL)
    served = site.cache.sh(f"openssl s_client -connect {site.address} </dev/null 2>/dev/null | openssl x509")
    assert served.strip() == tls["cert"].strip()
    ok(site.converge())
    with site.cut():
        site.clients[1].sh(PULL)


@pytest.mark.slow
def test_claims_about_the_cache_hold_and_fail_where_it_is_broken(site: Site) -> None:
    assert site.cache.verify("test_registry_cache.py", **site.variables).returncode == 0
    site.cache.sh("systemctl stop slipway-registry-cache")
    try:
        assert site.cache.verify("test_registry_cache.py", **site.variables).returncode == 1
    finally:
        site.cache.sh(f"systemctl start slipway-registry-cache; {WAIT}")


@pytest.mark.slow
def test_removal_keeps_the_data_unless_told_otherwise(site: Site) -> None:
    site.clients[1].sh(PULL)
    assert ok(site.role(registry_cache_state="absent")).changed(site.cache.name)
    assert site.cache.run("docker", "inspect", "slipway-registry-cache")[0] != 0
    assert site.cache.run("ls", "/etc/slipway/registry-cache")[0] != 0
    assert site.cache.sh(f"ls {DATA}/docker")
    assert ok(site.role(registry_cache_state="absent")).changed(site.cache.name) == []
    ok(site.role())
    site.clients[1].sh(PULL)
    ok(site.role(registry_cache_state="absent", registry_cache_purge_data=True))
    assert site.cache.run("ls", DATA)[0] != 0
