# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check the source and signers of a playbook that instances fetch and run as root."""

import re

from ansible_collections.slipway.platform.plugins.module_utils.packages import openpgp
from ansible_collections.slipway.platform.plugins.plugin_utils import firstboot_values

# A URL, or the scp-like syntax.
SSH = re.compile(r"\A(?:ssh://|[\w.-]+@[\w.-]+:)")
CREDENTIALS = re.compile(r"\A[a-z]+://[^/@]*@[^/@?#]*/[^\s@?#]+\Z")
TAMPERABLE = ("http://", "git://")


def problems(settings):
    """Return one sentence for each unsafe or invalid setting.

    settings: url, playbook, checkout, minimum_commit, verify_commit and trusted_keys.
    """
    names = {"pull_" + name: settings[name] for name in ("playbook", "checkout", "minimum_commit")}
    return [
        *url_problems(settings["url"], settings["verify_commit"]),
        *firstboot_values.problems(names, "docker_firstboot_{}"),
        *minimum_commit_problems(settings),
        *key_problems(settings),
    ]


def url_problems(url, verify_commit):
    """Return sentences without the URL itself, which may contain a secret."""
    if SSH.match(url):
        return [
            "docker_firstboot_pull_url uses SSH, for which a sealed image has no key: use https://host/path, and for a "
            "private repository a git credential helper that uses the instance's role."
        ]
    if CREDENTIALS.match(url):
        return [
            "docker_firstboot_pull_url contains credentials, which anyone who can read the image would get: remove "
            "them, and use a public repository or a git credential helper that uses the instance's role."
        ]
    if url.startswith(TAMPERABLE) and not verify_commit:
        return [
            "docker_firstboot_pull_url does not use TLS and docker_firstboot_pull_verify_commit is false, so anyone "
            "on the network path could become root on new instances: use https://, or verify the commit."
        ]
    return firstboot_values.problems({"pull_url": url}, "docker_firstboot_{}")


def minimum_commit_problems(settings):
    """Require a minimum commit, since a signature proves neither a commit's age nor its repository."""
    verified_by_id = firstboot_values.is_full_commit(settings["checkout"])
    if not settings["verify_commit"] or settings["minimum_commit"] or verified_by_id:
        return []
    return [
        "docker_firstboot_pull_minimum_commit is empty, so the server could offer any commit that a trusted key has "
        "ever signed, including old ones and those of other repositories: set it to the full ID of the oldest "
        "acceptable commit, or set docker_firstboot_pull_checkout to the full ID of the commit to apply."
    ]


def key_problems(settings):
    if not settings["verify_commit"]:
        return []
    if not settings["trusted_keys"]:
        return [
            "docker_firstboot_pull_trusted_keys is empty, so no commit could be verified: list the signers' public "
            "keys as printed by 'gpg --armor --export'."
        ]
    return [
        sentence
        for number, key in enumerate(settings["trusted_keys"], 1)
        for sentence in [key_problem(number, key)]
        if sentence
    ]


def key_problem(number, key):
    try:
        if "PRIVATE KEY BLOCK" in key:
            raise openpgp.OpenPgpError("it is a private key")
        openpgp.fingerprints(key.encode("utf-8"))
    except openpgp.OpenPgpError as error:
        return (
            f"Key {number} of docker_firstboot_pull_trusted_keys is not usable: {error}. Use a public key as printed "
            "by 'gpg --armor --export'."
        )
    return None


def fingerprints(keys):
    """Return the fingerprints of the primary keys in armored public keys; no other key's signature counts."""
    return [fingerprint for key in keys for fingerprint in openpgp.fingerprints(key.encode("utf-8"))]
