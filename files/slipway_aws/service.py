# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Calls actions of AWS services that speak JSON."""

import datetime
import json
from collections import namedtuple

from slipway_aws import sigv4, web
from slipway_aws.errors import AwsError, one_line

# name: as in endpoints and IAM actions; target: the prefix of actions; version: of the JSON protocol.
Service = namedtuple("Service", ["name", "target", "version"])

# Where AWS' partitions are, by the beginning of their regions' names; all others are at amazonaws.com.
DOMAINS = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
TIMEOUT_SECONDS = 5
THROTTLED = frozenset(("Throttling", "ThrottlingException", "RequestLimitExceeded"))
CLOCK_ERRORS = frozenset(("InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired"))


class ServiceError(Exception):
    """The service refuses; code is its name for the reason."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {one_line(message)}" if message else code)
        self.code = code


def endpoint_of(service, region):
    domain = next((DOMAINS[start] for start in DOMAINS if region.startswith(start)), "amazonaws.com")
    return f"https://{service.name}.{region}.{domain}"


def call(service, action, message, region, credentials, endpoint=None):
    """The service's answer to a message, as a dictionary. Raises ServiceError when it refuses."""
    url = (endpoint or endpoint_of(service, region)).rstrip("/") + "/"
    body = json.dumps(message).encode("utf-8")
    headers = {
        "Content-Type": "application/x-amz-json-" + service.version,
        "X-Amz-Target": f"{service.target}.{action}",
    }
    now = datetime.datetime.now(datetime.timezone.utc)
    signed = sigv4.sign(credentials, service.name, region, "POST", url, headers, body, now)
    try:
        answer = web.send("POST", url, signed, body, TIMEOUT_SECONDS)
    except web.UnreachableError as error:
        raise AwsError(
            f"{url} cannot be reached ({error}): see whether the region {region} is right, and give the instance a way "
            "out or a VPC endpoint"
        ) from error
    content = content_of(answer.body)
    if answer.status == 200 and content is not None:
        return content
    raise refusal(answer.status, content or {}, url)


def content_of(body):
    """The dictionary that an answer holds, or None. An action without output may answer with nothing at all."""
    if not body:
        return {}
    try:
        content = json.loads(body.decode("utf-8"))
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def refusal(status, content, url):
    """The error of an answer that is none."""
    code = str(content.get("__type", "")).split("#")[-1]
    if not code:
        return AwsError(f"{url} answers with HTTP {status} and without a reason: is it an endpoint of AWS?")
    if code in CLOCK_ERRORS:
        return AwsError(f"{url} does not accept the signature ({code}): see whether this host's clock is right")
    return ServiceError(code, str(content.get("message") or content.get("Message") or ""))
