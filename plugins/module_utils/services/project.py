# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The folder of a project on the host: its versions, its secrets and its record, for root alone.

current/ is the version that was deployed last, previous/ the healthy one before it. A version is the compose file in
its canonical form, with all variables filled in. A secret has a number in its file's name that grows with each change:
Compose recreates the containers that use it, since the path of what they mount has changed, and the version before
still finds its own.
"""

import json
import os
import re
import shutil
import stat

from ansible_collections.slipway.platform.plugins.module_utils.host import files, labels
from ansible_collections.slipway.platform.plugins.module_utils.module import parameter_secrets
from ansible_collections.slipway.platform.plugins.module_utils.services.errors import ServicesError

DIRECTORY = "/var/lib/slipway/services"
CURRENT, PREVIOUS, NEXT = "current", "previous", "next"
COMPOSE_FILE, STACK_FILE = "compose.json", "stack.yaml"
# mode: compose or stack. pending: current was not healthy yet. pins: digests of images by the names in the compose
# file. hashes: what Compose labelled the containers of a service with.
EMPTY: "dict[str, object]" = {"mode": None, "pending": False, "pins": {}, "hashes": {}}
SECRET_FILE = re.compile(r"\A(?P<name>\w+)\.(?P<number>[0-9]+)\Z", re.ASCII)
SECRET_MODE = 0o400
# With SELinux, the only one that containers may read.
LABEL = "system_u:object_r:container_file_t:s0"


class Project:
    """What a host has of one project."""

    def __init__(self, name, directory=DIRECTORY):
        self.name = name
        self.folder = os.path.join(directory, name)
        self.secrets_folder = os.path.join(self.folder, "secrets")
        self.record = {**EMPTY, **read_json(os.path.join(self.folder, "record.json"))}

    def path(self, version, name=COMPOSE_FILE):
        return os.path.join(self.folder, version, name)

    def exists(self):
        return os.path.isdir(self.folder)

    def version(self, version=CURRENT):
        """Return the canonical form of a version; {} if there is none."""
        return read_json(self.path(version))

    def is_pending(self):
        """Whether the current version was never healthy, as after a run that was killed."""
        return self.record["pending"] or not os.path.exists(self.path(CURRENT))

    def known_hashes(self):
        """Return what the services of the current version were made from, as far as that is known."""
        return {} if self.is_pending() else self.record["hashes"]

    def last_healthy(self):
        """Return the name of the last version that was healthy, or None."""
        version = PREVIOUS if self.is_pending() else CURRENT
        return version if os.path.exists(self.path(version)) else None

    def save_record(self, **changes):
        self.record.update(changes)
        files.write_atomically(
            os.path.join(self.folder, "record.json"), json.dumps(self.record, indent=2, sort_keys=True) + "\n", 0o600
        )

    def place_secrets(self, secrets, taken=0):
        """Return (path, value, owner, is new) by name, for secrets in the module's form; nothing is written.

        taken is the last number that another host has used.
        """
        return {secret["name"]: self.place_secret(secret, taken) for secret in secrets}

    def place_secret(self, secret, taken):
        numbers = [number for name, number in self.secret_files() if name == secret["name"]]
        newest, owner = max(numbers, default=0), secret["uid"] or 0
        path = self.secret_path(secret["name"], newest)
        if newest and is_secret(path, secret["value"], owner):
            return path, secret["value"], owner, False
        return self.secret_path(secret["name"], max(newest, taken) + 1), secret["value"], owner, True

    def secret_path(self, name, number):
        return os.path.join(self.secrets_folder, f"{name}.{number}")

    def secret_files(self):
        """Return (name, number) of each file."""
        found = os.listdir(self.secrets_folder) if os.path.isdir(self.secrets_folder) else []
        matches = [match for match in map(SECRET_FILE.match, found) if match]
        return [(match.group("name"), int(match.group("number"))) for match in matches]

    def prepare(self, texts, placed, mode):
        """Write the next version and its secrets. texts are its files by name. Raises WriteError."""
        for folder in (self.folder, self.secrets_folder, self.path(NEXT, "")):
            files.make_directory(folder.rstrip("/"), 0o700)
            os.chmod(folder, 0o700)
        for path, value, owner, is_new in placed:
            if is_new:
                write_secret(path, value, owner)
        for name, text in texts.items():
            files.write_atomically(self.path(NEXT, name), text, 0o600)
        self.save_record(mode=mode)

    def advance(self):
        """Make the next version the current one, which has to prove itself, and keep the last healthy one."""
        if self.last_healthy() == CURRENT:
            # Before the current version goes: without one, the version before is known to be the last healthy one.
            self.move(CURRENT, PREVIOUS)
        self.save_record(pending=True)
        self.move(NEXT, CURRENT)

    def move(self, version, place):
        """Put a version in the place of another, which goes."""
        # There may be none; one that cannot be removed makes the rename fail.
        shutil.rmtree(self.path(place, ""), ignore_errors=True)
        os.rename(self.path(version, ""), self.path(place, ""))

    def go_back(self):
        """Make the last healthy version the current one; return whether there is one."""
        if not os.path.exists(self.path(PREVIOUS)):
            return False
        self.move(PREVIOUS, CURRENT)
        self.save_record(pending=False)
        return True

    def settle(self, hashes, pins):
        """Record that the current version is healthy, and remove secrets that no version uses."""
        self.save_record(pending=False, hashes=hashes, pins=pins)
        self.remove_old_secrets()

    def remove_old_secrets(self):
        used = {
            secret.get("file")
            for version in (CURRENT, PREVIOUS)
            for secret in (self.version(version).get("secrets") or {}).values()
        }
        for name, number in self.secret_files():
            path = self.secret_path(name, number)
            if path not in used:
                files.remove(path)

    def forget(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        files.remove_if_empty(os.path.dirname(self.folder))


def read_json(path):
    """Return the dict in a file; {} if it is absent. Raises ServicesError if it is damaged."""
    text = files.read_text(path)
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ServicesError(f"{path} is damaged: remove it, and run again to deploy the project")
    return found


def is_secret(path, value, owner):
    """Whether the file has this secret for this owner."""
    status = os.stat(path)
    return files.read_text(path) == value and status.st_uid == owner and stat.S_IMODE(status.st_mode) == SECRET_MODE


def write_secret(path, value, owner):
    files.write_atomically(path, value, SECRET_MODE)
    if labels.wanted(path, stat.S_IFREG):
        labels.put(path, LABEL)
    if owner:
        os.chown(path, owner, 0)


def shown(project):
    """Return the text of a canonical form for a difference, without what is a secret by its name.

    The compose file may have been encrypted on the controller.
    """
    services = {
        name: {**service, "environment": shown_environment(service["environment"])}
        if service.get("environment")
        else service
        for name, service in project.get("services", {}).items()
    }
    return render({**project, "services": services})


def shown_environment(environment):
    hidden = parameter_secrets.hidden(environment)
    return {name: value if name.endswith("_FILE") else hidden[name] for name, value in environment.items()}


def render(project):
    """Return the text of a canonical form."""
    return json.dumps(project, indent=2, sort_keys=True) + "\n"
