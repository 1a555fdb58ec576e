# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads the region, the tags and the role's credentials from the instance metadata service (IMDSv2 only)."""

import json
import re

from slipway_agent.aws import web
from slipway_agent.aws.credentials import Credentials
from slipway_agent.aws.errors import AwsError

ENDPOINT = "http://169.254.169.254"
TIMEOUT_SECONDS = 2
TOKEN_SECONDS = "60"
ROLES = "iam/security-credentials/"
# What a session token and the parts of credentials consist of. A line break would begin another header of a request.
PLAIN = re.compile(r"\A[!-~]+\Z")
NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9-]{0,62}\Z")  # of a region or an instance
ROLE = re.compile(r"\A[A-Za-z0-9_+=,.@-]{1,128}\Z")


class Metadata:
    """The metadata of this instance. One session token serves all requests until it expires."""

    def __init__(self, endpoint=ENDPOINT):
        self.endpoint = endpoint
        self.token = None

    def region(self):
        region = self.read("placement/region")
        if not region:
            raise AwsError("the instance metadata service reports no region: set the region in the role's variables")
        return self.require(NAME, region, "a region")

    def instance_id(self):
        return self.require(NAME, self.read("instance-id"), "an instance ID")

    def tag(self, key):
        """Return the value of an instance tag, or None if it is not set or tags in metadata are disabled."""
        return self.read("tags/instance/" + key)

    def credentials(self):
        """Return the current credentials of the instance's role."""
        roles = (self.read(ROLES) or "").split()
        if not roles:
            raise AwsError("this instance has no role: attach an instance profile")
        role = self.require(ROLE, roles[0], "the name of a role")
        try:
            content = json.loads(self.read(ROLES + role) or "")
            keys = [content[name] for name in ("AccessKeyId", "SecretAccessKey", "Token")]
        except (ValueError, KeyError, TypeError, RecursionError):
            # Drop the cause, which quotes the document with the credentials.
            raise AwsError(
                f"the instance metadata service has no credentials of the role {role}: check that the role exists "
                "and that its trust policy names ec2.amazonaws.com"
            ) from None
        return Credentials(role, *(self.require(PLAIN, key, "the role's credentials") for key in keys))

    def read(self, path):
        """Return the text at a metadata path, or None if the path does not exist."""
        had_token = self.token is not None
        answer = self.get(path)
        if answer.status == 401 and had_token:
            self.token = None
            answer = self.get(path)
        return text_of(answer, "GET meta-data/" + path)

    def get(self, path):
        if self.token is None:
            answer = self.send("PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": TOKEN_SECONDS})
            self.token = self.require(PLAIN, text_of(answer, "PUT api/token"), "a session token")
        return self.send("GET", "meta-data/" + path, {"X-aws-ec2-metadata-token": self.token})

    def require(self, pattern, value, what):
        """Return the value; raise AwsError, without the value, if something else than a metadata service sent it."""
        if not isinstance(value, str) or not pattern.match(value):
            raise AwsError(
                f"{self.endpoint} does not respond as an instance metadata service, which would send {what}: check "
                "that this is an EC2 instance, and what else responds at this address, such as a login page"
            )
        return value

    def send(self, method, path, headers):
        url = f"{self.endpoint}/latest/{path}"
        try:
            return web.send(method, url, headers, None, TIMEOUT_SECONDS)
        except web.UnreachableError as error:
            raise AwsError(
                f"the instance metadata service at {self.endpoint} does not respond ({error}): enable it for "
                "the instance, with a hop limit of 2 if this runs in a container"
            ) from error


def text_of(answer, request):
    """Return the text of a response, or None for HTTP 404. Raises AwsError for another error."""
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise AwsError(
            f"the instance metadata service responds to {request} with HTTP {answer.status}: check that it is enabled "
            "for the instance"
        )
    return answer.body.decode("utf-8", "replace").strip()
