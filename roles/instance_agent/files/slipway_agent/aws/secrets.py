# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads secrets from AWS Secrets Manager and parameters from Systems Manager."""

from collections import namedtuple

from slipway_agent.aws import service, throttling
from slipway_agent.aws.errors import AwsError, LastingError

# request: builds the request from the secret's name. text: takes the secret from the response. missing: error code.
Provider = namedtuple("Provider", ["service", "action", "request", "text", "missing"])


def value_of(parameter):
    return parameter.get("Value") if isinstance(parameter, dict) else None


PROVIDERS = {
    "secretsmanager": Provider(
        service.Service("secretsmanager", "secretsmanager", "1.1"),
        "GetSecretValue",
        lambda name: {"SecretId": name},
        lambda answer: answer.get("SecretString"),
        "ResourceNotFoundException",
    ),
    "ssm": Provider(
        service.Service("ssm", "AmazonSSM", "1.1"),
        "GetParameter",
        lambda name: {"Name": name, "WithDecryption": True},
        lambda answer: value_of(answer.get("Parameter")),
        "ParameterNotFound",
    ),
}


def read(reference, metadata):
    """Return the current value of a secret. Nothing is cached, so that a rotation takes effect at once."""
    provider = PROVIDERS[reference.provider]
    region = reference.region or metadata.region()
    credentials = metadata.credentials()
    try:
        answer = throttling.call(
            provider.service, provider.action, provider.request(reference.name), region, credentials, reference.endpoint
        )
    except service.ServiceError as error:
        raise error_of(error, provider, reference, region, credentials.role) from error
    text = provider.text(answer)
    if not isinstance(text, str):
        raise LastingError(f"{reference.name} in {region} has no string value: store it as a string")
    return text


def error_of(error, provider, reference, region, role):
    action = f"{provider.service.name}:{provider.action}"
    if error.code == "AccessDeniedException":
        return LastingError(
            f"the role {role} is not allowed to call {action} on {reference.name} in {region}: allow it in the role's "
            f"policy, and kms:Decrypt too if the secret is encrypted with a customer managed key ({error})"
        )
    if error.code == provider.missing:
        return LastingError(
            f"{reference.name} does not exist in {provider.service.name} in {region}: create it, or correct "
            "docker_firstboot_credentials"
        )
    if error.code in service.THROTTLED:
        return AwsError(f"{action} in {region} is throttled ({error}): let fewer instances pull at the same time")
    return AwsError(f"{action} on {reference.name} in {region} failed ({error})")
