# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Speaks the protocol of Docker's credential helpers: `docker-credential-slipway get` and the like.

The server's name comes on stdin; an error is told on stdout, with exit status 1.
"""

import json
import sys
import syslog
import time

from slipway_aws import registry_credentials, settings
from slipway_aws.errors import AwsError, LastingError
from slipway_aws.imds import Metadata

NAME = "docker-credential-slipway"
VERSION = "1"
USAGE = f"usage: {NAME} get|store|erase|list|version|check|wait"
# The sentence is the protocol: docker itself compares it, and then pulls anonymously.
NOT_FOUND = "credentials not found in native keychain"
PAUSE_SECONDS = 1


class Helper:
    """The actions; each returns the text of its answer, and raises AwsError."""

    def __init__(self, path):
        self.path = path

    def get(self):
        server = sys.stdin.read().strip()
        known, metadata = self.known()
        if server not in known:
            raise NotFoundError(
                f"docker asks for {server or 'no registry'}, and {self.path} names no secret of it: name one in "
                "docker_firstboot_credentials, or take the registry out of credHelpers in the user's config.json"
            )
        username, token = registry_credentials.read(known[server], metadata)
        return json.dumps({"ServerURL": server, "Username": username, "Secret": token})

    def list(self):
        known, metadata = self.known()
        return json.dumps({server: registry_credentials.read(known[server], metadata)[0] for server in known})

    def check(self):
        """Not of the protocol: try all registries, and name those that fail."""
        known, metadata = self.known()
        problems = {}
        for server, reference in known.items():
            try:
                registry_credentials.read(reference, metadata)
            except AwsError as error:
                problems[server] = error
        if problems:
            lasts = any(isinstance(error, LastingError) for error in problems.values())
            sentences = "\n".join(f"{server}: {error}" for server, error in problems.items())
            raise LastingError(sentences) if lasts else AwsError(sentences)
        return "credentials are there for " + ", ".join(known)

    def wait(self):
        """Not of the protocol: check as a boot does, when the role's keys or the network may be late."""
        deadline = time.monotonic() + settings.read(self.path).wait_seconds
        while True:
            try:
                return self.check()
            except AwsError as error:
                if isinstance(error, LastingError) or time.monotonic() >= deadline:
                    raise
            time.sleep(PAUSE_SECONDS)

    def store(self):
        sys.stdin.read()  # the token, which the client would otherwise write to nobody
        raise AwsError(f"{NAME} keeps nothing: change the secret in AWS instead of logging in")

    def erase(self):
        sys.stdin.read()
        raise AwsError(f"{NAME} keeps nothing: take its name out of config.json instead of logging out")

    def version(self):
        return f"{NAME} {VERSION}"

    def known(self):
        """The registries' secrets by key, and the instance's metadata."""
        read = settings.read(self.path)
        return read.registries, Metadata(read.metadata_endpoint)


class NotFoundError(AwsError):
    """The registry is none of ours."""


ACTIONS = {name: getattr(Helper, name) for name in ("get", "store", "erase", "list", "version", "check", "wait")}


def main(arguments, path):
    """Run one action; return the exit status."""
    if len(arguments) != 1 or arguments[0] not in ACTIONS:
        print(USAGE)
        return 1
    try:
        print(ACTIONS[arguments[0]](Helper(path)))
        return 0
    except AwsError as error:
        # docker pull says nothing of a helper that fails, and goes on anonymously: the journal has the reason.
        syslog.openlog(NAME)
        syslog.syslog(syslog.LOG_ERR, str(error))
        print(NOT_FOUND if isinstance(error, NotFoundError) else error)
    return 1
