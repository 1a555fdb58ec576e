# SPDX-License-Identifier: Apache-2.0
"""What role docker_firstboot promises of an instance."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

Variable = Callable[[str, Any], Any]


@pytest.fixture(scope="module")
def credentials(variable: Variable) -> list[dict[str, Any]]:
    """The credentials that must be found; a claim about none is skipped."""
    listed: list[dict[str, Any]] = variable("docker_firstboot_credentials", [])
    if not listed:
        pytest.skip("the inventory names no secret of AWS")
    return listed


@pytest.fixture(scope="module")
def enabled(variable: Variable) -> None:
    if not variable("docker_firstboot_enabled", False):
        pytest.skip("the inventory does not enable docker_firstboot")


def test_users_pull_with_the_helper_and_have_no_secret_of_it(host: Host, credentials: list[dict[str, Any]]) -> None:
    for entry in credentials:
        for user in entry.get("users", ["root"]):
            stored = json.loads(host.file(f"{host.user(user).home}/.docker/config.json").content_string)
            named = {key for key, helper in stored["credHelpers"].items() if helper == "slipway"}
            assert named
            assert not named & set(stored.get("auths", {}))


@pytest.mark.usefixtures("credentials")
def test_the_credentials_are_found_now_and_were_by_the_last_boot_that_looked(host: Host) -> None:
    assert host.service("docker-auth-check").is_enabled
    assert host.check_output("systemctl show --property=Result --value docker-auth-check.service") == "success"
    found = host.run("docker-credential-slipway check")
    assert found.rc == 0, found.stdout


@pytest.mark.usefixtures("enabled")
def test_the_instance_is_ready_and_will_be_after_a_boot(host: Host) -> None:
    ready = host.run("slipway-ready")
    assert ready.rc == 0, ready.stdout
    assert host.service("docker-firstboot").is_enabled
    assert json.loads(host.file("/run/slipway/ready.json").content_string)["state"] == "ready"


@pytest.mark.usefixtures("enabled")
def test_what_the_first_boot_left_is_for_root_s_eyes(host: Host) -> None:
    assert oct(host.file("/var/lib/slipway/firstboot").mode) == "0o700"
