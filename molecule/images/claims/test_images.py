# SPDX-License-Identifier: Apache-2.0
"""What role docker_images promises of a host."""

from testinfra.host import Host

ID = "docker image inspect --format '{{.Id}}' %s"


def test_pulled_images_are_there_by_their_digest(host: Host) -> None:
    digest = host.ansible.get_variables()["lab_hub_digest"]
    for name in ("library/hello-world", "registry.slipway.test/team/app"):
        host.check_output(ID, f"{name}@{digest}")


def test_tags_stand_for_the_image_of_the_digest(host: Host) -> None:
    digest = host.ansible.get_variables()["lab_hub_digest"]
    name = "registry.slipway.test/team/app"
    assert len({host.check_output(ID, f"{name}{which}") for which in (f"@{digest}", ":1.0", ":stable")}) == 1


def test_the_built_image_holds_what_its_folder_holds(host: Host) -> None:
    assert host.check_output("docker run --rm team/tools cat /greeting") == "hello"


def test_nothing_was_pulled_by_a_tag(host: Host) -> None:
    tagged = host.check_output("docker image ls --format '{{.Repository}}:{{.Tag}}'").splitlines()
    assert not any("hello-world:latest" in name or "alice/private:latest" in name for name in tagged)
