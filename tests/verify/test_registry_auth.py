# SPDX-License-Identifier: Apache-2.0
"""Claims about registry logins (role docker_registry_auth).

The inventory may list verify_pulls: {user, image, allowed}, each tried as that user with the real engine. Use private
images: public ones can be pulled without valid credentials. A pull asks the registry also where the host has the image.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from testinfra.host import Host

HUB = "https://index.docker.io/v1/"
HUB_SPELLINGS = ("docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com")


@pytest.fixture(scope="module")
def logins(variable: Callable[[str, Any], Any]) -> list[dict[str, Any]]:
    """The configured logins; without any, the claim is skipped."""
    listed = variable("docker_registry_auth_logins", [])
    present = [login for login in listed if login.get("state", "present") == "present"]
    if not present:
        pytest.skip("the inventory lists no logins")
    return present


def config(host: Host, user: str) -> Any:
    return host.file(f"{host.user(user).home}/.docker/config.json")


@contextmanager
def kept(host: Host, image: str) -> Iterator[None]:
    """Let the name stand afterwards for the image of before, or for none: the host may need just that one."""
    before = image_id(host, image)
    yield
    if not before:
        host.run("docker image rm %s", image)
    elif image_id(host, image) != before:
        host.check_output("docker tag %s %s", before, image)


def image_id(host: Host, image: str) -> str:
    """Return the identity of the image that the host has under the name, or ""."""
    return str(host.run("docker image inspect --format '{{.Id}}' %s", image).stdout.strip())


def test_only_the_user_can_read_the_credentials(host: Host, logins: list[dict[str, Any]]) -> None:
    for user in {login.get("user", "root") for login in logins}:
        file = config(host, user)
        folder = host.file(file.path.removesuffix("/config.json"))
        assert (file.user, oct(file.mode)) == (user, "0o600")
        assert (folder.user, oct(folder.mode)) == (user, "0o700")


def test_every_login_is_stored_under_the_key_that_pulls_use(host: Host, logins: list[dict[str, Any]]) -> None:
    for login in logins:
        stored = json.loads(config(host, login.get("user", "root")).content_string)
        registry = login.get("registry", "docker.io")
        key = HUB if registry in HUB_SPELLINGS else registry
        assert key in stored.get("credHelpers" if "helper" in login else "auths", {})


def test_users_can_pull_exactly_what_they_are_allowed_to(host: Host) -> None:
    pulls = host.ansible.get_variables().get("verify_pulls", [])
    if not pulls:
        pytest.skip("the inventory lists no verify_pulls")
    for pull in pulls:
        with kept(host, pull["image"]):
            done = host.run("runuser --login %s --command 'docker pull --quiet %s'", pull["user"], pull["image"])
        assert (done.rc == 0) == pull["allowed"], done.stderr
        assert pull["allowed"] or "denied" in done.stderr
