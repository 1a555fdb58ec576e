# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""How the docker command is run, with a script in its place; tests/lab/test_services.py has the real one."""

import time
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.services import docker_cli
from ansible_collections.slipway.platform.plugins.module_utils.services.errors import CommandError


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that is found as docker."""
    script = tmp_path / "docker"
    script.write_text('#!/bin/sh\necho "$1"; echo "$KEY" >&2; exit "${2:-0}"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(docker_cli, "PATH", f"{tmp_path}:/usr/bin:/bin")
    return script


def test_a_command_returns_what_it_prints_and_fails_with_its_last_message(docker: Path) -> None:
    cli = docker_cli.DockerCli(str(docker.parent))
    assert cli.run(["a"], variables={"KEY": "b"}) == ("a\n", "b\n")
    assert cli.run(["a"], variables={"KEY": "b"}, merged=True) == ("a\nb\n", "")
    with pytest.raises(CommandError, match=r"\Ano such image\Z"):
        cli.run(["a", "1"], variables={"KEY": "no such image."})


def test_a_plugin_ends_with_a_command_whose_time_is_up(docker: Path) -> None:
    """Fault: a service that others depend on never becomes healthy, so that Compose waits. Outcome: Compose is killed,
    and does not go on while the version before comes back.
    """
    sign = docker.with_name("sign")
    docker.write_text(f"#!/bin/sh\nsh -c 'sleep 2; touch {sign}' &\nwait\n")
    with pytest.raises(CommandError, match="docker compose did not end within 1 s"):
        docker_cli.DockerCli(str(docker.parent)).run(["compose"], timeout=1)
    time.sleep(1.5)
    assert not sign.exists()


def test_a_value_that_the_kernel_does_not_take_is_named(docker: Path) -> None:
    with pytest.raises(CommandError, match="keystore is too long"):
        docker_cli.DockerCli(str(docker.parent)).run(["a"], variables={"keystore": "x" * 200_000, "other": "y"})
