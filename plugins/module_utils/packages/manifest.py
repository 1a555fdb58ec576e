# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Build the package manifest of an image, and its release file in the format of os-release."""

import hashlib
import json
import re

from ansible_collections.slipway.platform.plugins.module_utils.host import os_release
from ansible_collections.slipway.platform.plugins.module_utils.packages.rpm import PINNED

# src/slipway/manifest/manifest.py reads it.
FORMAT = 1
FIELDS = ("name", "epoch", "version", "release", "arch", "key")
# One line per package, tab-separated. As in rpm --query --info, a signature of the header takes precedence.
QUERY_FORMAT = (
    "%{NAME}\t%|EPOCH?{%{EPOCH}}:{0}|\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t"
    "%|DSAHEADER?{%{DSAHEADER:pgpsig}}:{%|RSAHEADER?{%{RSAHEADER:pgpsig}}:{"
    "%|SIGGPG?{%{SIGGPG:pgpsig}}:{%|SIGPGP?{%{SIGPGP:pgpsig}}:{(none)}|}|}|}|\n"
)
KEY_ID = re.compile(r"[0-9a-f]{16}\Z")
TIME = "SLIPWAY_TIME"


def packages(answer):
    """Return the packages in rpm's output, sorted; key is the ID of the signing key, "" if unsigned."""
    found = [package_of(*line.split("\t")) for line in answer.splitlines()]
    return sorted(found, key=lambda package: [package[field] for field in FIELDS])


def package_of(name, epoch, version, release, arch, signature):
    numbers = {"epoch": int(epoch), "version": version, "release": release}
    return dict(numbers, name=name, arch=arch.replace("(none)", ""), key=key_id(signature))


def key_id(signature):
    found = KEY_ID.search(signature)
    return found.group() if found else ""


def engine_version(listed):
    """Return the version of the engine, "" if none is installed."""
    return next((package["version"] for package in listed if package["name"] in PINNED), "")


def operating_system(values):
    """The distribution, of the assignments of os-release."""
    return {name.lower(): values.get(name, "") for name in ("ID", "VERSION_ID", "PRETTY_NAME")}


def release(made_by, listed, before, now):
    """Return the values of the release file; the time changes only if another value does."""
    digest = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()
    values = dict(made_by, SLIPWAY_ENGINE_VERSION=engine_version(listed), SLIPWAY_PACKAGES_SHA256=digest)
    previous = os_release.parse(before)
    time = previous.pop(TIME, now)
    return dict(values, **{TIME: time if previous == values else now})


def text_of(values):
    """Format the values like os-release, which a shell can source."""
    return "".join('{}="{}"\n'.format(name, re.sub(r'([\\"$`])', r"\\\1", value)) for name, value in values.items())
