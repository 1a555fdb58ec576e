# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Speaks the protocol of Docker's credential helpers: `docker-credential-slipway get` and the like.

The server's name comes on stdin; an error is told on stdout, with exit status 1.
"""

import json
import sys
import syslog

from slipway_aws import registry_credentials, settings
from slipway_aws.errors import AwsError
from slipway_aws.imds import Metadata

NAME = "docker-credential-slipway"
VERSION = "1"
USAGE = f"usage: {NAME} get|store|erase|list|version|check"
# The sentence is the protocol: docker itself compares it, and then pulls anonymously.
NOT_FOUND = "credentials not found in native keychain"


class Helper:
    """The actions; each returns the text of its answer, and raises AwsError."""

    def __init__(self, path):
        self.path = path

    def get(self):
        server = sys.stdin.read().strip()
        known, metadata = self.known()
        if server not in known:
            raise NotFoundError(NOT_FOUND)
        username, token = registry_credentials.read(known[server], metadata)
        return json.dumps({"ServerURL": server, "Username": username, "Secret": token})

    def list(self):
        known, metadata = self.known()
        return json.dumps({server: registry_credentials.read(known[server], metadata)[0] for server in known})

    def check(self):
        """Not of the protocol: try all registries, and name those that fail."""
        known, metadata = self.known()
        problems = []
        for server, reference in known.items():
            try:
                registry_credentials.read(reference, metadata)
            except AwsError as error:
                problems.append(f"{server}: {error}")
        if problems:
            raise AwsError("\n".join(problems))
        return "credentials are there for " + ", ".join(known)

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
    """The registry is none of ours, which is no fault."""


ACTIONS = {name: getattr(Helper, name) for name in ("get", "store", "erase", "list", "version", "check")}


def main(arguments, path):
    """Run one action; return the exit status."""
    if len(arguments) != 1 or arguments[0] not in ACTIONS:
        print(USAGE)
        return 1
    try:
        print(ACTIONS[arguments[0]](Helper(path)))
        return 0
    except NotFoundError as error:
        print(error)
    except AwsError as error:
        # docker pull says nothing of a helper that fails, and goes on anonymously: the journal has the reason.
        syslog.openlog(NAME)
        syslog.syslog(syslog.LOG_ERR, str(error))
        print(error)
    return 1
