# SPDX-License-Identifier: Apache-2.0
"""The built image contains its folder's files, and its base has no tag on the host."""

import pytest
import testinfra
from testinfra.host import Host


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest) -> Host:
    """The host that builds an image; --hosts selects more."""
    inventory = request.config.getoption("ansible_inventory")
    return testinfra.get_hosts(["ansible://molecule-images"], ansible_inventory=inventory)[0]


def test_the_built_image_contains_the_files_of_its_folder(host: Host) -> None:
    assert host.check_output("docker run --rm team/tools cat /greeting") == "hello"


def test_images_are_pulled_by_digest_only(host: Host) -> None:
    tagged = host.check_output("docker image ls --format '{{.Repository}}:{{.Tag}}'").splitlines()
    assert "team/tools:latest" in tagged
    assert not {"hello-world:latest", "alice/private:latest"} & set(tagged)
