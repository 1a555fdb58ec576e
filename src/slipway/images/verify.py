# SPDX-License-Identifier: Apache-2.0
"""Has the claims in tests/images tried on built images, by one run of pytest in a process of its own."""

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

from slipway.images import availability, graph
from slipway.images.errors import ImageError
from slipway.images.image import Context, Healthcheck, Image, User
from slipway.images.recipe import Built, current
from slipway.images.workshop import Workshop
from slipway.lab.paths import PROJECT

CLAIMS = PROJECT / "tests/images"
VARIABLE = "SLIPWAY_IMAGES"  # of the environment: the file with what pytest is to know


@dataclass(frozen=True)
class Subject:
    """A built image, and what it is to be."""

    image: Image
    built: Built


def verify(workshop: Workshop, names: Sequence[str] = (), options: Sequence[str] = ()) -> None:
    """Try the claims on the images of these names, all that can be built here where there is none.

    options are pytest's. Raises ImageError for images that are not built from what the project has, and when a claim
    does not hold; pytest has printed which.
    """
    chosen = graph.named(workshop.images, names)
    if not names:
        unavailable = availability.unavailable(graph.with_bases(workshop.images, chosen), workshop.supply)
        chosen = {name: image for name, image in chosen.items() if name not in unavailable}
    built = current(workshop, chosen)
    with tempfile.TemporaryDirectory() as folder:
        facts = Path(folder) / "images.json"
        write(facts, [Subject(image, built[name]) for name, image in chosen.items()])
        environment = {**_environment(workshop.engine.address), VARIABLE: str(facts)}
        command = [sys.executable, "-m", "pytest", str(CLAIMS), *options]
        if subprocess.run(command, cwd=PROJECT, env=environment, check=False).returncode:
            raise ImageError("Not all claims hold: pytest tells above which, for which image.")


def write(path: Path, subjects: Sequence[Subject]) -> None:
    """Write what `read` reads."""
    path.write_text(json.dumps([asdict(subject) for subject in subjects]))


def read(path: Path) -> list[Subject]:
    """Return what `write` wrote."""
    return [Subject(_image(facts["image"]), Built(**facts["built"])) for facts in json.loads(path.read_text())]


def _image(facts: dict[str, Any]) -> Image:
    nested = {"user": User, "healthcheck": Healthcheck, "context": Context}
    made = {name: kind(**facts[name]) for name, kind in nested.items() if facts[name]}
    return Image(**{**facts, **made})


def _environment(address: str) -> Mapping[str, str]:
    """Return this process's environment in which testinfra's docker backend finds the engine, and a client for it."""
    path = os.pathsep.join((str(Path(sys.prefix) / "bin"), os.environ.get("PATH", os.defpath)))
    if not shutil.which("docker", path=path):
        raise ImageError("The claims need the docker command, and there is none on the PATH: install Docker's client.")
    return {**os.environ, "PATH": path, "DOCKER_HOST": address}
