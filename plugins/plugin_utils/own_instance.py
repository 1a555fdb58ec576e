# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find out which EC2 instance the controller runs on.

Source: "Detect whether a host is an EC2 instance", Amazon EC2 User Guide, read in November 2026. On the
Nitro System the firmware names the instance, which a container can read as well; on Xen only the metadata service does.
"""

import http.client
import os
import re

INSTANCE = re.compile(r"\Ai-[0-9a-f]{8,17}\Z")
ENDPOINT = "169.254.169.254"
SECONDS = 2
LARGEST_ANSWER = 1024  # bytes; a token has 56
FIRMWARE = "sys/class/dmi/id"


def own_instance(root="/", endpoint=ENDPOINT):
    """Return the ID of the instance, "" outside EC2, and "unknown" on EC2 if nothing tells the ID."""
    firmware = {name: _read(root, FIRMWARE, name) for name in ("board_asset_tag", "sys_vendor", "bios_version")}
    if INSTANCE.match(firmware["board_asset_tag"]):
        return firmware["board_asset_tag"]
    if firmware["sys_vendor"] != "Amazon EC2" and "amazon" not in firmware["bios_version"]:
        return ""
    try:
        found = _from_metadata(endpoint)
    except (OSError, ValueError, http.client.HTTPException):
        found = ""
    return found if INSTANCE.match(found) else "unknown"


def _read(*path):
    try:
        with open(os.path.join(*path), encoding="ascii", errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return ""


def _from_metadata(endpoint):
    """Ask the metadata service: directly, and at no other address that an answer may name."""
    connection = http.client.HTTPConnection(endpoint, timeout=SECONDS)
    try:
        token = _answer(connection, "PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
        return _answer(connection, "GET", "/latest/meta-data/instance-id", {"X-aws-ec2-metadata-token": token})
    finally:
        connection.close()


def _answer(connection, method, path, headers):
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    text = answer.read(LARGEST_ANSWER).decode("ascii").strip()
    if answer.status != 200:
        raise OSError(f"{path} was answered with status {answer.status}")
    return text
