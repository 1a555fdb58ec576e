# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
import hashlib
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import pulled_playbook

URL = "https://git.example.com/site.git"
SECRET = "kept-nowhere"
# A public-key packet, version 4.
PACKET = b"\xc6\x0c\x04" + bytes(4) + b"\x16\x05hello"
KEY = (
    f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{base64.b64encode(PACKET).decode()}\n-----END PGP PUBLIC KEY BLOCK-----\n"
)


def problems(**settings: Any) -> list[str]:
    usual = {
        "url": URL,
        "playbook": "local.yml",
        "checkout": "",
        "minimum_commit": "0" * 40,
        "verify_commit": True,
        "trusted_keys": [KEY],
    }
    found: list[str] = pulled_playbook.problems({**usual, **settings})
    return found


@pytest.mark.parametrize("url", [URL, "http://10.0.0.1/site", "file:///srv/s"])
def test_git_urls_are_accepted(url: str) -> None:
    assert problems(url=url, checkout="release/v1.4") == []


@pytest.mark.parametrize(
    "url",
    [
        f"https://ops:{SECRET}@git.example.com/site",
        f"https://{SECRET}@git.example.com/site",
        f"https://git.example.com/site?private_token={SECRET}",
        f"git:{SECRET}@git.example.com:site",
        f"https://git.example.com/site force={SECRET}",
        f"ext::sh -c {SECRET}",
        f"--upload-pack={SECRET}",
    ],
)
def test_a_url_that_contains_a_secret_or_is_malformed_is_rejected_and_not_shown(url: str) -> None:
    (sentence,) = problems(url=url)
    assert sentence.startswith("docker_firstboot_pull_url ")
    assert SECRET not in sentence


@pytest.mark.parametrize(
    "url",
    ["ssh://git@git.example.com/site", "git@git.example.com:ops/site.git", f"ssh://git:{SECRET}@git.example.com/site"],
)
def test_an_ssh_url_is_rejected_with_a_remedy(url: str) -> None:
    (sentence,) = problems(url=url)
    assert "uses SSH, for which a sealed image has no key" in sentence
    assert "https://" in sentence and "a git credential helper" in sentence
    assert SECRET not in sentence


@pytest.mark.parametrize("url", ["http://git.example.com/site", "git://git.example.com/site"])
def test_an_unencrypted_url_requires_signed_commits(url: str) -> None:
    assert problems(url=url) == []
    (sentence,) = problems(url=url, verify_commit=False)
    assert "anyone on the network path could become root" in sentence


def test_a_verification_without_keys_is_rejected() -> None:
    assert "docker_firstboot_pull_trusted_keys is empty" in problems(trusted_keys=[])[0]
    assert problems(trusted_keys=[], verify_commit=False) == []


def test_a_private_damaged_or_malformed_key_is_rejected_by_its_number() -> None:
    bad = [KEY.replace("PUBLIC", "PRIVATE"), KEY.replace("\n\n", "\n\nAAAA"), "ABCD" * 10]
    found = problems(trusted_keys=[KEY, *bad])
    assert [sentence.partition(" of ")[0] for sentence in found] == ["Key 2", "Key 3", "Key 4"]
    assert "it is a private key" in found[0]


def test_the_fingerprints_of_all_keys_are_listed() -> None:
    fingerprint = hashlib.sha1(b"\x99" + b"\x00\x0c" + PACKET[2:]).hexdigest().upper()
    assert pulled_playbook.fingerprints([KEY, KEY]) == [fingerprint] * 2
    assert pulled_playbook.fingerprints([]) == []


def test_a_verification_without_a_minimum_commit_is_rejected() -> None:
    (sentence,) = problems(minimum_commit="")
    assert sentence.startswith("docker_firstboot_pull_minimum_commit is empty")
    assert problems(minimum_commit="", checkout="a" * 40) == []
    assert problems(minimum_commit="", verify_commit=False) == []
    (sentence,) = problems(minimum_commit="a" * 39)
    assert sentence.startswith("docker_firstboot_pull_minimum_commit is not a full commit ID")


@pytest.mark.parametrize("playbook", ["", "/etc/x.yml", "../x.yml", "--extra-vars=x", "a b.yml"])
def test_a_playbook_outside_the_repository_is_rejected(playbook: str) -> None:
    assert ["docker_firstboot_pull_playbook" in sentence for sentence in problems(playbook=playbook)] == [True]


@pytest.mark.parametrize(
    "checkout", ["-b", "main' x", 'main" verify_commit=no', "main\n", "a b", "refs/../x", "sch\u00f6n"]
)
def test_a_checkout_that_could_be_more_than_a_name_is_rejected(checkout: str) -> None:
    assert ["docker_firstboot_pull_checkout" in sentence for sentence in problems(checkout=checkout)] == [True]
