# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads what the image wants of a boot, and what this instance wants otherwise. Neither file holds a secret."""

import json

from slipway_firstboot.errors import StepError

# What an instance may decide. Whose commits are trusted, and whose repository it is, is the image's to say.
OF_AN_INSTANCE = {"wait_for": list, "pull_checkout": str, "pull_playbook": str}


def read(path, instance_path):
    """The settings of the image with those of the instance, which may be absent, laid over them."""
    settings = load(path)
    if settings is None:
        raise StepError(f"{path} is missing: run role docker_firstboot again")
    own = load(instance_path) or {}
    for name, value in own.items():
        if not isinstance(value, OF_AN_INSTANCE.get(name, ())):
            raise StepError(
                f"{instance_path} may hold {', '.join(OF_AN_INSTANCE)} (a list, a text, a text), and {name} is none of "
                "them: correct the instance's user data"
            )
    return dict(settings, **own)


def load(path):
    """The dictionary that a file holds; None where there is no file."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StepError(f"{path} cannot be read ({error}): mend it") from error
    if not isinstance(content, dict):
        raise StepError(f"{path} is no JSON object: mend it")
    return content
