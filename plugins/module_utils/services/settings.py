# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Checks of the listed projects that need no host, and the forms in which their settings are used."""

import json
import re

# What Compose accepts as the name of a project.
NAME = re.compile(r"\A[a-z0-9][a-z0-9_-]{0,62}\Z", re.ASCII)
VARIABLE = re.compile(r"\A[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
# Variables that direct the docker command, and so do not belong to a compose file.
RESERVED = re.compile(r"\A(?:PATH|HOME|LC_ALL|(?:DOCKER|COMPOSE|BUILDKIT|LD)_.*)\Z")
AUTO, COMPOSE, STACK = "auto", "compose", "stack"
MODES = (AUTO, COMPOSE, STACK)
HIGHEST_UID = 2**32 - 2
# Shorter lines of a secret would be replaced wherever else they appear.
SHORTEST_LINE = 8
LIST = "docker_services_list"


def problems(settings):
    """Return a sentence for each mistake; settings are the role's variables without their prefix."""
    listed = settings["list"]
    if not isinstance(listed, list):
        return [f"{LIST} is not a list: write one, such as [{{name: web, compose: files/web.yml}}]."]
    found = [phrase for number, entry in enumerate(listed, 1) for phrase in entry_problems(entry, number)]
    names = [entry.get("name") for entry in listed if isinstance(entry, dict)]
    found += [f"{LIST} lists {name} more than once: keep one entry" for name in names if names.count(name) > 1]
    return [f"{phrase}." for phrase in dict.fromkeys(found)]


def entry_problems(entry, number):
    if not isinstance(entry, dict):
        return [f"entry {number} of {LIST} is not a mapping: write name and compose"]
    name = entry.get("name")
    if not isinstance(name, str) or not NAME.match(name):
        return [
            f"entry {number} of {LIST} has the name {name!r}: use up to 63 lower-case letters, digits, '-' and '_', "
            "and begin with a letter or a digit"
        ]
    place = f"{LIST}: {name}"
    present = (entry.get("state") or "present") == "present"
    found = compose_problems(entry.get("compose"), place) if present else []
    if entry.get("remove_volumes") and present:
        found.append(f"{place}: remove_volumes deletes data, and goes with state: absent only")
    return found + variable_problems(entry, place)


def compose_problems(compose, place):
    if isinstance(compose, dict) and compose.get("services"):
        return []
    if isinstance(compose, dict):
        return [f"{place}: the compose file has no services: list them below the key services"]
    if isinstance(compose, str) and compose.strip():
        return []
    return [f"{place} has no compose: set it to the path of a compose file on the controller, or write it there"]


def variable_problems(entry, place):
    """Return the phrases about environment and secrets."""
    environment, secrets = entry.get("environment") or {}, entry.get("secrets") or []
    if not isinstance(environment, dict):
        return [f"{place}: environment is not a mapping: write one, such as {{LEVEL: info}}"]
    found = []
    for key, value in environment.items():
        found += name_problems(key, f"{place}: environment", key)
        if not isinstance(value, str):
            found.append(f"{place}: the value of {key} in environment is not a text: quote it")
    if not isinstance(secrets, list):
        return [*found, f"{place}: secrets is not a list: write one, such as [{{name: key, value: ...}}]"]
    listed = [secret for secret in secrets if isinstance(secret, dict)]
    names = [secret.get("name") for secret in listed]
    for name in names:
        found += name_problems(name, f"{place}: secrets", name)
    for secret in listed:
        if isinstance(secret.get("uid"), int) and not 0 <= secret["uid"] <= HIGHEST_UID:
            found.append(f"{place}: the secret {secret.get('name')} has the uid {secret['uid']}: set one from 0 on")
        if "\0" in str(secret.get("value")):
            found.append(f"{place}: the secret {secret.get('name')} has a NUL byte: encode it, such as in Base64")
    found += [f"{place}: the secret {name} is listed more than once" for name in names if names.count(name) > 1]
    return found + [
        f"{place}: {name} is in environment and in secrets: rename one" for name in names if name in list(environment)
    ]


def name_problems(name, place, shown):
    if not isinstance(name, str) or not VARIABLE.match(name):
        return [f"{place}: {shown!r} is not the name of a variable: use letters, digits and '_'"]
    if RESERVED.match(name):
        return [f"{place}: {name} directs the docker command itself: choose another name"]
    return []


def text_of(compose):
    """Return the text of a compose file, which may be written as a mapping. JSON is YAML, so no host needs a library.

    The key version is obsolete, and would have to be the same in every file that is merged.
    """
    if isinstance(compose, dict):
        return json.dumps({key: value for key, value in compose.items() if key != "version"}, indent=2) + "\n"
    return re.sub(r"(?m)^version:.*\n?", "", compose)


def shown_forms(secrets):
    """Return the other forms in which secrets can appear: with each $ doubled, as Compose prints a value that it has
    filled in, and the lines of one that has several, of which a log may have only some.
    """
    lines = {line for secret in secrets for line in secret.splitlines() if len(line) >= SHORTEST_LINE}
    return {text.replace("$", "$$") for text in {*secrets, *lines}} | lines


def variables_of(entry):
    """Return the values for ${NAME} in the compose file: environment and secrets."""
    return {**(entry["environment"] or {}), **{secret["name"]: secret["value"] for secret in entry["secrets"] or []}}
