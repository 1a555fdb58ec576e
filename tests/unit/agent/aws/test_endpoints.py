# SPDX-License-Identifier: Apache-2.0
"""Endpoints of services, compared with those of boto3."""

import boto3
import pytest
from slipway_agent.aws import autoscaling, errors, secrets, service
from slipway_agent.metrics import cloudwatch

PARTITIONS = boto3.Session().get_available_partitions()
SERVICES = {
    "secretsmanager": secrets.PROVIDERS["secretsmanager"].service,
    "ssm": secrets.PROVIDERS["ssm"].service,
    "cloudwatch": cloudwatch.SERVICE,
    "autoscaling": autoscaling.SERVICE,
}


@pytest.mark.parametrize("partition", PARTITIONS)
def test_endpoints_are_those_of_boto3(partition: str) -> None:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")
    (region, *_) = session.get_available_regions("ssm", partition)
    for name, asked in SERVICES.items():
        assert service.endpoint_of(asked, region) == session.client(name, region_name=region).meta.endpoint_url


def test_a_server_s_message_cannot_control_a_terminal() -> None:
    assert errors.one_line("no\n \x1b[2Jway\x9b\u202e \ud800") == "no ?[2Jway?? ?"
