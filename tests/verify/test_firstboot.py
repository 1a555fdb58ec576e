# SPDX-License-Identifier: Apache-2.0
"""Claims about an instance with the role docker_firstboot."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

Variable = Callable[[str, Any], Any]


@pytest.fixture(scope="module")
def credentials(variable: Variable) -> list[dict[str, Any]]:
    """Return the configured credentials; skip the test if there are none."""
    listed: list[dict[str, Any]] = variable("docker_firstboot_credentials", [])
    if not listed:
        pytest.skip("the inventory sets no docker_firstboot_credentials")
    return listed


@pytest.fixture(scope="module")
def enabled(variable: Variable) -> None:
    if not variable("docker_firstboot_enabled", False):
        pytest.skip("the inventory does not enable docker_firstboot")


def test_users_have_the_credential_helper_and_no_stored_secret(host: Host, credentials: list[dict[str, Any]]) -> None:
    for entry in credentials:
        for user in entry.get("users", ["root"]):
            stored = json.loads(host.file(f"{host.user(user).home}/.docker/config.json").content_string)
            named = {key for key, helper in stored["credHelpers"].items() if helper == "slipway"}
            assert named
            assert not named & set(stored.get("auths", {}))


@pytest.mark.usefixtures("credentials")
def test_the_credentials_are_found_now_and_at_the_last_boot(host: Host) -> None:
    assert host.service("docker-auth-check").is_enabled
    assert host.check_output("systemctl show --property=Result --value docker-auth-check.service") == "success"
    found = host.run("docker-credential-slipway check")
    assert found.rc == 0, found.stdout


@pytest.mark.usefixtures("enabled")
def test_the_instance_is_ready_and_checked_at_every_boot(host: Host) -> None:
    ready = host.run("slipway-ready")
    assert ready.rc == 0, ready.stdout
    assert host.service("docker-firstboot").is_enabled
    assert json.loads(host.file("/run/slipway/ready.json").content_string)["state"] == "ready"


@pytest.mark.usefixtures("enabled")
def test_only_root_can_read_the_state_of_the_first_boot(host: Host) -> None:
    assert oct(host.file("/var/lib/slipway/firstboot").mode) == "0o700"
