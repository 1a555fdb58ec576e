# SPDX-License-Identifier: Apache-2.0
"""The Query protocol, compared with botocore's requests, and its responses."""

from typing import Any
from urllib.parse import parse_qsl

import botocore.session
import pytest
from botocore.serialize import create_serializer
from hypothesis import given, settings
from hypothesis import strategies as st
from slipway_agent.aws import autoscaling, service
from slipway_agent.aws.errors import AwsError

MODEL = botocore.session.get_session().get_service_model("autoscaling")
SERIALIZER = create_serializer("query")
REQUESTS: dict[str, dict[str, Any]] = {
    "DescribeAutoScalingGroups": {"AutoScalingGroupNames": ["web & more", "größer"]},
    "DescribeInstanceRefreshes": {"AutoScalingGroupName": "web", "MaxRecords": 10},
    "SetInstanceHealth": {"InstanceId": "i-0", "HealthStatus": "Unhealthy", "ShouldRespectGracePeriod": False},
}
GROUP = b"""<R xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><DescribeAutoScalingGroupsResult>
<AutoScalingGroups><member><Instances/><Tags><member><Key>a</Key></member></Tags></member></AutoScalingGroups>
</DescribeAutoScalingGroupsResult></R>"""


@pytest.mark.parametrize("action", REQUESTS)
def test_a_request_has_the_fields_that_botocore_sends(action: str) -> None:
    headers, body = autoscaling.SERVICE.request(action, REQUESTS[action])
    sent = SERIALIZER.serialize_to_request(REQUESTS[action], MODEL.operation_model(action))
    assert dict(parse_qsl(body.decode())) == {name: str(value) for name, value in sent["body"].items()}
    assert headers["Content-Type"] == sent["headers"]["Content-Type"]


def test_members_are_a_list_and_other_elements_a_dictionary() -> None:
    content = autoscaling.SERVICE.content_of(GROUP)
    assert autoscaling.SERVICE.output_in(content, "DescribeAutoScalingGroups") == {
        "AutoScalingGroups": [{"Instances": "", "Tags": [{"Key": "a"}]}]
    }
    assert autoscaling.SERVICE.output_in(content, "SetInstanceHealth") == {}


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, b"<html><body>oops</body></html>", "responds with HTTP 500 and no error code"),
        (200, b"hello", "responds with HTTP 200 and no error code"),
        (200, b'<!DOCTYPE r [<!ENTITY x "y">]><r>&x;</r>', "responds with HTTP 200 and no error code"),
        (403, b"<R><Error><Code>SignatureDoesNotMatch</Code></Error></R>", "check this host's clock"),
    ],
)
def test_a_response_without_a_usable_code_is_one_sentence(status: int, body: bytes, message: str) -> None:
    content = autoscaling.SERVICE.content_of(body)
    error = service.refusal(status, autoscaling.SERVICE.error_in(content or {}), "https://x/")
    assert isinstance(error, AwsError)
    assert message in str(error)


@settings(max_examples=100, deadline=None)
@given(st.binary() | st.text().map(lambda text: f"<R><Error>{text}</Error></R>".encode()))
def test_any_response_is_read_or_refused(body: bytes) -> None:
    content = autoscaling.SERVICE.content_of(body)
    assert isinstance(service.refusal(500, autoscaling.SERVICE.error_in(content or {}), "https://x/"), Exception)
