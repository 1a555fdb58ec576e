# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Client for the engine's image API: list, pull, build, tag."""

import json
import re
import tempfile
import time
from collections import deque
from urllib.parse import urlencode

from ansible_collections.slipway.platform.plugins.module_utils.daemon import engine_api
from ansible_collections.slipway.platform.plugins.module_utils.images import build_context, pull_errors
from ansible_collections.slipway.platform.plugins.module_utils.images import names as image_names
from ansible_collections.slipway.platform.plugins.module_utils.registry import keychain as registry_keychain

# Informational only; built images are identified by the record of built_images.py.
CONTENT_LABEL = "io.slipway.content-key"
# Between three attempts to pull.
PAUSE_SECONDS = (1, 3)
# With socket activation, the first answer takes as long as the engine's start.
ANSWER_SECONDS = 30
LAST_LINES = 20
KEPT_CHARACTERS = 64 * 1024
STEP = re.compile(r"Step \d+/\d+ : (?P<instruction>.*)", re.DOTALL)
# Prefixes of the builder's messages about containers and layers; the second is that of 20.10.
BUILDER_PREFIXES = (" ---> ", "Removing intermediate container ")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class ImageError(Exception):
    """An image cannot be pulled, built or tagged; the message is for the user, details is a build's output."""

    def __init__(self, message, details=""):
        super().__init__(message)
        self.details = details


class TransientImageError(ImageError):
    """A failure that is worth a retry."""


class Images:
    """The images of the engine at a socket."""

    def __init__(self, socket, pauses=PAUSE_SECONDS):
        self.socket = socket
        self.pauses = tuple(pauses)

    def answers(self):
        return engine_api.ping(self.socket, ANSWER_SECONDS)

    def inventory(self):
        """Return the engine's list of images, intermediate ones excluded. Raises ImageError."""
        answer = engine_api.get(self.socket, "/images/json", ANSWER_SECONDS)
        if answer is None:
            raise ImageError(f"the engine at {self.socket} failed to list its images: {pull_errors.UNKNOWN}")
        return json.loads(answer)

    def pull(self, name, digest, keychain):
        """Pull an image by digest, or by tag; retry transient errors. Raises ImageError and CredentialsError."""
        for pause in self.pauses:
            try:
                return self.pull_once(name, digest, keychain)
            except TransientImageError:
                time.sleep(pause)
        return self.pull_once(name, digest, keychain)

    def pull_once(self, name, digest, keychain):
        auth = keychain.credentials_for(image_names.registry_key(name))
        url = "/images/create?" + urlencode({"fromImage": name, "tag": digest})
        try:
            deque(
                engine_api.post(self.socket, url, {"X-Registry-Auth": registry_keychain.encode_header(auth)}), maxlen=0
            )
        except engine_api.EngineError as error:
            registry = image_names.registry_of(name) or "Docker Hub"
            fault = pull_errors.of(str(error), registry, keychain.account.name, bool(auth))
            reason = keychain.hide(" ".join(str(error).split()))
            error_class = TransientImageError if fault.transient else ImageError
            reference = f"{name}@{digest}" if ":" in digest else f"{name}:{digest}"
            raise error_class(f"{reference} cannot be pulled ({reason}): {fault.remedy}") from error

    def build(self, name, folder, key, keychain):
        """Build an untagged image from a folder whose content key is key; return its id. Raises ImageError."""
        url = "/build?" + urlencode({"labels": json.dumps({CONTENT_LABEL: key}), "rm": 1, "forcerm": 1})
        headers = {"X-Registry-Config": registry_keychain.encode_header(credentials_of_build(folder, keychain))}
        headers["Content-Type"] = "application/x-tar"
        log, image_id = BuildLog(), None
        with tempfile.TemporaryFile() as archive:
            if build_context.write_archive(folder, archive) != key:
                raise ImageError(f"{folder} changed while it was read: run again when nothing writes to it")
            headers["Content-Length"] = str(archive.tell())
            archive.seek(0)
            try:
                for message in engine_api.post(self.socket, url, headers, archive):
                    log.add(message.get("stream", ""))
                    image_id = (message.get("aux") or {}).get("ID", image_id)
            except engine_api.EngineError as error:
                raise log.error(name, folder, str(error).strip()) from error
        if not image_id:
            raise ImageError(f"the engine returned no image id for the build of {folder}: {pull_errors.UNKNOWN}")
        return image_id

    def tag(self, reference, name, tag):
        url = f"/images/{reference}/tag?" + urlencode({"repo": name, "tag": tag})
        try:
            deque(engine_api.post(self.socket, url), maxlen=0)
        except engine_api.EngineError as error:
            raise ImageError(f"{reference} cannot be tagged {name}:{tag} ({error}): {pull_errors.UNKNOWN}") from error


def credentials_of_build(folder, keychain):
    """The user's stored credentials, and those that a default helper has for the base images.

    Only the base images' registries can fail: whatever else the user's file names may have nothing to do with this.
    """
    return keychain.credentials_by_registry(build_context.base_registries(folder), keychain.registries())


class BuildLog:
    """The current instruction of a build, and the end of its output."""

    def __init__(self):
        self.instruction = ""
        self.tail = ""

    def add(self, text):
        step = STEP.match(text)
        if step:
            self.instruction = step.group("instruction").strip()
        self.tail = (self.tail + COLOUR.sub("", text))[-KEPT_CHARACTERS:]

    def error(self, name, folder, reason):
        """The ImageError for a failed build, with its last lines as details."""
        where = f" at {self.instruction!r}" if self.instruction else ""
        lines = [
            line.rstrip() for line in self.tail.splitlines() if line.strip() and not line.startswith(BUILDER_PREFIXES)
        ]
        return ImageError(
            f"the build of {name} from {folder} failed{where} ({reason}): correct the Dockerfile or its files",
            "\n".join(lines[-LAST_LINES:]),
        )
