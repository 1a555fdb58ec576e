# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import base64
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import pulled_playbook

URL = "https://git.example.com/site.git"
SECRET = "kept-nowhere"
# The packet of a public key, of version 4.
PACKET = b"\xc6\x0c\x04" + bytes(4) + b"\x16\x05hello"
KEY = (
    f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{base64.b64encode(PACKET).decode()}\n-----END PGP PUBLIC KEY BLOCK-----\n"
)


def problems(**wish: Any) -> list[str]:
    usual = {"url": URL, "playbook": "local.yml", "checkout": "", "verify_commit": True, "trusted_keys": [KEY]}
    found: list[str] = pulled_playbook.problems({**usual, **wish})
    return found


@pytest.mark.parametrize("url", [URL, "http://10.0.0.1/site", "file:///srv/s"])
def test_the_addresses_of_git_are_taken(url: str) -> None:
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
def test_an_address_that_holds_a_secret_or_is_none_is_refused_and_not_told(url: str) -> None:
    (sentence,) = problems(url=url)
    assert sentence.startswith("docker_firstboot_pull_url ")
    assert SECRET not in sentence


@pytest.mark.parametrize(
    "url",
    ["ssh://git@git.example.com/site", "git@git.example.com:ops/site.git", f"ssh://git:{SECRET}@git.example.com/site"],
)
def test_an_address_for_which_an_instance_would_need_a_key_is_refused_with_the_way_out(url: str) -> None:
    (sentence,) = problems(url=url)
    assert "is read by SSH, for which a sealed image has no key" in sentence
    assert "https://" in sentence and "a git credential helper" in sentence
    assert SECRET not in sentence


@pytest.mark.parametrize("url", ["http://git.example.com/site", "git://git.example.com/site"])
def test_what_anybody_on_the_way_may_change_must_be_signed(url: str) -> None:
    assert problems(url=url) == []
    (sentence,) = problems(url=url, verify_commit=False)
    assert "anybody on the way becomes root" in sentence


def test_a_verification_without_keys_is_refused() -> None:
    assert "names no key" in problems(trusted_keys=[])[0]
    assert problems(trusted_keys=[], verify_commit=False) == []


def test_a_key_that_is_private_damaged_or_none_is_refused_by_its_number() -> None:
    bad = [KEY.replace("PUBLIC", "PRIVATE"), KEY.replace("\n\n", "\n\nAAAA"), "ABCD" * 10]
    found = problems(trusted_keys=[KEY, *bad])
    assert [sentence.partition(" of ")[0] for sentence in found] == ["Key 2", "Key 3", "Key 4"]
    assert "it is a private key" in found[0]


@pytest.mark.parametrize("playbook", ["", "/etc/x.yml", "../x.yml", "--extra-vars=x", "a b.yml"])
def test_a_playbook_outside_of_the_repository_is_refused(playbook: str) -> None:
    assert ["docker_firstboot_pull_playbook" in sentence for sentence in problems(playbook=playbook)] == [True]


def test_a_checkout_that_would_be_an_option_is_refused() -> None:
    assert ["docker_firstboot_pull_checkout" in sentence for sentence in problems(checkout="-b")] == [True]
