# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Find the version of this collection, and its commit if it is a clone."""

import json
import os
import subprocess

import yaml


def origin(folder):
    """Return the version and the commit of the collection in the folder; the commit is "" if git cannot find it."""
    return {"version": version(folder), "commit": commit(folder)}


def version(folder):
    """Return the version from galaxy.yml of a clone or MANIFEST.json of an installed collection."""
    try:
        with open(os.path.join(folder, "galaxy.yml"), encoding="utf-8") as stream:
            return yaml.safe_load(stream)["version"]
    except FileNotFoundError:
        with open(os.path.join(folder, "MANIFEST.json"), encoding="utf-8") as stream:
            return json.load(stream)["collection_info"]["version"]


def commit(folder):
    """Return the commit, with -dirty if tracked files are modified.

    A repository around an installed collection is not the collection's own.
    """
    if not os.path.exists(os.path.join(folder, ".git")):
        return ""
    command = ["git", "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stdout.decode().strip()
