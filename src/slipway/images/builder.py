# SPDX-License-Identifier: Apache-2.0
"""Builds with the engine's own builder over its API, which every engine has, without buildx."""

import io
import re
from collections.abc import Callable, Mapping
from textwrap import shorten
from typing import Any

import docker
import requests
from docker.errors import APIError
from rich.text import Text

from slipway.images import context, logins
from slipway.images.errors import ImageError

STEP = re.compile(r"Step (\d+/\d+) : (.*)", re.DOTALL)
# Messages of the builder itself, between the output of the programs that it runs.
BUILDER_MESSAGES = (" ---> ", "Removing intermediate container ")
LAST_LINES = 20


def build(
    client: docker.DockerClient,
    name: str,
    archive: bytes,
    *,
    arguments: Mapping[str, str],
    labels: Mapping[str, str],
    report: Callable[[str], None],
    network: str | None = None,
    nocache: bool = False,
) -> str:
    """Build the archive of `context.archive`, without a tag, and return the image id.

    report is called with a line per step, which begins with the name. Raises ImageError with the step that failed and
    the end of its output.
    """
    log = _Log(name, report)
    logins.keep_unreadable_out(client, lambda reason: report(f"{name}: {reason}"))
    try:
        stream = client.api.build(
            fileobj=io.BytesIO(archive),
            custom_context=True,
            dockerfile=context.DOCKERFILE,
            decode=True,
            rm=True,
            forcerm=True,
            nocache=nocache,
            network_mode=network,
            buildargs=dict(arguments),
            labels=dict(labels),
        )
        for line in stream:
            log.read(line)
    except (APIError, requests.RequestException) as error:
        raise log.failure(f"failed: {error}") from error
    return log.image_id


class _Log:
    """Parses the stream of one build: reports each step, and keeps the output to quote in an error."""

    def __init__(self, name: str, report: Callable[[str], None]) -> None:
        self.image_id = ""
        self._name = name
        self._report = report
        self._step = "the Dockerfile"
        self._output = ""

    def read(self, message: Mapping[str, Any]) -> None:
        """Process one message. Raises ImageError if it reports a failure."""
        if "error" in message:
            status = message.get("errorDetail", {}).get("code")
            raise self.failure(f"ended with status {status}" if status else f"failed: {message['error']}")
        self.image_id = message.get("aux", {}).get("ID", self.image_id)
        text = str(message.get("stream", ""))
        step = STEP.match(text)
        if step:
            self._step = f"{step[1]} {shorten(step[2], 90, placeholder=' ...')}"
            self._output = ""
            if not step[2].startswith("LABEL "):  # the build adds several, and they take no time
                self._report(f"{self._name}: {self._step}")
        elif not text.startswith(BUILDER_MESSAGES):
            self._output += text

    def failure(self, how: str) -> ImageError:
        """Return the error: the image, the step, how it failed, and the end of its output."""
        lines = Text.from_ansi(self._output).plain.strip().splitlines()[-LAST_LINES:]
        return ImageError("\n".join([f"{self._name} cannot be built: {self._step} {how}", *lines]))
