# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The record of runs on this controller: written by the callback progress, read by it and by the report.

A JSON file with hosts: the last run of each (at: seconds since 1970, playbook, commit, result: ok, changed or failed);
and playbooks: for each path, the seconds that each host took.
"""

import contextlib
import json
import os
import tempfile

SCHEMA = 1


def path_of(ansible_home):
    return os.path.join(os.path.expanduser(ansible_home), "slipway", "runs.json")


def load(path):
    """Return the record; an empty one if there is none, or one that cannot be used."""
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError, RecursionError):
        found = {}
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        found = {}
    parts = {name: found.get(name) for name in ("hosts", "playbooks")}
    return {"schema": SCHEMA, **{name: part if isinstance(part, dict) else {} for name, part in parts.items()}}


def read(path):
    """Return the last run of each host by its name."""
    return {name: run for name, run in load(path)["hosts"].items() if isinstance(run, dict)}


def estimates(path, playbook):
    """Return the seconds that each host took in the playbook's previous run."""
    known = load(path)["playbooks"].get(playbook)
    known = known if isinstance(known, dict) else {}
    return {name: value for name, value in known.items() if isinstance(value, (int, float))}


def add(path, playbook, seconds, runs):
    """Merge a run into the record; a record that cannot be written is only missed by the next estimate."""
    record = load(path)
    record["hosts"].update(runs)
    record["playbooks"][playbook] = {**estimates(path, playbook), **seconds}
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor, beside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".runs-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(record, stream)
            os.replace(beside, path)
        except OSError:
            os.unlink(beside)
            raise
