# SPDX-License-Identifier: Apache-2.0
"""The images of dockerfiles/images.yml, by the commands that a person types: built, tested and published offline."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from slipway.images.image import NAMESPACE
from slipway.lab import engine, hub
from slipway.lab.lab import Lab
from tests.support.tiny_images import build_containers

pytestmark = pytest.mark.slow

SLIPWAY_IMAGES = Path(sys.prefix) / "bin/slipway-images"
SHIPPED = {"base-9", "systemd-9", "python-3.11", "app", "toolbox"}  # what the lab has packages for


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SLIPWAY_IMAGES, *arguments],
        env={**os.environ, "LAB": "offline"},
        capture_output=True,
        text=True,
        check=False,
    )


def rows(table: str) -> dict[str, str]:
    """The rows of the table that `build` prints, by the image's name."""
    return {line.split()[1]: line for line in table.splitlines() if line.startswith("│ ") and line.split()[1] != "│"}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report") / "SIZES.md"


@pytest.fixture(scope="module", autouse=True)
def first_build(report: Path) -> dict[str, str]:
    """Have the images built; what comes of each."""
    done = run("build", f"--report={report}")
    assert done.returncode == 0, done.stderr
    return rows(done.stdout)


def test_all_are_built_but_those_for_which_the_lab_says_what_is_missing(first_build: dict[str, str]) -> None:
    assert {name for name, row in first_build.items() if "skipped: " not in row} == SHIPPED
    assert "skipped: no package python3.12" in first_build["python-3.12"]
    assert "skipped: no stand-in for" in first_build["base-10"]


def test_the_report_has_a_line_for_each_image(first_build: dict[str, str], report: Path) -> None:
    lines = [line for line in report.read_text().splitlines() if line.startswith("| ")]
    assert {line.split()[1] for line in lines[1:]} == set(first_build)


def test_a_second_build_builds_nothing() -> None:
    done = run("build")
    assert {name for name, row in rows(done.stdout).items() if "unchanged" in row} == SHIPPED
    assert "[images] " not in done.stdout


def test_every_claim_holds() -> None:
    done = run("test")
    assert done.returncode == 0, done.stdout


def test_they_are_published_under_all_their_tags_and_a_second_time_only_what_moves(lab: Lab) -> None:
    # The command knows the lab of `make up`, whatever lab these tests have.
    team = f"{hub.engine_address(Lab(lab.engine, lab.images))}/{uuid.uuid4().hex}"  # where nobody has published yet
    lasting = {"base:9-r1", "systemd:9-r1", "python:3.11-r1", "app:1.0.0", "toolbox:0.1.0"}
    moving = {"base:9", "systemd:9", "python:3.11", "app:latest", "toolbox:latest"}
    assert set(published(team)) == lasting | moving
    assert set(published(team)) == moving


def published(team: str) -> dict[str, str]:
    """Publish, and return the digests by image and tag."""
    done = run("push", f"--registry={team}")
    assert done.returncode == 0, done.stderr
    words = [line.removeprefix("[images] ").split(" is ") for line in done.stdout.splitlines() if " is sha256:" in line]
    return {name.removeprefix(f"{team}/"): digest for name, digest in words}


def test_an_image_that_the_lab_cannot_build_is_refused_by_name() -> None:
    done = run("build", "node")
    assert done.returncode == 1
    assert "base-10: no stand-in for quay.io/centos/centos:stream10" in done.stderr
    assert "Use LAB=online where registries answer." in done.stderr


def test_who_interrupts_a_build_need_not_wait_and_nothing_of_it_stays() -> None:
    carrier = engine.find()
    assert carrier
    image = carrier.client.images.get(f"{NAMESPACE}/base:9").id
    containers = len(build_containers(carrier.client))
    environment = {**os.environ, "LAB": "offline"}
    # Whoever runs the tests in the background has them ignore the signal.
    command = ["env", "--default-signal=INT", str(SLIPWAY_IMAGES), "build", "--force", "base-9"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as building:
        assert building.stdout
        assert any("RUN dnf" in line for line in building.stdout)
        building.send_signal(signal.SIGINT)
        _, said = building.communicate(timeout=5)
    assert (building.returncode, said) == (130, "slipway-images: Interrupted; unfinished images are unchanged.\n")
    deadline = time.monotonic() + 20
    while len(build_containers(carrier.client)) > containers:
        assert time.monotonic() < deadline, "the engine builds on"
        time.sleep(0.1)
    assert carrier.client.images.get(f"{NAMESPACE}/base:9").id == image
