# SPDX-License-Identifier: Apache-2.0
"""Runs the claims in tests/images against built images, in a separate pytest process."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slipway.images import availability, graph, pins
from slipway.images.build_environment import BuildEnvironment
from slipway.images.errors import ImageError
from slipway.images.image import Context, Healthcheck, Image, User
from slipway.images.recipe import Built, current
from slipway.lab.paths import PROJECT

CLAIMS = PROJECT / "tests/images"
VARIABLE = "SLIPWAY_IMAGES"  # environment variable with the path of the file that `write` wrote


@dataclass(frozen=True)
class Subject:
    """A built image and its definition."""

    image: Image
    built: Built


def verify(
    environment: BuildEnvironment,
    names: Sequence[str] = (),
    options: Sequence[str] = (),
    *,
    allow_unpinned: bool = False,
) -> None:
    """Run the claims against the named images, or all that the supply can build without names.

    options are pytest's. Raises ImageError for outdated images, for bases without a digest unless allow_unpinned (since
    images with systemd run with nearly all capabilities here), and if a claim fails; pytest prints which.
    """
    chosen = graph.select(environment.images, names)
    if not names:
        unavailable = availability.unavailable(graph.with_bases(environment.images, chosen), environment.supply)
        chosen = {name: image for name, image in chosen.items() if name not in unavailable}
    if not allow_unpinned:
        pins.require_digests(environment.images, chosen, environment.supply)
    built = current(environment, chosen)
    with tempfile.TemporaryDirectory() as folder:
        facts = Path(folder) / "images.json"
        write(facts, [Subject(image, built[name]) for name, image in chosen.items()])
        variables = {**_environment(environment.engine.address), VARIABLE: str(facts)}
        command = [sys.executable, "-m", "pytest", str(CLAIMS), *options]
        if subprocess.run(command, cwd=PROJECT, env=variables, check=False).returncode:
            raise ImageError("Some claims failed: see the output of pytest above.")


def write(path: Path, subjects: Sequence[Subject]) -> None:
    """Write subjects to a file for `read`."""
    path.write_text(json.dumps([asdict(subject) for subject in subjects]))


def read(path: Path) -> list[Subject]:
    """Return the subjects in a file of `write`."""
    return [Subject(_image(facts["image"]), Built(**facts["built"])) for facts in json.loads(path.read_text())]


def _image(facts: dict[str, Any]) -> Image:
    nested = {"user": User, "healthcheck": Healthcheck, "context": Context}
    made = {name: kind(**facts[name]) for name, kind in nested.items() if facts[name]}
    return Image(**{**facts, **made})


def _environment(address: str) -> Mapping[str, str]:
    """Return this process's environment with the engine's address and the docker command for testinfra."""
    path = os.pathsep.join((str(Path(sys.prefix) / "bin"), os.environ.get("PATH", os.defpath)))
    if not shutil.which("docker", path=path):
        raise ImageError("The claims need the docker command, which is not on the PATH: install the Docker client.")
    return {**os.environ, "PATH": path, "DOCKER_HOST": address}
