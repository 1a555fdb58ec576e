# SPDX-License-Identifier: Apache-2.0
"""Images on a host: pulled by digest from the lab's stand-in registries, built there, and what goes wrong with both."""

import base64
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from slipway.lab import hub
from slipway.lab.play import Run, ok
from slipway.lab.workbench import LabHost, Workbench

PRIVATE = f"{hub.REGISTRY}/team/app"
ABSENT = "sha256:" + "0" * 64
FOLDER = "/opt/tools"
HELPER = "/usr/local/bin/docker-credential-lab"
IMAGES = "docker image ls --all --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}@{{.Digest}}' | sort"
DOCKERFILE = "FROM slipway/hello\nCOPY greeting /greeting\nRUN cat /greeting\n"


@pytest.fixture(scope="module")
def engine_host(workbench: Workbench) -> LabHost:
    """A host with an engine, and alice's and ci's logins for root."""
    host = workbench.make_converged("test-images")
    tokens = hub.credentials(workbench.lab)
    logins = [
        {"username": "alice", "token": tokens["alice"]},
        {"username": "ci", "token": tokens["ci"], "registry": hub.REGISTRY},
    ]
    task = {"ansible.builtin.import_role": {"name": "slipway.platform.docker_registry_auth"}}
    ok(host.play(task, variables={"docker_registry_auth_logins": logins}))
    return host


@pytest.fixture(scope="module")
def digest(workbench: Workbench) -> str:
    """The digest under which all repositories of the stand-ins hold their image."""
    return hub.digest(workbench.lab)


@pytest.fixture
def host(engine_host: LabHost) -> LabHost:
    """The host without any image but the one that it carries, and with a folder to build from."""
    engine_host.sh("docker image prune --all --force")
    engine_host.sh("docker load --quiet --input /usr/share/slipway/hello.tar")
    engine_host.sh(f"rm -rf {FOLDER}; mkdir {FOLDER}; echo hello > {FOLDER}/greeting")
    write_dockerfile(engine_host, DOCKERFILE)
    return engine_host


def write_dockerfile(host: LabHost, text: str) -> None:
    host.sh(f"cat > {FOLDER}/Dockerfile <<'END'\n{text}END")


def role(host: LabHost, *images: dict[str, Any], options: tuple[str, ...] = (), **variables: Any) -> Run:
    task = {"ansible.builtin.import_role": {"name": "slipway.platform.docker_images"}}
    return host.play(task, options=options, variables={"docker_images_list": list(images), **variables})


def refused(host: LabHost, *images: dict[str, Any], **variables: Any) -> str:
    """Return why the role refuses, and assert that it has left every image and tag as they were."""
    before = host.sh(IMAGES)
    run = role(host, *images, **variables)
    assert run.status != 0
    assert host.sh(IMAGES) == before
    return run.failure(host.name)


def image_id(host: LabHost, reference: str) -> str:
    return host.sh(f"docker image inspect --format '{{{{.Id}}}}' {reference}")


@contextlib.contextmanager
def without_registry(host: LabHost) -> Iterator[None]:
    """Leave no way to the registry, so that every question to it fails."""
    address = host.sh(f"getent hosts {hub.REGISTRY} | cut -d' ' -f1")
    host.sh(f"ip route add unreachable {address}")
    try:
        yield
    finally:
        host.sh(f"ip route del unreachable {address}")


@pytest.mark.slow
def test_public_and_private_images_come_by_digest_and_get_their_tags(host: LabHost, digest: str) -> None:
    wanted: list[dict[str, Any]] = [
        {"name": "library/hello-world", "digest": digest},
        {"name": "alice/private", "digest": digest, "tags": ["1.0", "stable"]},
        {"name": PRIVATE, "digest": digest, "tags": ["1.0"]},
    ]
    assert ok(role(host, *wanted)).changed(host.name)
    got = {image_id(host, f"{image['name']}@{digest}") for image in wanted}
    tagged = {image_id(host, f"{name}:1.0") for name in ("alice/private", PRIVATE)}
    assert got == tagged == {image_id(host, "alice/private:stable")}
    assert host.run("docker", "image", "inspect", "hello-world:latest")[0] != 0


def test_what_is_there_changes_nothing_and_asks_no_registry(host: LabHost, digest: str) -> None:
    """Fault: the registry is unreachable and the images are there. Outcome: the host converges."""
    wanted = {"name": PRIVATE, "digest": digest, "tags": ["1.0", "stable"]}
    ok(role(host, wanted))
    with without_registry(host):
        assert ok(role(host, wanted)).changed(host.name) == []
        host.sh(f"docker rmi {PRIVATE}:stable; docker tag slipway/hello {PRIVATE}:1.0")
        assert ok(role(host, wanted)).changed(host.name)
        by_digest = image_id(host, f"{PRIVATE}@{digest}")
        assert image_id(host, f"{PRIVATE}:1.0") == image_id(host, f"{PRIVATE}:stable") == by_digest
        host.sh(f"docker rmi --force {PRIVATE}:1.0 {PRIVATE}:stable {PRIVATE}@{digest}")
        assert "registry.slipway.test cannot be reached" in refused(host, wanted)


def test_the_user_s_credentials_decide_and_their_helper_is_asked(
    host: LabHost, digest: str, workbench: Workbench
) -> None:
    wanted = {"name": PRIVATE, "digest": digest}
    denied = refused(host, wanted, docker_images_user="bob")
    assert "anonymous" in denied
    assert "docker_registry_auth_logins" in denied
    assert "bob" in denied
    answer = json.dumps({"Username": "ci", "Secret": hub.credentials(workbench.lab)["ci"]})
    helper = f"#!/bin/sh\n[ $(id -un) = bob ] && echo '{answer}'\n"
    host.sh(f"cat > {HELPER} <<'END'\n{helper}END\nchmod 755 {HELPER}")
    config = json.dumps({"credHelpers": {hub.REGISTRY: "lab"}})
    host.sh(f"install -d -o bob -g bob -m 700 /home/bob/.docker; echo '{config}' > /home/bob/.docker/config.json")
    host.sh("chown bob: /home/bob/.docker/config.json")
    try:
        ok(role(host, wanted, docker_images_user="bob"))
    finally:
        host.sh(f"rm -rf /home/bob/.docker {HELPER}")


def test_failed_pulls_have_different_messages_with_the_remedy(host: LabHost, digest: str) -> None:
    """Fault: a registry does not answer, denies a pull, or lacks the digest. Outcome: three messages with the remedy;
    no tag moves.
    """
    unreachable = refused(host, {"name": "localhost:9/team/app", "digest": digest})
    absent = refused(host, {"name": PRIVATE, "digest": ABSENT})
    denied = refused(host, {"name": "alice/private", "digest": digest}, docker_images_user="bob")
    assert "localhost:9 cannot be reached" in unreachable
    assert "the registry does not have it" in absent
    assert "the login for Docker Hub and user bob in docker_registry_auth_logins" in denied


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ({"name": "team/app:1.0", "digest": ABSENT}, "contains a tag"),
        ({"name": "Team/App", "digest": ABSENT}, "not the name of a repository"),
        ({"name": "team/app", "digest": "sha256:12"}, "digest 'sha256:12' of team/app is not valid"),
        ({"name": "team/app", "digest": ABSENT, "tags": ["a b"]}, "tag 'a b' of team/app is not valid"),
        ({"name": "team/app", "build": "tools"}, "absolute path"),
        ({"name": "team/app", "build": "/opt/absent"}, "does not exist on this host"),
        ({"name": "team/app", "build": "/etc"}, "has no usable Dockerfile"),
        ({"name": "team/app", "build": FOLDER, "digest": ABSENT}, "mutually exclusive"),
        ({"name": "team/app"}, "one of the following is required: digest, build"),
    ],
)
def test_bad_input_is_refused_before_the_good_image_is_pulled(
    host: LabHost, digest: str, image: dict[str, Any], reason: str
) -> None:
    """Fault: an invalid name, tag, digest or build folder of an image. Outcome: refused before any image is pulled."""
    assert reason in refused(host, {"name": "library/hello-world", "digest": digest}, image)


def test_a_folder_is_built_once_and_again_when_it_has_changed(host: LabHost) -> None:
    wanted = {"name": "team/tools", "build": FOLDER, "tags": ["latest", "edge"]}
    assert ok(role(host, wanted)).changed(host.name)
    first = image_id(host, "team/tools:latest")
    assert host.sh("docker run --rm team/tools:edge cat /greeting") == "hello"
    host.sh(f"touch {FOLDER}/greeting")
    assert ok(role(host, wanted)).changed(host.name) == []
    host.sh(f"echo goodbye > {FOLDER}/greeting")
    assert ok(role(host, wanted)).changed(host.name)
    assert host.sh("docker run --rm team/tools:edge cat /greeting") == "goodbye"
    assert image_id(host, "team/tools:latest") != first


@pytest.mark.slow
def test_no_label_makes_an_image_one_that_was_built_here(host: LabHost) -> None:
    """Fault: a pulled image carries the label of a built one. Outcome: it is not taken for the built one, which is
    built.

    Whoever pushes an image chooses its labels, and the record says what the engine has built.
    """
    wanted = {"name": "team/tools", "build": FOLDER}
    ok(role(host, wanted))
    ours, label = image_id(host, "team/tools"), "io.slipway.content-key"
    key = host.sh(f"docker image inspect --format '{{{{index .Config.Labels \"{label}\"}}}}' {ours}")
    assert json.loads(host.sh("cat /var/lib/slipway/built-images.json"))[key] == ours
    host.sh(f"docker rmi --force {ours}")
    host.sh(f"printf 'FROM slipway/hello\\nLABEL {label}={key}\\n' | DOCKER_BUILDKIT=0 docker build --tag pulled -")
    assert ok(role(host, wanted)).changed(host.name)
    assert image_id(host, "team/tools") != image_id(host, "pulled")


def test_a_failed_build_names_the_instruction_and_keeps_the_old_image(host: LabHost, digest: str) -> None:
    """Fault: a build fails. Outcome: the message has the instruction and its last 20 lines; the old image keeps its
    tags.
    """
    wanted = {"name": "team/tools", "build": FOLDER}
    ok(role(host, wanted))
    first = image_id(host, "team/tools")
    noise = "i=1; while [ $i -le 30 ]; do echo line $i; i=$((i+1)); done; exit 3"
    write_dockerfile(host, f"FROM slipway/hello\nRUN {noise}\n")
    run = role(host, {"name": "library/hello-world", "digest": digest, "tags": ["moved"]}, wanted)
    message = run.failure(host.name)
    assert f"RUN {noise}" in message
    assert "code: 3" in message
    assert message.splitlines()[-1] == "line 30"
    assert len(message.splitlines()) == 21
    assert image_id(host, "team/tools") == first
    assert host.run("docker", "image", "inspect", "hello-world:moved")[0] != 0, "a tag was given before all were there"


def test_a_dockerfile_that_is_none_is_refused_by_its_line(host: LabHost) -> None:
    write_dockerfile(host, "FROM slipway/hello\nFETCH it\n")
    assert "unknown instruction: FETCH" in refused(host, {"name": "team/tools", "build": FOLDER})


def test_check_mode_predicts_on_a_host_without_an_engine_and_a_run_says_what_to_do(fresh_host: LabHost) -> None:
    wanted = {"name": "team/app", "digest": ABSENT}
    predicted = ok(role(fresh_host, wanted, options=("--check", "--diff")))
    assert predicted.changed(fresh_host.name)
    assert f"team/app@{ABSENT}" in predicted.output
    run = role(fresh_host, wanted)
    assert "does not answer at /run/docker.sock: run the role docker_engine first" in run.failure(fresh_host.name)


def test_an_empty_list_costs_no_trip_and_a_converged_one_a_single_trip(host: LabHost, digest: str) -> None:
    assert ok(role(host)).module_invocations(host.name) == []
    wanted = [{"name": "library/hello-world", "digest": digest}, {"name": "team/tools", "build": FOLDER}]
    ok(role(host, *wanted))
    converged = ok(role(host, *wanted))
    assert converged.changed(host.name) == []
    assert len(converged.module_invocations(host.name)) == 1


def test_no_secret_is_printed_nor_logged_by_the_engine(host: LabHost, digest: str, workbench: Workbench) -> None:
    """Fault: a pull with credentials at `-vvv --diff`, denied or not. Outcome: no secret in output or journal."""
    secret = hub.credentials(workbench.lab)["ci"]
    good = {"name": PRIVATE, "digest": digest}
    printed = "".join(
        role(host, *images, options=("-vvv", "--diff")).output for images in ([good], [{**good, "digest": ABSENT}])
    )
    encoded = base64.b64encode(f"ci:{secret}".encode()).decode()
    assert PRIVATE in printed
    assert secret not in printed
    assert encoded not in printed
    assert secret not in host.journal()
