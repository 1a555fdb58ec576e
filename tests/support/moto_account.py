# SPDX-License-Identifier: Apache-2.0
"""An AWS account in a moto server, with an instance's role that may read secrets."""

import functools
from dataclasses import dataclass
from typing import Any

import boto3
import requests

from tests.support import iam_policies
from tests.support.stand_in_aws import REGION, ROLE

# What the guide says that an instance needs, for each service of its account.
POLICIES = ("docker-login", "docker-login-ssm", "docker-login-ecr")


@functools.cache
def client(moto: str, service: str) -> Any:
    """Return the client of a service, which takes longer to make than a request."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, region_name=REGION, endpoint_url=moto, **keys)


@dataclass
class Cloud:
    """An AWS account with one role, which may read secrets."""

    address: str
    keys: dict[str, str]

    def __post_init__(self) -> None:
        self.secrets = client(self.address, "secretsmanager")
        self.parameters = client(self.address, "ssm")
        self.iam = client(self.address, "iam")

    def enforce(self, after: str = "0") -> None:
        """From now on, reject requests with a wrong signature, and those that the role's policy does not allow."""
        requests.post(f"{self.address}/moto-api/reset-auth", data=after, timeout=10)


def account_with_a_role(moto: str) -> Cloud:
    """Return the server's account, which contains only the role. It accepts all requests until enforce is called."""
    requests.post(f"{moto}/moto-api/reset", timeout=10)
    iam = client(moto, "iam")
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    for name in POLICIES:
        iam.put_role_policy(RoleName=ROLE, PolicyName=name, PolicyDocument=iam_policies.for_moto(name))
    keys = client(moto, "sts").assume_role(RoleArn=role, RoleSessionName="instance")["Credentials"]
    return Cloud(
        moto,
        {
            "AccessKeyId": keys["AccessKeyId"],
            "SecretAccessKey": keys["SecretAccessKey"],
            "Token": keys["SessionToken"],
        },
    )
