# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check user data, which an instance meets only when it boots: their size, their form, and that they hold no secret."""

import re

import yaml
from ansible_collections.slipway.platform.plugins.plugin_utils import firstboot_values, plain_secrets, quoting

MAX_BYTES = 16 << 10  # of AWS, before they are encoded in base64
LONGEST_NAME = 64  # of a host, in Linux
CLOUD_CONFIG = re.compile(rb"\A#cloud-config(?!-)")
EVERY_PROCESS = "every process on the instance can read it"


def problems(text, hostname="", ready_seconds=1):
    """Return one sentence for each obstacle in the user data that the role user_data would write."""
    data = plain_secrets.to_bytes(text)
    found = [
        *size_problems("the user data", data, "take something out of user_data_cloud_config"),
        *_yaml_problems(data),
    ]
    found = [sentence[0].upper() + sentence[1:] for sentence in found]
    secrets = sorted({what for what, _ in plain_secrets.in_user_data(data)})
    if plain_secrets.TOO_LARGE in secrets:
        secrets.remove(plain_secrets.TOO_LARGE)
        found.append(f"The user data would contain {plain_secrets.TOO_LARGE} for secrets: make it smaller")
    if secrets:
        found.append(
            f"The user data would contain {' and '.join(secrets)}, and {EVERY_PROCESS}: store secrets in AWS Secrets "
            "Manager and let the instance's role fetch them"
        )
    unquoted = quoting.problems({"user_data_hostname": hostname})
    found += unquoted
    if hostname and not unquoted and not (firstboot_values.is_host_name(hostname) and len(hostname) <= LONGEST_NAME):
        found.append(
            "user_data_hostname is not a host name: use up to 64 letters, digits, dots and hyphens, for example web-1"
        )
    if not _is_positive(ready_seconds):
        found.append("user_data_ready_seconds is not a number of seconds: set it to 1 or more")
    return [f"{sentence}." for sentence in found]


def file_problems(name, text):
    """Return one sentence, without a period, for each obstacle in a user data file; name: what it is called."""
    data = plain_secrets.to_bytes(text)
    found = [*size_problems(name, data, "bake more into the image"), *_yaml_problems(data, name)]
    for what, line in plain_secrets.in_user_data(data):
        place = f" on line {line}" if line else ""
        if what == plain_secrets.TOO_LARGE:
            found.append(f"{name} has {what} for secrets: make it smaller")
            continue
        found.append(
            f"{name} has {what}{place}, where anyone allowed to describe the launch template can read it: store it in "
            "Secrets Manager and let the instance's role fetch it"
        )
    return found


def size_problems(name, data, remedy):
    if len(data) <= MAX_BYTES:
        return []
    return [f"{name} has {len(data)} bytes, but AWS accepts at most {MAX_BYTES}: {remedy}"]


def _yaml_problems(data, name="the user data"):
    """cloud-init would only log that it cannot read its configuration."""
    if not CLOUD_CONFIG.match(data):
        return []
    try:
        content = plain_secrets.parsed(data)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return [f"{name} is not UTF-8 on line {line}, so cloud-init would ignore it: save it in UTF-8"]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" on line {mark.line + 1}" if mark else ""
        return [f"{name} is not valid YAML{where}, so cloud-init would ignore it: correct it"]
    except (yaml.YAMLError, ValueError, RecursionError):
        return [f"{name} is not valid YAML, so cloud-init would ignore it: correct it"]
    if content is not None and not isinstance(content, dict):
        return [f"{name} is not a YAML mapping, so cloud-init would ignore it: write keys such as runcmd"]
    return []


def _is_positive(value):
    try:
        return not isinstance(value, bool) and int(value) > 0
    except (TypeError, ValueError, OverflowError):
        return False
