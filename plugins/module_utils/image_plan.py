# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Decides which images a host lacks, and gets them; no tag is moved before all of them are there."""

import os
from collections import namedtuple

from ansible_collections.slipway.platform.plugins.module_utils import build_context, image_names
from ansible_collections.slipway.platform.plugins.module_utils.engine_images import (
    CONTENT_LABEL,
    ImageError,
    credentials_of_build,
)

DEFAULT_BUILD_TAGS = ["latest"]

# An image that is wanted; digest is None for one that is built, folder for one that is pulled.
Item = namedtuple("Item", ["name", "digest", "folder", "tags"])
# What an engine has: image ids by reference (name:tag and name@digest), and by content key.
Stock = namedtuple("Stock", ["references", "keys"])
# What becomes of an item: key is that of its folder, image_id None when it is to be pulled or built.
Plan = namedtuple("Plan", ["item", "key", "image_id", "missing_tags"])


class RequestError(ValueError):
    """What is asked for cannot be; the text is the sentence for the user."""


def resolve(images):
    """The items in the module's parameter. Raises RequestError for what no host could have."""
    items = [resolve_one(image) for image in images]
    references = [reference for item in items for reference in references_of(item)]
    for reference in references:
        if references.count(reference) > 1:
            raise RequestError(f"{reference} is listed twice: list every image and every tag once")
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
        raise RequestError(f"the folder {folder} of {name} is not an absolute path: name it from the root of the host")
    if folder is not None and tags is not None and not tags:
        raise RequestError(
            f"{name} is built and has no tag, so that nobody would find it: give it tags or leave them out"
        )
    return Item(name, digest, folder, tags or ([] if folder is None else DEFAULT_BUILD_TAGS))


def digest_reference(item):
    return f"{image_names.familiar(item.name)}@{item.digest}"


def tag_reference(item, tag):
    return f"{image_names.familiar(item.name)}:{tag}"


def references_of(item):
    """Every reference under which the engine is to have the item."""
    tagged = [tag_reference(item, tag) for tag in item.tags]
    return ([digest_reference(item)] if item.digest else []) + tagged


def content_keys(items):
    """The content key of every folder."""
    folders = [item.folder for item in items if item.folder]
    try:
        for folder in folders:
            build_context.require_folder(folder)
        return {folder: build_context.content_key(folder) for folder in folders}
    except build_context.ContextError as error:
        raise RequestError(str(error)) from error


def stock(inventory):
    """What is in the engine's list of images.

    A content key is inherited by images that others make FROM ours: the oldest image that has it is ours.
    """
    references, keys = {}, {}
    for image in sorted(inventory, key=lambda image: image["Created"], reverse=True):
        for reference in (image.get("RepoTags") or []) + (image.get("RepoDigests") or []):
            references[reference] = image["Id"]
        if CONTENT_LABEL in (image.get("Labels") or {}):
            keys[image["Labels"][CONTENT_LABEL]] = image["Id"]
    return Stock(references, keys)


def make(items, keys, available):
    """The plans for the items, in their order."""
    return [make_one(item, keys.get(item.folder), available) for item in items]


def make_one(item, key, available):
    image_id = available.references.get(digest_reference(item)) if item.digest else available.keys.get(key)
    missing = [
        tag for tag in item.tags if not image_id or available.references.get(tag_reference(item, tag)) != image_id
    ]
    return Plan(item, key, image_id, missing)


def is_done(plan):
    return bool(plan.image_id) and not plan.missing_tags


def read_credentials(plans, keychain):
    """Read what fetch is going to need, so that what cannot be read is found before anything is got."""
    for plan in plans:
        if plan.image_id is None and plan.item.digest:
            keychain.of(image_names.registry_key(plan.item.name))
        elif plan.image_id is None:
            credentials_of_build(plan.item.folder, keychain)


def fetch(plans, images, keychain):
    """Pull and build what is not there."""
    for plan in plans:
        if plan.image_id is None and plan.item.digest:
            images.pull(plan.item.name, plan.item.digest, keychain)
        elif plan.image_id is None:
            images.build(plan.item.name, plan.item.folder, plan.key, keychain)


def give_tags(plans, images):
    """Give the tags that are missing to images that are there."""
    for plan in plans:
        if plan.image_id is None:
            raise ImageError(f"{plan.item.name} is not there though it was got: look at journalctl -u docker")
        for tag in plan.missing_tags:
            images.tag(plan.image_id, plan.item.name, tag)


def difference(plans, available):
    """What Ansible shows for --diff: the references of what is not as it should be, and what each stands for."""
    waiting = [plan for plan in plans if not is_done(plan)]
    before, after = [], []
    for plan in waiting:
        source = plan.image_id or (f"built from {plan.item.folder}" if plan.item.folder else "pulled")
        for reference in references_of(plan.item):
            if reference in available.references:
                before.append(f"{reference} {available.references[reference]}\n")
            after.append(f"{reference} {source}\n")
    return {"before": "".join(before), "after": "".join(after)}


def outcome(before, after):
    """What the module returns of an image; the id is empty in check mode for one that is not there yet."""
    return {"name": before.item.name, "id": after.image_id or "", "changed": not is_done(before)}
