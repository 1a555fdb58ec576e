# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tells which images stand on a base that is old, gone, deprecated, or has a successor."""

from datetime import datetime, timezone

from ansible_collections.slipway.platform.plugins.module_utils.ami_prune import moment

BASE = "slipway:base"


def stale(images, bases, days, newest=None, now=None):
    """A sentence for each image with a stale base.

    bases: those that AWS shows, which hides what others have deprecated. newest: what is baked from now.
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
        return "does not tell its base: give ami_publish_base when it is published"
    if base not in known:
        return "stands on {base}, which is gone or deprecated by its owner"
    if newest and newest["image_id"] != base and moment(newest["creation_date"]) > moment(known[base]["creation_date"]):
        return "stands on {base}, which is superseded by " + newest["image_id"]
    age = (now - moment(known[base]["creation_date"])).days
    return "stands on {base}, which is " + str(age) + " days old" if age > days else ""
