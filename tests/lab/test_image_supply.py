# SPDX-License-Identifier: Apache-2.0
"""What images are built from offline does what it stands in for, and where they are pushed to, hosts pull them."""

import io
import re
import secrets
import shlex
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest
from docker.errors import ContainerError

from slipway.images.supply import Registry, Supply
from slipway.lab import hub, image_supply, wheels
from slipway.lab.lab import Lab
from slipway.lab.workbench import LabHost
from tests.support.containers import output_of

DOCKERFILE = f"""
ARG BASE={image_supply.CENTOS}
FROM ${{BASE}}
RUN dnf --assumeyes install epel-release python3.11 \\
    && dnf --assumeyes install tini \\
    && python3.11 -m venv /opt/venv \\
    && /opt/venv/bin/pip install ansible-core
"""
TAG = "slipway-test/from-the-stand-in:latest"
Run = Callable[[str], str]


@pytest.fixture(scope="module")
def client(lab: Lab) -> docker.DockerClient:
    return lab.client


@pytest.fixture(scope="module")
def supply(lab: Lab) -> Supply:
    return image_supply.offline(lab)


@pytest.fixture
def registry(supply: Supply) -> Registry:
    assert supply.registry
    return supply.registry


@pytest.fixture(scope="module")
def run(client: docker.DockerClient, supply: Supply) -> Iterator[Run]:
    """Runs scripts in containers of an image that was built as the images of the matrix are."""
    assert supply.network
    client.images.build(
        fileobj=io.BytesIO(DOCKERFILE.encode()),
        tag=TAG,
        buildargs={"BASE": supply.bases[image_supply.CENTOS]},
        network_mode=supply.network,
        nocache=True,
        rm=True,
    )

    def run_script(script: str) -> str:
        return output_of(client, TAG, ["sh", "-ec", script], network=supply.network)

    yield run_script
    client.images.remove(TAG)


def push(client: docker.DockerClient, registry: Registry, password: str) -> list[dict[str, Any]]:
    """Push an image that no registry has, as team/pushed; return what the engine says."""
    repository = f"{registry.address}/team/pushed"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(secrets.token_hex()))
    client.api.import_image_from_data(buffer.getvalue(), repository=repository, tag="1")
    login = {"username": registry.username, "password": password}
    try:
        return list(client.images.push(repository, tag="1", auth_config=login, stream=True, decode=True))
    finally:
        client.images.remove(f"{repository}:1")


@pytest.mark.slow
def test_the_programs_of_an_image_come_from_packages_and_run(run: Run) -> None:
    packages = ["epel-release", "python3.11", "tini"]
    assert run(f"rpm --query --queryformat '%{{NAME}}\\n' {' '.join(packages)}").split() == packages
    assert run("tini -- python3.11 -c 'import sys, distutils, lib2to3; print(sys.version_info[:2])'") == "(3, 11)"


def test_a_package_of_epel_is_found_only_where_epel_is(client: docker.DockerClient, supply: Supply) -> None:
    with pytest.raises(ContainerError, match="Unable to find a match: tini"):
        output_of(client, supply.bases[image_supply.CENTOS], "dnf --assumeyes install tini", network=supply.network)


@pytest.mark.slow
def test_pip_gets_the_files_of_the_toolbox_s_hashes_from_the_lab_and_nothing_else(run: Run) -> None:
    toolbox = wheels.REQUIREMENTS.read_text()
    installed = run(
        f"cat >/tmp/requirements.txt <<'END'\n{toolbox}END\n"
        "/opt/venv/bin/pip install --quiet --force-reinstall --require-hashes --requirement /tmp/requirements.txt\n"
        "/opt/venv/bin/ansible --version >&2\n"
        "/opt/venv/bin/pip list --format=freeze --exclude=pip --exclude=setuptools"
    )
    assert installed.lower().splitlines() == re.findall(r"^\S+==\S+", toolbox, re.MULTILINE)
    assert "from versions: none" in run("! /opt/venv/bin/pip install requests 2>&1")


@pytest.mark.slow
def test_dnf_installs_whatever_the_supply_promises_and_no_placeholder_is_promised(supply: Supply, run: Run) -> None:
    assert supply.packages
    assert "Complete!" in run(f"dnf --assumeyes install {shlex.join(supply.packages)}")
    assert supply.packages.isdisjoint({"podman", "buildah", "crun", "runc", "slirp4netns", "docker-ce"})


def test_the_base_is_a_plain_image_and_no_host(client: docker.DockerClient, supply: Supply) -> None:
    base = supply.bases[image_supply.CENTOS]
    assert client.images.get(base).attrs["Config"]["Cmd"] == ["/bin/bash"]
    assert output_of(client, base, ["sh", "-c", "ls -A /home"]) == ""
    assert output_of(client, base, ["find", "/etc/ssh", "-name", "ssh_host_*"]) == ""


def test_a_host_is_no_base_it_knows_no_repository(lab: Lab) -> None:
    assert output_of(lab.client, lab.images.host, ["ls", "-A", "/etc/yum.repos.d"]) == ""


@pytest.mark.slow
def test_what_the_engine_pushes_hosts_pull_under_the_registry_s_name(
    client: docker.DockerClient, registry: Registry, converged_host: LabHost
) -> None:
    said = push(client, registry, registry.password)
    (digest,) = [line["aux"]["Digest"] for line in said if "aux" in line]
    login = f"docker login --username {registry.username} --password-stdin {hub.REGISTRY}"
    image = f"{hub.REGISTRY}/team/pushed:1"
    converged_host.sh(f"{login} <<'END'\n{registry.password}\nEND")
    try:
        converged_host.sh(f"docker pull --quiet {image}")
        pulled = converged_host.sh(f"docker image inspect --format '{{{{index .RepoDigests 0}}}}' {image}")
        assert pulled == f"{hub.REGISTRY}/team/pushed@{digest}"
    finally:
        converged_host.sh(f"docker logout {hub.REGISTRY}; docker image rm --force {image}")


def test_a_push_with_a_wrong_password_is_denied(client: docker.DockerClient, registry: Registry) -> None:
    said = push(client, registry, "wrong-password")
    assert any("unauthorized" in line.get("error", "") for line in said), said
    assert not [line for line in said if "aux" in line]


def test_a_hub_that_the_engine_cannot_reach_is_replaced(lab: Lab, registry: Registry) -> None:
    running = lab.client.containers.get(lab.name(hub.NAME))
    assert running.image
    running.remove(force=True)
    lab.client.containers.run(running.image.tags[0], ["sleep", "infinity"], name=lab.name(hub.NAME), detach=True)
    renewed = image_supply.offline(lab).registry
    assert renewed
    assert any("aux" in line for line in push(lab.client, renewed, registry.password))
