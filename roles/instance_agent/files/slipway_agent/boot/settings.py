# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads the settings of the image and those of this instance. Neither file contains a secret."""

import json

from slipway_agent.boot import values
from slipway_agent.boot.errors import StepError

# Settings that an instance may override. The repository and the trusted keys are set by the image only.
OF_AN_INSTANCE = ("wait_for", "pull_checkout", "pull_playbook")


def read(path, instance_path):
    """Return the image's settings, overridden by those of the instance, whose file may be missing.

    Raises StepError for a value that must not be passed to a program.
    """
    settings = load(path)
    if settings is None:
        raise StepError(f"{path} is missing: run the role docker_firstboot again")
    own = load(instance_path) or {}
    unknown = sorted(set(own) - set(OF_AN_INSTANCE))
    if unknown:
        raise StepError(
            f"{instance_path} may set {', '.join(OF_AN_INSTANCE)} only, not {', '.join(unknown)}: correct the "
            "instance's user data"
        )
    for content, place, remedy in (
        (own, instance_path, "Correct the instance's user data."),
        (settings, path, "Run the role docker_firstboot again."),
    ):
        found = values.problems(content, "{} in " + place)
        if found:
            raise StepError(" ".join([*found, remedy]))
    return dict(settings, **own)


def load(path):
    """Return the dictionary in a JSON file, or None if the file does not exist."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise StepError(f"{path} cannot be read ({error}): fix or remove it") from error
    if not isinstance(content, dict):
        raise StepError(f"{path} is not a JSON object: fix or remove it")
    return content
