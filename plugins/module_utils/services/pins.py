# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Digests of images: which a compose file names, and which were found for a tag once and are kept since."""

from ansible_collections.slipway.platform.plugins.module_utils.images import names as image_names
from ansible_collections.slipway.platform.plugins.module_utils.services.errors import ServicesError


def split(reference):
    """Return (name, tag or None, digest or None) of an image. Raises ServicesError."""
    named, at, digest = reference.partition("@")
    head, colon, tag = named.rpartition(":")
    if not colon or "/" in tag:
        head, tag = named, None
    try:
        image_names.require_name(head)
        if tag is not None:
            image_names.require_tag(tag, head)
        if at:
            image_names.require_digest(digest, head)
    except image_names.ImageNameError as error:
        raise ServicesError(str(error)) from error
    return head, tag, digest or None


def images_of(project):
    """Return the images of a canonical form by service, sorted."""
    return {name: service.get("image") for name, service in sorted(project.get("services", {}).items())}


def is_id(reference):
    """Return whether this is the ID of an image on the host; sha256:latest is the name of another."""
    return bool(image_names.DIGEST.match(reference))


def is_pinned(reference):
    return "@" in reference or is_id(reference)


def require_pinned(images):
    """Raise ServicesError if an image is not pinned by digest."""
    for service, reference in images.items():
        if not is_pinned(reference):
            name, tag, _ = split(reference)
            raise ServicesError(
                f"service {service}: the image {reference} is not pinned, so two runs may deploy different content: "
                f"write {name}:{tag or 'latest'}@sha256:... with the digest that docker buildx imagetools inspect "
                f"{reference} prints, or set docker_services_require_digest: false to have it found once and recorded"
            )


def overrides(images, pins):
    """Return the images, by service, that take the place of names; pins are by name, with a digest or as an ID."""
    return {service: pins[reference] for service, reference in images.items() if reference in pins}
