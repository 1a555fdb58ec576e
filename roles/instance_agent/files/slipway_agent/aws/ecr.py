# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Requests tokens for registries of Amazon ECR, private and public ones."""

import base64
import re
import time

from slipway_agent.aws import ecr_names, service, throttling
from slipway_agent.aws.errors import AwsError, LastingError

PRIVATE = service.Service("ecr", "AmazonEC2ContainerRegistry_V20150921", "1.1")
PUBLIC = service.Service("ecr-public", "SpencerFrontendService", "1.1")
ACTION = "GetAuthorizationToken"
# What the role must be allowed, by service, and the policy that allows it.
PERMISSIONS = {
    PRIVATE: ("ecr:GetAuthorizationToken", "docs/iam/docker-login-ecr.json"),
    PUBLIC: ("ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken", "docs/iam/docker-login-ecr-public.json"),
}
EXPIRED = frozenset(("ExpiredToken", "ExpiredTokenException"))
# How a service rejects keys that it does not know, such as one in a region that is not enabled for the account.
UNKNOWN_KEYS = frozenset(("UnrecognizedClientException", "InvalidClientTokenId"))
LOGIN = re.compile(r"\A(?P<username>[!-9;-~]+):(?P<password>[!-~]+)\Z")
# AWS limits the life of a token to this.
LONGEST_SECONDS = 12 * 3600


class Token:
    """A user name and a password for a registry. Not a namedtuple, whose repr would print the password.

    fetched, expires: seconds since 1970.
    """

    def __init__(self, username, password, fetched, expires):
        self.username = username
        self.password = password
        self.fetched = fetched
        self.expires = expires


def request(name, metadata, endpoint=None):
    """Return a new Token for the registry with this name. Raises AwsError, or LastingError if the error persists."""
    try:
        registry = ecr_names.parse(name)
    except ecr_names.EcrNameError as error:
        raise LastingError(f"{error}, in docker_firstboot_credentials") from error
    require_partition(name, registry, metadata)
    asked = PRIVATE if registry.account else PUBLIC
    credentials = metadata.credentials()
    endpoint = endpoint or ecr_names.endpoint_of(registry)
    try:
        answer = throttling.call(asked, ACTION, {}, registry.region, credentials, endpoint)
    except service.ServiceError as error:
        raise error_of(error, asked, registry.region, credentials.role) from error
    return token_in(answer, endpoint)


def require_partition(name, registry, metadata):
    """Raise LastingError if the instance's role has no credentials in the registry's partition."""
    region = metadata.read("placement/region")
    own = ecr_names.partition_of(region).name if region else registry.partition.name
    if own == registry.partition.name:
        return
    remedy = (
        f"copy its images to a registry in {own}, and list that one"
        if registry.account
        else "remove it from docker_firstboot_credentials, since it serves images without credentials, too"
    )
    raise LastingError(
        f"{name} is in the partition {registry.partition.name}, where the role of an instance in {own} is not valid: "
        + remedy
    )


def token_in(answer, endpoint):
    """Return the Token in a response."""
    data = answer.get("authorizationData")
    if isinstance(data, list):  # of private registries
        data = data[0] if data else None
    now = time.time()
    try:
        username, password = login_in(data["authorizationToken"])
        expires = min(data["expiresAt"], now + LONGEST_SECONDS)
    except (KeyError, TypeError, ValueError):
        # Drop the cause, which may quote the token.
        raise AwsError(
            f"{endpoint} responds without a complete token: check that it is an endpoint of Amazon ECR"
        ) from None
    if not now < expires:
        raise AwsError(f"{endpoint} responds with a token that has expired: check this host's clock")
    return Token(username, password, now, expires)


def login_in(token):
    """Return the user name and the password in a token. Raises TypeError or ValueError if it is not one."""
    found = LOGIN.match(base64.b64decode(token, validate=True).decode("ascii"))
    if not found:
        raise ValueError("not a user name and a password")
    return found.group("username", "password")


def error_of(error, asked, region, role):
    actions, policy = PERMISSIONS[asked]
    if error.code.startswith("AccessDenied"):
        return LastingError(
            f"the role {role} is not allowed to call {actions} in {region}: attach the policy {policy} to it ({error})"
        )
    if error.code in service.THROTTLED:
        return AwsError(
            f"{asked.name}:{ACTION} in {region} is throttled ({error}): let fewer instances pull at the same time"
        )
    if error.code in EXPIRED:
        return AwsError(f"the credentials of the role {role} have expired ({error}): check this host's clock")
    if error.code in UNKNOWN_KEYS:
        return AwsError(
            f"the credentials of the role {role} are not known in {region} ({error}): enable the region for the account"
        )
    return AwsError(f"{asked.name}:{ACTION} in {region} failed ({error})")
