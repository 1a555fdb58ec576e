# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Judges a playbook that instances are to fetch and run as root: where it comes from, and who vouches for it."""

import re

from ansible_collections.slipway.platform.plugins.module_utils import openpgp

URL = re.compile(r"\A(?P<scheme>https|http|git|file)://(?:(?P<user>[^/@]*)@)?[^/@?#]*/[^\s@?#]+\Z")
# As a URL, or as scp writes it.
SSH = re.compile(r"\A(?:ssh://|[\w.-]+@[\w.-]+:)")
# As arguments of ansible-pull, and in the arguments of the module to which it hands them on.
WORD = re.compile(r"\A[\w./@+][\w./@+-]*\Z")
TAMPERABLE = ("http", "git")


def problems(wish):
    """Sentences that say what is wrong with url, playbook, checkout, verify_commit and trusted_keys."""
    return [*problems_of_url(wish["url"], wish["verify_commit"]), *problems_of_words(wish), *problems_of_keys(wish)]


def problems_of_url(url, verify_commit):
    """Without the URL itself, which may hold a secret."""
    if SSH.match(url):
        return [
            "docker_firstboot_pull_url is read by SSH, for which a sealed image has no key: write https://host/path, "
            "and have a git credential helper that uses the instance's role where the repository is private."
        ]
    parts = URL.match(url)
    if not parts:
        return [
            "docker_firstboot_pull_url is no address of a git repository: write https://host/path, without a password, "
            "a token or a query, which every instance would show."
        ]
    if parts.group("user") is not None:
        return [
            "docker_firstboot_pull_url holds credentials, which everybody who can read the image would have: take them "
            "out, and let instances read the repository without, or by a git credential helper that uses their role."
        ]
    if parts.group("scheme") in TAMPERABLE and not verify_commit:
        return [
            "docker_firstboot_pull_url is read without TLS and docker_firstboot_pull_verify_commit is off, so that "
            "anybody on the way becomes root on new instances: write https://, or have the commit verified."
        ]
    return []


def problems_of_words(wish):
    found = []
    if not WORD.match(wish["playbook"]) or wish["playbook"].startswith("/") or ".." in wish["playbook"].split("/"):
        found.append("docker_firstboot_pull_playbook is no path in a repository: write it as site/local.yml.")
    if wish["checkout"] and not WORD.match(wish["checkout"]):
        found.append("docker_firstboot_pull_checkout is no branch, tag or commit: write it as main or v1.4.")
    return found


def problems_of_keys(wish):
    if not wish["verify_commit"]:
        return []
    if not wish["trusted_keys"]:
        return [
            "docker_firstboot_pull_trusted_keys names no key, so that no commit could be verified: give the public "
            "keys of those who sign, as gpg --armor --export prints them."
        ]
    return [
        sentence
        for number, key in enumerate(wish["trusted_keys"], 1)
        for sentence in [problem_of_key(number, key)]
        if sentence
    ]


def problem_of_key(number, key):
    try:
        if "PRIVATE KEY BLOCK" in key:
            raise openpgp.OpenPgpError("it is a private key")
        openpgp.fingerprints(key.encode("utf-8"))
    except openpgp.OpenPgpError as error:
        return (
            f"Key {number} of docker_firstboot_pull_trusted_keys is refused: {error}. Give a public key as gpg --armor "
            "--export prints it."
        )
    return None
