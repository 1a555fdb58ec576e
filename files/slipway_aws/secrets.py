# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Reads the text of a secret from AWS Secrets Manager, or from a parameter of Systems Manager."""

import random
import time
from collections import namedtuple

from slipway_aws import service
from slipway_aws.errors import AwsError, LastingError

# request: makes the action's message of the secret's name; text: takes the secret out of the answer.
Provider = namedtuple("Provider", ["service", "action", "request", "text", "missing"])

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
        lambda answer: answer.get("Parameter", {}).get("Value"),
        "ParameterNotFound",
    ),
}
# Before each further attempt where too much is asked, at most, because docker waits meanwhile; and at random, because a
# fleet that pulls together would come together again.
PAUSES_SECONDS = (0.5, 1, 2)


def read(reference, metadata):
    """The secret that is meant, as it is now. Nothing is kept, so that a rotation takes effect at once."""
    provider = PROVIDERS[reference.provider]
    region = reference.region or metadata.region()
    credentials = metadata.credentials()
    try:
        answer = ask(provider, reference, region, credentials)
    except service.ServiceError as error:
        raise error_of(error, provider, reference, region, credentials.role) from error
    text = provider.text(answer)
    if not isinstance(text, str):
        raise LastingError(f"{reference.name} in {region} holds no text: store it as a string")
    return text


def ask(provider, reference, region, credentials):
    """The service's answer. What is throttled is asked again."""
    message = provider.request(reference.name)
    for pause in (*PAUSES_SECONDS, None):
        try:
            return service.call(provider.service, provider.action, message, region, credentials, reference.endpoint)
        except service.ServiceError as error:
            if error.code not in service.THROTTLED or pause is None:
                raise
        time.sleep(random.uniform(pause / 2, pause))


def error_of(error, provider, reference, region, role):
    action = f"{provider.service.name}:{provider.action}"
    if error.code == "AccessDeniedException":
        return LastingError(
            f"the role {role} may not do {action} on {reference.name} in {region}: allow it in the role's policy, and "
            f"kms:Decrypt where the secret has a key of its own ({error})"
        )
    if error.code == provider.missing:
        return LastingError(
            f"there is no {reference.name} in {provider.service.name} of {region}: create it, or name another in "
            "docker_firstboot_credentials"
        )
    if error.code in service.THROTTLED:
        return AwsError(f"{action} in {region} is asked too often ({error}): let fewer instances pull at a time")
    return AwsError(f"{action} on {reference.name} in {region} is refused ({error})")
