# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Calls actions of AWS services, in the protocol that each service uses."""

import datetime
import json
from collections import namedtuple

from slipway_agent.aws import sigv4, web
from slipway_agent.aws.errors import AwsError, one_line

# Domains of the AWS partitions by prefix of the region. All other regions are in amazonaws.com.
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


class Service(namedtuple("Service", ["name", "target", "version"])):
    """A service with a JSON protocol. query.QueryService has the same methods for services with the Query protocol.

    name: as in endpoints and IAM actions. target: prefix of X-Amz-Target. version: version of the JSON protocol.
    """

    def request(self, action, message):
        """Return the headers and the body of a request."""
        headers = {
            "Content-Type": "application/x-amz-json-" + self.version,
            "X-Amz-Target": f"{self.target}.{action}",
        }
        return headers, json.dumps(message).encode("utf-8")

    def content_of(self, body):
        """Return the dictionary in a response, or None. The response of an action without output may be empty."""
        if not body:
            return {}
        try:
            content = json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    def output_in(self, content, _action):
        """Return the output of an action as a dictionary."""
        return content

    def error_in(self, content):
        """Return code and message of an error; the code is "" if the content is not one."""
        code = str(content.get("__type", "")).split("#")[-1]
        return code, str(content.get("message") or content.get("Message") or "")


class ServiceError(Exception):
    """The service returned an error. code: the error code."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {one_line(message)}" if message else code)
        self.code = code


def endpoint_of(service, region):
    domain = next((DOMAINS[start] for start in DOMAINS if region.startswith(start)), "amazonaws.com")
    return f"https://{service.name}.{region}.{domain}"


def call(service, action, message, region, credentials, endpoint=None):
    """Call an action and return its output as a dictionary.

    Raises ServiceError if the service returns an error, and AwsError if it cannot be reached.
    """
    url = (endpoint or endpoint_of(service, region)).rstrip("/") + "/"
    headers, body = service.request(action, message)
    now = datetime.datetime.now(datetime.timezone.utc)
    try:
        signed = sigv4.sign(credentials, service.name, region, "POST", url, headers, body, now)
        answer = web.send("POST", url, signed, body, TIMEOUT_SECONDS)
    except (web.UnreachableError, ValueError) as error:  # ValueError: of a URL such as https://[::1
        raise AwsError(
            f"{url} cannot be reached ({error}): check that the region {region} is correct, and give the instance "
            "internet access or a VPC endpoint"
        ) from error
    content = service.content_of(answer.body)
    if answer.status == 200 and content is not None:
        return service.output_in(content, action)
    raise refusal(answer.status, service.error_in(content or {}), url)


def refusal(status, error, url):
    """Return the error that an unsuccessful response stands for. error: its code and message."""
    code, message = error
    code = one_line(code)
    if not code:
        return AwsError(f"{url} responds with HTTP {status} and no error code: check that it is an AWS endpoint")
    if code in CLOCK_ERRORS:
        return AwsError(f"{url} rejects the signature ({code}): check this host's clock")
    return ServiceError(code, message)
