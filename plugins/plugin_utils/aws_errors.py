# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Explain failed AWS calls in one sentence."""

import re

NO_COLLECTION = re.compile(r"[\w. ]+ not installed on the controller: run '[^']+'")
NO_LIBRARY = re.compile(
    r"Failed to import the required Python library \(botocore and boto3\).*? Python (?P<python>\S+?)\.? "
)
NO_CREDENTIALS = re.compile(
    r"Unable to locate credentials|Partial credentials[^:]*|The config profile \(.*\) could not be found"
)
REJECTED = re.compile(
    r"\((AuthFailure|InvalidClientTokenId|SignatureDoesNotMatch|(?:Expired|UnrecognizedClient)\w*|RequestExpired)\)"
)
DENIED = re.compile(r"\((?:UnauthorizedOperation|AccessDenied\w*)\) when calling the (\w+) operation")
# More than the operation called may be needed for it, such as iam:PassRole.
DENIED_ACTION = re.compile(r"is not authorized to perform: (\w[\w-]*:\w+)")
DENIED_PARAMETER = re.compile(r"Failed to access SSM parameter (\S+) \(AccessDenied\)")
UNREACHABLE = re.compile(r"(?:Could not connect to the endpoint URL|Connect timeout on endpoint URL)[^\"]*\"([^\"]+)\"")


def sentence(result, region):
    """Return why a task, or the first failed item of its loop, failed; without a full stop."""
    failed = [item for item in result.get("results", []) if item.get("failed")] or [result]
    message = str(failed[0].get("msg", "")).strip()
    return next((text for text in _known(message, region) if text), message.rstrip("."))


def _known(message, region):
    collection = NO_COLLECTION.search(message)
    yield collection and collection.group().strip()
    library = NO_LIBRARY.search(message)
    yield library and (
        f"boto3 is missing in {library.group('python')}: install it there, or set ansible_python_interpreter "
        "for localhost to a Python that has it"
    )
    no_credentials = NO_CREDENTIALS.search(message)
    yield no_credentials and (
        f"no usable AWS credentials ({no_credentials.group()}): log in, set AWS_PROFILE, or run where a role is "
        "attached, and check with 'aws sts get-caller-identity'"
    )
    rejected = REJECTED.search(message)
    yield rejected and (
        f"AWS rejects the credentials ({rejected.group(1)}): renew them, and check with 'aws sts get-caller-identity'"
    )
    denied = DENIED_ACTION.search(message) or DENIED.search(message)
    yield denied and f"the credentials may not call {denied.group(1)}: allow it in their policy (docs/iam)"
    yield "Invalid use of EC2 action" in message and (
        "CloudWatch accepts no stop of an instance by an alarm on several metrics (Invalid use of EC2 action): set "
        "instance_sleep_network to 0, so that the CPU alone decides"
    )
    parameter = DENIED_PARAMETER.search(message)
    yield parameter and (
        f"the credentials may not read parameter {parameter.group(1)}: allow ssm:GetParameter on it in their policy "
        "(docs/iam)"
    )
    unreachable = UNREACHABLE.search(message)
    yield unreachable and (
        f"no answer from {unreachable.group(1)}: check that {region} is an AWS region and that AWS can be reached from "
        "here"
    )
