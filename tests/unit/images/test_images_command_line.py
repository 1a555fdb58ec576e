# SPDX-License-Identifier: Apache-2.0
"""The command line of slipway-images without an engine, and the facts that it passes to pytest."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docker.auth import resolve_repository_name

from slipway.images import __main__ as command
from slipway.images import matrix, render, verify
from slipway.images.errors import ImageError
from slipway.images.image import Context, Healthcheck, User
from slipway.images.recipe import Built
from slipway.images.verify import Subject
from tests.support.tiny_images import tiny

pytestmark = pytest.mark.program

IMAGES = matrix.without_lab(matrix.load())

PROGRAM = str(Path(sys.prefix) / "bin/slipway-images")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)


def test_list_shows_every_image_but_those_of_the_lab() -> None:
    listed = run("list")
    assert listed.returncode == 0, listed.stderr
    assert {name for name in matrix.load() if f" {name} " in listed.stdout} == set(IMAGES)


def test_the_committed_dockerfiles_pass_the_check() -> None:
    checked = run("render", "--check")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_bake_file_has_a_target_for_every_image(tmp_path: Path) -> None:
    written = run("bake-file", f"--output={tmp_path / 'docker-bake.json'}")
    assert written.returncode == 0, written.stderr
    assert len(json.loads((tmp_path / "docker-bake.json").read_text())["target"]) == len(IMAGES)


@pytest.mark.parametrize("command", ["list", "render", "lint", "build", "test", "push", "bake-file", "refresh-digests"])
def test_every_command_has_help(command: str) -> None:
    assert run(command, "--help").returncode == 0


def test_a_push_needs_a_registry() -> None:
    """A default would push to somebody else's name on Docker Hub."""
    refused = run("push")
    assert refused.returncode == 2
    assert "--registry" in refused.stderr


def test_local_tags_can_exist_in_no_registry() -> None:
    """A name without a registry host belongs to Docker Hub, where anybody may register it."""
    named = {tag for image in matrix.load().values() for tag in image.local_tags}
    assert {resolve_repository_name(tag)[0] for tag in named} == {"slipway.invalid"}
    for dockerfile in render.RENDERED.rglob("Dockerfile"):
        for reference in re.findall(r"^ARG [A-Z]+=(\S+)$", dockerfile.read_text(), re.MULTILINE):
            assert resolve_repository_name(reference)[0] in ("slipway.invalid", "quay.io")


def test_claims_receive_the_facts_of_the_images(tmp_path: Path) -> None:
    image = tiny(
        "app",
        user=User("app", 10001),
        healthcheck=Healthcheck(("true",)),
        context=Context("dockerfiles", ("images.yml",)),
        setuid=("/usr/bin/su",),
    )
    verify.write(tmp_path / "facts", [Subject(image, Built("sha256:1", 3, 2, 1))])
    (read,) = verify.read(tmp_path / "facts")
    assert read.built == Built("sha256:1", 3, 2, 1)
    assert (read.image.user, read.image.name, list(read.image.setuid)) == (image.user, "app", ["/usr/bin/su"])
    assert read.image.context and list(read.image.context.include) == ["images.yml"]
    assert read.image.healthcheck.command
    assert read.image.local_tags == image.local_tags


def test_running_claims_directly_fails_with_the_command_to_use() -> None:
    alone = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", str(verify.CLAIMS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert alone.returncode != 0
    assert "run `slipway-images test`" in alone.stdout + alone.stderr


def test_what_a_build_or_a_registry_says_cannot_control_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fault: a build's output or a registry's message has characters that control a terminal. Outcome: escaped."""

    def fail(_: object) -> None:
        raise ImageError("one\x1b[2J\ntwo\x9b2J\ud800")

    monkeypatch.setattr(command, "_list", fail)
    monkeypatch.setattr(sys, "argv", ["slipway-images", "list"])
    assert command.main() == 1
    assert capsys.readouterr().err == "slipway-images: one\\x1b[2J\ntwo\\x9b2J\\ud800\n"
