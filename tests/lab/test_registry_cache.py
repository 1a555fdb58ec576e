# SPDX-License-Identifier: Apache-2.0
"""A cache of Docker Hub on one host, through which others pull: real engines, a real registry, the stand-in Hub."""

import contextlib
import datetime
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
        ca = str(self.inventory.parent / "registry-caches")
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


def test_a_second_run_changes_nothing_and_check_mode_predicts_a_change(site: Site) -> None:
    again = ok(site.role())
    assert again.changed(site.cache.name) == []
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
    site.cache.sh(f"systemd-run --unit=taken --collect python3 -c \"{listener}\"")
    try:
        said = site.cache.refusals(
            "registry_cache", {reason: {**site.variables, **variables} for reason, variables in cases.items()}
        )
    finally:
        site.cache.sh("systemctl stop taken")
    assert {reason: message for reason, message in said.items() if reason not in message} == {}
    assert site.cache.sh(look) == before


def test_a_cache_that_does_not_start_runs_with_the_settings_of_before(site: Site) -> None:
    """Fault: the image holds no registry. Outcome: the play fails with the reason; the cache runs as before."""
    image = f"docker.io/library/hello-world@{hub.digest(site.lab)}"
    message = site.refused(registry_cache_image=image)
    assert "/bin/registry" in message
    assert "runs with the settings of before" in message
    assert ok(site.role()).changed(site.cache.name) == []
    site.clients[1].sh(PULL)
