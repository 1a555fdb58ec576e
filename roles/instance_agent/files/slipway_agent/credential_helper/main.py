# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Implements Docker's credential helper protocol: `docker-credential-slipway get` and the other actions.

The registry comes on stdin. An error is printed to stdout, with exit status 1.
"""

import json
import sys
import syslog
import time

from slipway_agent.aws.errors import AwsError, LastingError
from slipway_agent.aws.imds import Metadata
from slipway_agent.credential_helper import registry_credentials, settings, token_cache

NAME = "docker-credential-slipway"
VERSION = "1"
USAGE = f"usage: {NAME} get|store|erase|list|version|check|wait"
# Part of the protocol: docker compares this text, and then pulls anonymously.
NOT_FOUND = "credentials not found in native keychain"
PAUSE_SECONDS = 1


class Helper:
    """The actions. Each returns the text to print, and raises AwsError."""

    def __init__(self, path):
        self.path = path

    def get(self):
        server = received().strip()
        known, reader = self.known()
        if server not in known:
            raise NotFoundError(
                f"docker requested credentials for {server or 'no registry'}, which {self.path} does not list: add it "
                "to docker_firstboot_credentials, or remove it from credHelpers in the user's config.json"
            )
        username, token = reader.read(known[server])
        return json.dumps({"ServerURL": server, "Username": username, "Secret": token})

    def list(self):
        known, reader = self.known()
        return json.dumps({server: reader.read(known[server])[0] for server in known})

    def check(self):
        """Read the credentials of all registries and report those that fail. Not part of the protocol."""
        known, reader = self.known()
        problems = {}
        for server, reference in known.items():
            try:
                reader.read(reference, cached=False)
            except AwsError as error:
                problems[server] = error
        if problems:
            lasts = any(isinstance(error, LastingError) for error in problems.values())
            sentences = "\n".join(f"{server}: {error}" for server, error in problems.items())
            raise LastingError(sentences) if lasts else AwsError(sentences)
        return "found credentials for " + ", ".join(known)

    def wait(self):
        """Check as a boot does, when the role's credentials or the network may come late. Not part of the protocol."""
        deadline = time.monotonic() + settings.read(self.path).wait_seconds
        while True:
            try:
                return self.check()
            except AwsError as error:
                if isinstance(error, LastingError) or time.monotonic() >= deadline:
                    raise
            time.sleep(PAUSE_SECONDS)

    def store(self):
        received()  # the client writes the token and fails if nobody reads it
        raise AwsError(f"{NAME} stores nothing: instead of docker login, change the secret in AWS")

    def erase(self):
        received()
        raise AwsError(f"{NAME} stores nothing: instead of docker logout, remove it from config.json")

    def version(self):
        return f"{NAME} {VERSION}"

    def known(self):
        """Return the references to credentials by registry, and what reads them."""
        read = settings.read(self.path)
        cache = token_cache.TokenCache(read.runtime_directory)
        return read.registries, registry_credentials.Reader(Metadata(read.metadata_endpoint), cache)


def received():
    """Return the text on stdin, whatever its bytes and this process's locale."""
    return sys.stdin.buffer.read().decode("utf-8", "backslashreplace")


class NotFoundError(AwsError):
    """The settings do not list the registry."""


ACTIONS = {name: getattr(Helper, name) for name in ("get", "store", "erase", "list", "version", "check", "wait")}


def main(arguments, path):
    """Run one action and return the exit status. path: the settings."""
    if len(arguments) != 1 or arguments[0] not in ACTIONS:
        print(USAGE)
        return 1
    try:
        print(ACTIONS[arguments[0]](Helper(path)))
        return 0
    except AwsError as error:
        # docker pull ignores a helper that fails and continues anonymously, so the reason goes to the journal.
        syslog.openlog(NAME)
        syslog.syslog(syslog.LOG_ERR, str(error))
        print(NOT_FOUND if isinstance(error, NotFoundError) else error)
    return 1
