# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Lists, pulls, builds and tags images through the engine's API."""

import json
import re
import tempfile
import time
from collections import deque
from urllib.parse import urlencode

from ansible_collections.slipway.platform.plugins.module_utils import (
    build_context,
    engine_api,
    image_names,
    pull_credentials,
    pull_fault,
)

# By it a built image is known again.
CONTENT_LABEL = "io.slipway.content-key"
# Between the three tries of a pull.
PAUSE_SECONDS = (1, 3)
# A socket that systemd holds answers when the engine has been started for it.
ANSWER_SECONDS = 30
LAST_LINES = 20
KEPT_CHARACTERS = 64 * 1024
STEP = re.compile(r"Step \d+/\d+ : (?P<instruction>.*)", re.DOTALL)
# So the builder tells of its containers and layers; the second as 20.10 does.
BUILDER_MARKS = (" ---> ", "Removing intermediate container ")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class ImageError(Exception):
    """An image could not be had; the text is the sentence for the user, details are what a build has printed."""

    def __init__(self, sentence, details=""):
        super().__init__(sentence)
        self.details = details


class Passing(ImageError):
    """It may be otherwise in a moment."""


class Images:
    """The images of an engine, got with the credentials of a keychain."""

    def __init__(self, socket, pauses=PAUSE_SECONDS):
        self.socket = socket
        self.pauses = tuple(pauses)

    def answers(self):
        return engine_api.ping(self.socket, ANSWER_SECONDS)

    def inventory(self):
        """All images but the layers of others, as the engine lists them."""
        answer = engine_api.get(self.socket, "/images/json", ANSWER_SECONDS)
        if answer is None:
            raise ImageError(f"the engine at {self.socket} does not list its images: {pull_fault.UNKNOWN}")
        return json.loads(answer)

    def pull(self, name, digest, keychain):
        """Have an image by its digest. What may pass by itself is tried again, a denial is not."""
        for pause in self.pauses:
            try:
                return self.pull_once(name, digest, keychain)
            except Passing:
                time.sleep(pause)
        return self.pull_once(name, digest, keychain)

    def pull_once(self, name, digest, keychain):
        auth = keychain.of(image_names.registry_key(name))
        url = "/images/create?" + urlencode({"fromImage": name, "tag": digest})
        try:
            deque(engine_api.post(self.socket, url, {"X-Registry-Auth": pull_credentials.as_header(auth)}), maxlen=0)
        except engine_api.EngineError as error:
            registry = image_names.registry_of(name) or "Docker Hub"
            fault = pull_fault.of(str(error), registry, keychain.account.name, bool(auth))
            reason = keychain.hide(" ".join(str(error).split()))
            kind = Passing if fault.passes else ImageError
            raise kind(f"{name}@{digest} cannot be pulled ({reason}): {fault.sentence}") from error

    def build(self, name, folder, key, keychain):
        """Build an image without a name."""
        url = "/build?" + urlencode({"labels": json.dumps({CONTENT_LABEL: key}), "rm": 1, "forcerm": 1})
        headers = {"X-Registry-Config": pull_credentials.as_header(credentials_of_build(folder, keychain))}
        headers["Content-Type"] = "application/x-tar"
        log = BuildLog()
        with tempfile.TemporaryFile() as archive:
            build_context.write_archive(folder, archive)
            headers["Content-Length"] = str(archive.tell())
            archive.seek(0)
            try:
                for message in engine_api.post(self.socket, url, headers, archive):
                    log.add(message.get("stream", ""))
            except engine_api.EngineError as error:
                raise log.error(name, folder, str(error).strip()) from error

    def tag(self, reference, name, tag):
        url = f"/images/{reference}/tag?" + urlencode({"repo": name, "tag": tag})
        try:
            deque(engine_api.post(self.socket, url), maxlen=0)
        except engine_api.EngineError as error:
            raise ImageError(f"{reference} cannot be named {name}:{tag} ({error}): {pull_fault.UNKNOWN}") from error


def credentials_of_build(folder, keychain):
    """All that the user has, and what a helper that keeps everything has for the base images."""
    return keychain.of_registries(keychain.registries() | build_context.base_registries(folder))


class BuildLog:
    """The end of what a build prints, and the instruction that it is at."""

    def __init__(self):
        self.instruction = ""
        self.end = ""

    def add(self, text):
        step = STEP.match(text)
        if step:
            self.instruction = step.group("instruction").strip()
        self.end = (self.end + COLOUR.sub("", text))[-KEPT_CHARACTERS:]

    def error(self, name, folder, reason):
        """The error for the user, with the last lines as its details."""
        where = f" at {self.instruction!r}" if self.instruction else ""
        said = [line.rstrip() for line in self.end.splitlines() if line.strip() and not line.startswith(BUILDER_MARKS)]
        return ImageError(
            f"the build of {name} from {folder} fails{where} ({reason}): correct the Dockerfile or what it needs",
            "\n".join(said[-LAST_LINES:]),
        )
