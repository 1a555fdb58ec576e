# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Where this collection comes from: its version, and its commit where it is a clone. Runs on the controller."""

import json
import os
import subprocess

import yaml


def origin(folder):
    """The version and the commit of the collection in the folder; the commit is "" where git cannot tell it."""
    return {"version": version(folder), "commit": commit(folder)}


def version(folder):
    """From the file that a clone has, or else from the one of an installed collection."""
    try:
        with open(os.path.join(folder, "galaxy.yml"), encoding="utf-8") as stream:
            return yaml.safe_load(stream)["version"]
    except FileNotFoundError:
        with open(os.path.join(folder, "MANIFEST.json"), encoding="utf-8") as stream:
            return json.load(stream)["collection_info"]["version"]


def commit(folder):
    """With -dirty where tracked files were changed. A repository around an installed collection is not its own."""
    if not os.path.exists(os.path.join(folder, ".git")):
        return ""
    command = ["git", "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        return ""
    return "" if done.returncode else done.stdout.decode().strip()
