# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Says in one sentence why AWS could not be asked."""

import re

NO_LIBRARY = re.compile(
    r"Failed to import the required Python library \(botocore and boto3\).*? Python (?P<python>\S+?)\.? "
)
NOBODY = re.compile(
    r"Unable to locate credentials|Partial credentials[^:]*|The config profile \(.*\) could not be found"
)
REFUSED = re.compile(
    r"\((AuthFailure|InvalidClientTokenId|SignatureDoesNotMatch|(?:Expired|UnrecognizedClient)\w*|RequestExpired)\)"
)
DENIED = re.compile(r"\((?:UnauthorizedOperation|AccessDenied\w*)\) when calling the (\w+) operation")
DENIED_PARAMETER = re.compile(r"Failed to access SSM parameter (\S+) \(AccessDenied\)")
UNREACHABLE = re.compile(r"(?:Could not connect to the endpoint URL|Connect timeout on endpoint URL)[^\"]*\"([^\"]+)\"")


def sentence(result, region):
    """The reason of a failed task, or of the first failed item of its loop; without a full stop."""
    failed = [item for item in result.get("results", []) if item.get("failed")] or [result]
    message = str(failed[0].get("msg", "")).strip()
    return next((text for text in _known(message, region) if text), message.rstrip("."))


def _known(message, region):
    library = NO_LIBRARY.search(message)
    yield library and (
        f"boto3 is missing in {library.group('python')}: install it there, or set ansible_python_interpreter of "
        "localhost to a Python that has it"
    )
    nobody = NOBODY.search(message)
    yield nobody and (
        f"AWS cannot be asked without credentials ({nobody.group()}): log in, set AWS_PROFILE, or run where a role is "
        "attached; 'aws sts get-caller-identity' tells"
    )
    refused = REFUSED.search(message)
    yield refused and (
        f"AWS does not accept the credentials ({refused.group(1)}): renew them; 'aws sts get-caller-identity' tells"
    )
    denied = DENIED.search(message)
    yield denied and f"the credentials may not call {denied.group(1)}: allow it in their policy (docs/aws.md)"
    parameter = DENIED_PARAMETER.search(message)
    yield parameter and (
        f"the credentials may not read parameter {parameter.group(1)}: allow ssm:GetParameter on it in their policy "
        "(docs/aws.md)"
    )
    unreachable = UNREACHABLE.search(message)
    yield unreachable and (
        f"nothing answers at {unreachable.group(1)}: look whether {region} is a region of AWS, and whether AWS can be "
        "reached from here"
    )
