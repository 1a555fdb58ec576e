# SPDX-License-Identifier: Apache-2.0
"""Pins base images: writes their current digests to dockerfiles/digests.json."""

import json
from collections.abc import Iterable
from pathlib import Path

import docker

from slipway.images import registry
from slipway.images.digests_file import DIGESTS, is_digest
from slipway.images.errors import ImageError
from slipway.images.image import Image
from slipway.images.matrix import IMAGES

FILE = IMAGES.with_name(DIGESTS)


def refresh(client: docker.DockerClient, images: Iterable[Image], path: Path = FILE) -> dict[str, str]:
    """Write the registry digest of each external base to the file, and return the digests by reference.

    Raises ImageError, and leaves the file unchanged, if a registry does not answer, lacks the image
    or returns what is no digest.
    """
    references = sorted({image.base for image in images if not image.has_local_base})
    digests = {reference: registry.digest_of(client, reference) for reference in references}
    for reference, digest in digests.items():
        if not is_digest(digest):
            raise ImageError(
                f"The registry gives {reference} the digest {digest!a} instead of sha256: and 64 hexadecimal digits, "
                f"and {path.name} is unchanged: ask its administrator."
            )
    path.write_text(f"{json.dumps(digests, indent=2)}\n")
    return digests
