# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Plans of images to pull, build and tag. Tags are set only after all images are present."""

import os
from collections import namedtuple

from ansible_collections.slipway.platform.plugins.module_utils.host import files
from ansible_collections.slipway.platform.plugins.module_utils.images import build_context, built_images
from ansible_collections.slipway.platform.plugins.module_utils.images import names as image_names
from ansible_collections.slipway.platform.plugins.module_utils.images.engine_images import (
    ImageError,
    credentials_of_build,
)

DEFAULT_BUILD_TAGS = ["latest"]

# A requested image. digest is None for one to build, folder for one to pull.
Item = namedtuple("Item", ["name", "digest", "folder", "tags"])
# The image ids of an engine, by reference (name:tag and name@digest) and by content key.
Stock = namedtuple("Stock", ["references", "keys"])
# The plan for an item. key is the content key of its folder; image_id is None until it is pulled or built.
Plan = namedtuple("Plan", ["item", "key", "image_id", "missing_tags"])


class RequestError(ValueError):
    """The request is invalid; the message is for the user."""


def resolve(images):
    """Turn the module's parameter into Items. Raises RequestError."""
    items = [resolve_one(image) for image in images]
    references = [reference for item in items for reference in references_of(item)]
    for reference in references:
        if references.count(reference) > 1:
            raise RequestError(f"{reference} is listed twice: list each image and tag once")
    return items


def resolve_one(image):
    name, digest, folder, tags = image["name"], image["digest"], image["build"], image["tags"]
    try:
        image_names.require_name(name)
        for tag in tags or []:
            image_names.require_tag(tag, name)
        if digest is not None:
            image_names.require_digest(digest, name)
    except image_names.ImageNameError as error:
        raise RequestError(str(error)) from error
    if folder is not None and not os.path.isabs(folder):
        raise RequestError(f"the folder {folder} of {name} is not an absolute path: start it with /")
    if folder is not None and tags is not None and not tags:
        raise RequestError(
            f"{name} is built and has an empty list of tags, so it would have no name: add a tag, or remove tags"
        )
    return Item(name, digest, folder, tags or ([] if folder is None else DEFAULT_BUILD_TAGS))


def digest_reference(item):
    return f"{image_names.familiar(item.name)}@{item.digest}"


def tag_reference(item, tag):
    return f"{image_names.familiar(item.name)}:{tag}"


def references_of(item):
    """All references that the item should have."""
    tagged = [tag_reference(item, tag) for tag in item.tags]
    return ([digest_reference(item)] if item.digest else []) + tagged


def content_keys(items):
    """Return a dict of folders to content keys. Raises RequestError."""
    folders = [item.folder for item in items if item.folder]
    try:
        for folder in folders:
            build_context.require_folder(folder)
        return {folder: build_context.content_key(folder) for folder in folders}
    except build_context.ContextError as error:
        raise RequestError(str(error)) from error


def stock(inventory, built):
    """The Stock of an engine, from its list of images and the record of built ones."""
    references = {
        reference: image["Id"]
        for image in inventory
        for reference in (image.get("RepoTags") or []) + (image.get("RepoDigests") or [])
    }
    present = {image["Id"] for image in inventory}
    return Stock(references, {key: image_id for key, image_id in built.items() if image_id in present})


def make(items, keys, available):
    """Return a Plan for each item, in order."""
    return [make_one(item, keys.get(item.folder), available) for item in items]


def make_one(item, key, available):
    image_id = available.references.get(digest_reference(item)) if item.digest else available.keys.get(key)
    missing = [
        tag for tag in item.tags if not image_id or available.references.get(tag_reference(item, tag)) != image_id
    ]
    return Plan(item, key, image_id, missing)


def is_done(plan):
    return bool(plan.image_id) and not plan.missing_tags


def require_record(plans):
    """Raise RequestError if the record of built images will be needed and is not writable."""
    if any(plan.item.folder and plan.image_id is None for plan in plans) and not built_images.is_writable():
        raise RequestError(
            f"{built_images.RECORD}, the record of built images, is not writable: run the task with become: true"
        )


def read_credentials(plans, keychain):
    """Read the credentials that fetch will need, so that unreadable ones fail before any pull."""
    for plan in plans:
        if plan.image_id is None and plan.item.digest:
            keychain.credentials_for(image_names.registry_key(plan.item.name))
        elif plan.image_id is None:
            credentials_of_build(plan.item.folder, keychain)


def fetch(plans, images, keychain):
    """Pull and build the missing images. Raises ImageError and CredentialsError."""
    for plan in plans:
        if plan.image_id is None and plan.item.digest:
            images.pull(plan.item.name, plan.item.digest, keychain)
        elif plan.image_id is None:
            record(plan.key, images.build(plan.item.name, plan.item.folder, plan.key, keychain))


def record(key, image_id):
    try:
        built_images.add(key, image_id)
    except files.WriteError as error:
        raise ImageError(str(error)) from error


def give_tags(plans, images):
    """Set the missing tags. Raises ImageError."""
    for plan in plans:
        if plan.image_id is None:
            raise ImageError(f"{plan.item.name} is missing although it was pulled or built: see journalctl -u docker")
        for tag in plan.missing_tags:
            images.tag(plan.image_id, plan.item.name, tag)


def difference(plans, available):
    """A diff entry for Ansible: the references that change, and their images."""
    pending = [plan for plan in plans if not is_done(plan)]
    before, after = [], []
    for plan in pending:
        source = plan.image_id or (f"built from {plan.item.folder}" if plan.item.folder else "pulled")
        for reference in references_of(plan.item):
            if reference in available.references:
                before.append(f"{reference} {available.references[reference]}\n")
            after.append(f"{reference} {source}\n")
    return {"before": "".join(before), "after": "".join(after)}


def outcome(before, after):
    """The module's return value about an image; id is empty in check mode if the image is missing."""
    return {"name": before.item.name, "id": after.image_id or "", "changed": not is_done(before)}
