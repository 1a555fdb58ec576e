# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Asks the instance metadata service (IMDSv2 only) where the instance is, and for the keys of its role."""

import json

from slipway_aws import web
from slipway_aws.credentials import Credentials
from slipway_aws.errors import AwsError

ENDPOINT = "http://169.254.169.254"
TIMEOUT_SECONDS = 2
TOKEN_SECONDS = "60"
ROLES = "iam/security-credentials/"


class Metadata:
    """The metadata of this instance; the session's token is asked for once."""

    def __init__(self, endpoint=ENDPOINT):
        self.endpoint = endpoint
        self.token = None

    def region(self):
        region = self.read("placement/region")
        if not region:
            raise AwsError(
                "the instance metadata service does not know the region: name it in the variables of the role that asks"
            )
        return region

    def instance_id(self):
        return self.read("instance-id")

    def tag(self, key):
        """The value of a tag of the instance, or None, also where metadata are not allowed to tell tags."""
        return self.read("tags/instance/" + key)

    def credentials(self):
        """The keys of the instance's role, as they are now."""
        roles = (self.read(ROLES) or "").split()
        if not roles:
            raise AwsError("this instance has no role: attach an instance profile")
        try:
            keys = json.loads(self.read(ROLES + roles[0]) or "")
            return Credentials(roles[0], keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"])
        except (ValueError, KeyError, TypeError):
            # Without its cause, which quotes what holds the keys.
            raise AwsError(
                f"the instance metadata service has no keys of the role {roles[0]}: see whether the role still exists, "
                "and trusts ec2.amazonaws.com"
            ) from None

    def read(self, path):
        """The text of a metadata path, or None where there is no such path."""
        if self.token is None:
            self.token = self.send("PUT", "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": TOKEN_SECONDS}) or ""
        return self.send("GET", "meta-data/" + path, {"X-aws-ec2-metadata-token": self.token})

    def send(self, method, path, headers):
        url = f"{self.endpoint}/latest/{path}"
        try:
            answer = web.send(method, url, headers, None, TIMEOUT_SECONDS)
        except web.UnreachableError as error:
            raise AwsError(
                f"the instance metadata service at {self.endpoint} does not answer ({error}): enable it there, "
                "with a hop limit of 2 where this runs in a container"
            ) from error
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise AwsError(
                f"the instance metadata service answers {method} {path} with HTTP {answer.status}: see whether it is "
                "enabled on the instance"
            )
        return answer.body.decode("utf-8", "replace").strip()
