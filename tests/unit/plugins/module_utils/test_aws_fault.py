# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils.aws_fault import sentence

DENIED = "An error occurred (UnauthorizedOperation) when calling the DescribeImages operation: You are not authorized"
FAULTS = {
    "x: Unable to locate credentials": "AWS cannot be asked without credentials (Unable to locate credentials)",
    "The config profile (team) could not be found": "(The config profile (team) could not be found)",
    "An error occurred (ExpiredToken) when calling x: the token": "AWS does not accept the credentials (ExpiredToken)",
    "'ssm_parameter' failed: Failed to access SSM parameter /a/b (AccessDenied)": "allow ssm:GetParameter on it",
    DENIED: "the credentials may not call DescribeImages",
    'Could not connect to the endpoint URL: "https://ec2.mars-1"': "look whether mars-1 is a region of AWS",
    "something else.": "something else",
}


@pytest.mark.parametrize(("message", "words"), FAULTS.items())
def test_each_fault_has_its_sentence(message: str, words: str) -> None:
    assert words in sentence({"msg": message}, "mars-1")


def test_of_a_loop_the_first_failed_item_tells() -> None:
    items = [{"msg": "fine"}, {"failed": True, "msg": DENIED}]
    assert "DescribeImages" in sentence({"msg": "One or more items failed", "results": items}, "mars-1")
