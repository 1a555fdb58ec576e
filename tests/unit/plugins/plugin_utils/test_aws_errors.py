# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils.aws_errors import sentence

DENIED = "An error occurred (UnauthorizedOperation) when calling the DescribeImages operation: You are not authorized"
ROLE_DENIED = (
    "An error occurred (AccessDenied) when calling the PutMetricAlarm operation: User: arn:aws:iam::111122223333:user/x"
    " is not authorized to perform: iam:CreateServiceLinkedRole on resource: arn:aws:iam::111122223333:role/x"
)
FAULTS = {
    "x: Unable to locate credentials": "no usable AWS credentials (Unable to locate credentials)",
    "The config profile (team) could not be found": "(The config profile (team) could not be found)",
    "An error occurred (ExpiredToken) when calling x: the token": "AWS rejects the credentials (ExpiredToken)",
    "'ssm_parameter' failed: Failed to access SSM parameter /a/b (AccessDenied)": "allow ssm:GetParameter on it",
    DENIED: "the credentials may not call DescribeImages",
    ROLE_DENIED: "the credentials may not call iam:CreateServiceLinkedRole: allow it",
    "An error occurred (ValidationError) when calling x: Invalid use of EC2 action.": "set instance_sleep_network to 0",
    'Could not connect to the endpoint URL: "https://ec2.mars-1"': "check that mars-1 is an AWS region",
    "something else.": "something else",
}


def test_a_missing_collection_has_the_sentence_of_the_filter_that_looked_for_it() -> None:
    said = "a.b and c.d are not installed on the controller: run 'ansible-galaxy collection install a.b c.d'"
    message = f"Task failed: Error while resolving value for '_raw_params': The filter plugin 'x.y.z' failed: {said}"
    assert sentence({"msg": message}, "mars-1") == said


@pytest.mark.parametrize(("message", "words"), FAULTS.items())
def test_each_failure_has_its_sentence(message: str, words: str) -> None:
    assert words in sentence({"msg": message}, "mars-1")


def test_the_first_failed_item_of_a_loop_is_explained() -> None:
    items = [{"msg": "fine"}, {"failed": True, "msg": DENIED}]
    assert "DescribeImages" in sentence({"msg": "One or more items failed", "results": items}, "mars-1")
