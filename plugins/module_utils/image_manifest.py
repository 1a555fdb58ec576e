# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tells what an image is made of, from rpm's answer; and by what, in the form of os-release."""

import hashlib
import json
import re

from ansible_collections.slipway.platform.plugins.module_utils.rpm_packages import PINNED

# src/slipway/manifest/manifest.py reads it.
FORMAT = 1
FIELDS = ("name", "epoch", "version", "release", "arch", "key")
# One line per package, fields parted by tabs. As in rpm --query --info, a signature over the header goes first.
QUERY_FORMAT = (
    "%{NAME}\t%|EPOCH?{%{EPOCH}}:{0}|\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t"
    "%|DSAHEADER?{%{DSAHEADER:pgpsig}}:{%|RSAHEADER?{%{RSAHEADER:pgpsig}}:{"
    "%|SIGGPG?{%{SIGGPG:pgpsig}}:{%|SIGPGP?{%{SIGPGP:pgpsig}}:{(none)}|}|}|}|\n"
)
KEY_ID = re.compile(r"[0-9a-f]{16}\Z")
ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]*)=([\"']?)(.*)\2\Z")
TIME = "SLIPWAY_TIME"


def packages(answer):
    """What rpm lists, sorted; the key is the ID of the one that signed the package, "" where none did."""
    found = [package_of(*line.split("\t")) for line in answer.splitlines()]
    return sorted(found, key=lambda package: [package[field] for field in FIELDS])


def package_of(name, epoch, version, release, arch, signature):
    numbers = {"epoch": int(epoch), "version": version, "release": release}
    return dict(numbers, name=name, arch=arch.replace("(none)", ""), key=key_id(signature))


def key_id(signature):
    found = KEY_ID.search(signature)
    return found.group() if found else ""


def engine_version(listed):
    """The version of the engine, "" where none is installed."""
    return next((package["version"] for package in listed if package["name"] in PINNED), "")


def operating_system(os_release):
    values = assignments(os_release)
    return {name.lower(): values.get(name, "") for name in ("ID", "VERSION_ID", "PRETTY_NAME")}


def release(made_by, listed, before, now):
    """The values of the release file; its time is now, unless it said the same before."""
    digest = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()
    values = dict(made_by, SLIPWAY_ENGINE_VERSION=engine_version(listed), SLIPWAY_PACKAGES_SHA256=digest)
    said = assignments(before)
    time = said.pop(TIME, now)
    return dict(values, **{TIME: time if said == values else now})


def assignments(text):
    """The values of a file in the form of os-release."""
    found = [ASSIGNMENT.match(line) for line in text.splitlines()]
    return {match.group(1): re.sub(r"\\(.)", r"\1", match.group(3)) for match in found if match}


def text_of(values):
    """The values in the form of os-release, which a shell can source."""
    return "".join('{}="{}"\n'.format(name, re.sub(r'([\\"$`])', r"\\\1", value)) for name, value in values.items())
