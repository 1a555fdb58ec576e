# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check the entries of docker_firstboot_credentials against their provider."""

from ansible_collections.slipway.platform.plugins.module_utils.registry import names
from ansible_collections.slipway.platform.plugins.plugin_utils import ecr_names

ECR = "ecr"
# Options that say where a secret is.
OF_SECRETS = ("secret", "region")


def problems(credentials):
    """Return one sentence for each problem. credentials: entries whose texts are texts."""
    return [
        sentence
        for number, entry in enumerate(credentials, 1)
        for sentence in _problems_of(entry, f"entry {number} of docker_firstboot_credentials")
    ]


def _problems_of(entry, place):
    if entry.get("provider") != ECR:
        if entry.get("secret"):
            return []
        return [
            f"{place} has no secret: set it to the name or ARN of the secret, or use provider: ecr for a registry of "
            "Amazon ECR, which needs none."
        ]
    found = [
        f"{place} has {name} with provider: ecr, which reads no secret and takes the region from the registry's name: "
        f"remove {name}."
        for name in OF_SECRETS
        if entry.get(name) is not None
    ]
    try:
        ecr_names.parse(names.key_of(entry.get("registry", "docker.io")))
    except (names.RegistryNameError, ecr_names.EcrNameError) as error:
        found.append(f"{place}: {error}.")
    return found
