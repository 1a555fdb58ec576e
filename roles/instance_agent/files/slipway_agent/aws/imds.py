# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads the region, the tags and the role's credentials from the instance metadata service (IMDSv2 only)."""

import json

from slipway_agent.aws import web
from slipway_agent.aws.credentials import Credentials
from slipway_agent.aws.errors import AwsError

ENDPOINT = "http://169.254.169.254"
TIMEOUT_SECONDS = 2
TOKEN_SECONDS = "60"
ROLES = "iam/security-credentials/"


class Metadata:
    """The metadata of this instance. One session token serves all requests."""

    def __init__(self, endpoint=ENDPOINT):
        self.endpoint = endpoint
        self.token = None

    def region(self):
        region = self.read("placement/region")
        if not region:
            raise AwsError("the instance metadata service reports no region: set the region in the role's variables")
        return region

    def instance_id(self):
        return self.read("instance-id")

    def tag(self, key):
        """Return the value of an instance tag, or None if it is not set or tags in metadata are disabled."""
        return self.read("tags/instance/" + key)

    def credentials(self):
        """Return the current credentials of the instance's role."""
        roles = (self.read(ROLES) or "").split()
        if not roles:
            raise AwsError("this instance has no role: attach an instance profile")
        try:
            keys = json.loads(self.read(ROLES + roles[0]) or "")
            return Credentials(roles[0], keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"])
        except (ValueError, KeyError, TypeError):
            # Drop the cause, which quotes the document with the credentials.
            raise AwsError(
                f"the instance metadata service has no credentials of the role {roles[0]}: check that the role exists "
                "and that its trust policy names ec2.amazonaws.com"
            ) from None

    def read(self, path):
        """Return the text at a metadata path, or None if the path does not exist."""
        if self.token is None:
            self.token = self.send("PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": TOKEN_SECONDS}) or ""
        return self.send("GET", "meta-data/" + path, {"X-aws-ec2-metadata-token": self.token})

    def send(self, method, path, headers):
        url = f"{self.endpoint}/latest/{path}"
        try:
            answer = web.send(method, url, headers, None, TIMEOUT_SECONDS)
        except web.UnreachableError as error:
            raise AwsError(
                f"the instance metadata service at {self.endpoint} does not respond ({error}): enable it for "
                "the instance, with a hop limit of 2 if this runs in a container"
            ) from error
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise AwsError(
                f"the instance metadata service responds to {method} {path} with HTTP {answer.status}: check that it "
                "is enabled for the instance"
            )
        return answer.body.decode("utf-8", "replace").strip()
