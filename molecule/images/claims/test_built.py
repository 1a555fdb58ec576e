# SPDX-License-Identifier: Apache-2.0
"""What was built is what the folder holds, and what was only a base has no name here."""

from testinfra.host import Host


def test_the_built_image_holds_what_its_folder_holds(host: Host) -> None:
    assert host.check_output("docker run --rm team/tools cat /greeting") == "hello"


def test_nothing_was_pulled_by_a_tag(host: Host) -> None:
    tagged = host.check_output("docker image ls --format '{{.Repository}}:{{.Tag}}'").splitlines()
    assert "team/tools:latest" in tagged
    assert not {"hello-world:latest", "alice/private:latest"} & set(tagged)
