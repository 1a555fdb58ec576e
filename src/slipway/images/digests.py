# SPDX-License-Identifier: Apache-2.0
"""Pins: the digests that registries' bases have today, for dockerfiles/digests.json."""

import json
from collections.abc import Iterable
from pathlib import Path

import docker

from slipway.images import registry
from slipway.images.image import Image
from slipway.images.matrix import DIGESTS, IMAGES

FILE = IMAGES.with_name(DIGESTS)


def refresh(client: docker.DockerClient, images: Iterable[Image], path: Path = FILE) -> dict[str, str]:
    """Ask the registries for the digest of each base that is not ours, write them to the file and return them.

    Raises ImageError, and leaves the file as it is, when one of the registries does not answer or lacks the image.
    """
    references = sorted({image.base for image in images if not image.stands_on_ours})
    digests = {reference: registry.digest_of(client, reference) for reference in references}
    path.write_text(f"{json.dumps(digests, indent=2)}\n")
    return digests
