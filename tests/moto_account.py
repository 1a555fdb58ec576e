# SPDX-License-Identifier: Apache-2.0
"""An AWS account in a moto server, with what an instance has of it: a role that may read secrets."""

import json
from dataclasses import dataclass
from typing import Any

import boto3
import requests

from tests.stand_in_aws import REGION, ROLE

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue", "ssm:GetParameter"],
            "Resource": "*",
        }
    ],
}


def client(moto: str, service: str) -> Any:
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
        """From now on, let in only who signs rightly and is allowed to by the role's policy."""
        requests.post(f"{self.address}/moto-api/reset-auth", data=after, timeout=10)


def account_with_a_role(moto: str) -> Cloud:
    """Return the account of the server, which is empty but for the role. It lets everybody in: see enforce."""
    requests.post(f"{moto}/moto-api/reset", timeout=10)
    iam = client(moto, "iam")
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=json.dumps(POLICY))
    keys = client(moto, "sts").assume_role(RoleArn=role, RoleSessionName="instance")["Credentials"]
    return Cloud(
        moto,
        {
            "AccessKeyId": keys["AccessKeyId"],
            "SecretAccessKey": keys["SecretAccessKey"],
            "Token": keys["SessionToken"],
        },
    )
