# SPDX-License-Identifier: Apache-2.0
"""Claims about caches of Docker Hub (role registry_cache), and about the hosts that pull through them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

SETTINGS = "/etc/slipway/registry-cache"
SERVICE = "slipway-registry-cache"


@pytest.fixture
def settings(host: Host) -> dict[str, Any]:
    """What the cache on this host was told; without one, the claim is skipped."""
    file = host.file(f"{SETTINGS}/settings.json")
    if not file.exists:
        pytest.skip("there is no registry cache on this host")
    found: dict[str, Any] = json.loads(file.content_string)
    return found


def test_the_cache_runs_now_and_after_a_boot_and_is_well(host: Host, settings: dict[str, Any]) -> None:
    for unit in (f"{SERVICE}.service", f"{SERVICE}-check.timer"):
        assert host.service(unit).is_enabled
        assert host.service(unit).is_running
    health = f"curl --silent --fail http://127.0.0.1:{settings['metrics_port']}/debug/health"
    assert host.run(health).rc == 0
    assert host.run(f"systemctl is-failed {SERVICE}-check.service").rc != 0


@pytest.mark.usefixtures("settings")
def test_secrets_of_the_cache_are_for_root_alone(host: Host) -> None:
    for name in ("config.json", "environment", "tls.key"):
        file = host.file(f"{SETTINGS}/{name}")
        assert (file.user, oct(file.mode)) == ("root", "0o600")


def test_metrics_are_on_the_loopback_only(host: Host, settings: dict[str, Any]) -> None:
    assert "registry_http" in host.check_output(f"curl --silent http://127.0.0.1:{settings['metrics_port']}/metrics")
    listening = host.check_output(f"ss --listening --tcp --numeric 'sport = :{settings['metrics_port']}'")
    assert [line.split()[3] for line in listening.splitlines()[1:]] == [f"127.0.0.1:{settings['metrics_port']}"]


def test_the_cache_stays_within_its_limit(host: Host, settings: dict[str, Any]) -> None:
    used = host.check_output(f"du --summarize --block-size=1 --apparent-size {settings['directory']}").split()[0]
    assert int(used) <= settings["limit"] * 1.1


def test_every_mirror_answers_this_host_with_a_certificate_that_its_engine_trusts(
    host: Host, variable: Callable[[str, Any], Any]
) -> None:
    mirrors = variable("docker_engine_registry_mirrors", [])
    if not mirrors:
        pytest.skip("the inventory lists no docker_engine_registry_mirrors")
    for mirror in mirrors:
        folder = f"/etc/docker/certs.d/{mirror.removeprefix('https://').rstrip('/')}"
        options = [f"--cacert {folder}/ca.crt"] if host.file(f"{folder}/ca.crt").exists else []
        if host.file(f"{folder}/client.cert").exists:
            options.append(f"--cert {folder}/client.cert --key {folder}/client.key")
        assert host.check_output(f"curl --silent --show-error --fail {' '.join(options)} {mirror}/v2/") == "{}"
