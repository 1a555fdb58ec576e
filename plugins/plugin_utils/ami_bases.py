# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find images whose base image is old, gone, deprecated or superseded."""

from datetime import datetime, timezone

from ansible_collections.slipway.platform.plugins.plugin_utils.ami_prune import parse_time

BASE = "slipway:base"


def stale(images, bases, days, newest=None, now=None):
    """Return one sentence for each image with a stale base.

    bases: base images visible to this account; AWS hides images that another owner has deprecated. newest: the current
    base image.
    """
    known = {base["image_id"]: base for base in bases}
    now = now or datetime.now(timezone.utc)
    named = ((image, image["tags"].get(BASE)) for image in images)
    reasons = [(image, base, _reason(base, known, days, newest, now)) for image, base in named]
    return [
        "{} ({}) {}".format(image["name"], image["image_id"], reason.format(base=base))
        for image, base, reason in reasons
        if reason
    ]


def _reason(base, known, days, newest, now):
    if not base:
        return "has no recorded base: set ami_publish_base when publishing it"
    if base not in known:
        return "is based on {base}, which is gone or deprecated by its owner"
    created = parse_time(known[base]["creation_date"])
    if newest and newest["image_id"] != base and parse_time(newest["creation_date"]) > created:
        return "is based on {base}, which is superseded by " + newest["image_id"]
    age = (now - created).days
    return "is based on {base}, which is " + str(age) + " days old" if age > days else ""
