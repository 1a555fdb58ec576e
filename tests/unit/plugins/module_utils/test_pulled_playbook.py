# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import pulled_playbook

URL = "https://git.example.com/site.git"
SECRET = "kept-nowhere"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An armored key, its public and its secret part."""
    folder = tmp_path_factory.mktemp("gnupg")
    folder.chmod(0o700)
    gpg = ["gpg", "--homedir", str(folder), "--batch", "--quiet", "--pinentry-mode=loopback", "--passphrase="]
    subprocess.run([*gpg, "--quick-generate-key", "ops@site.test", "ed25519", "sign", "never"], check=True)
    parts = {
        part: subprocess.run([*gpg, "--armor", f"--{part}"], check=True, capture_output=True, text=True).stdout
        for part in ("export", "export-secret-keys")
    }
    subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=True)
    return parts


def problems(key: dict[str, str], **wish: Any) -> list[str]:
    usual = {"url": URL, "playbook": "local.yml", "checkout": "", "verify_commit": True}
    return pulled_playbook.problems({**usual, "trusted_keys": [key["export"]], **wish})


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "ssh://git@git.example.com/site",
        "git@git.example.com:ops/site.git",
        "http://10.0.0.1/site",
        "file:///srv/s",
    ],
)
def test_the_addresses_of_git_are_taken(key: dict[str, str], url: str) -> None:
    assert problems(key, url=url, checkout="release/v1.4") == []


@pytest.mark.parametrize(
    "url",
    [
        f"https://ops:{SECRET}@git.example.com/site",
        f"https://{SECRET}@git.example.com/site",
        f"ssh://git:{SECRET}@git.example.com/site",
        f"https://git.example.com/site?private_token={SECRET}",
        f"git:{SECRET}@git.example.com:site",
        f"https://git.example.com/site force={SECRET}",
        f"ext::sh -c {SECRET}",
        f"--upload-pack={SECRET}",
    ],
)
def test_an_address_that_holds_a_secret_or_is_none_is_refused_and_not_told(key: dict[str, str], url: str) -> None:
    (sentence,) = problems(key, url=url)
    assert sentence.startswith("docker_firstboot_pull_url ")
    assert SECRET not in sentence


@pytest.mark.parametrize("url", ["http://git.example.com/site", "git://git.example.com/site"])
def test_what_anybody_on_the_way_may_change_must_be_signed(key: dict[str, str], url: str) -> None:
    assert problems(key, url=url) == []
    (sentence,) = problems(key, url=url, verify_commit=False)
    assert "anybody on the way becomes root" in sentence


def test_a_verification_without_keys_is_refused(key: dict[str, str]) -> None:
    assert "names no key" in problems(key, trusted_keys=[])[0]
    assert problems(key, trusted_keys=[], verify_commit=False) == []


def test_a_key_that_is_secret_damaged_or_none_is_refused_by_its_number(key: dict[str, str]) -> None:
    bad = [key["export-secret-keys"], key["export"].replace("m", "n"), "ABCD" * 10]
    found = problems(key, trusted_keys=[key["export"], *bad])
    assert [sentence.partition(" of ")[0] for sentence in found] == ["Key 2", "Key 3", "Key 4"]
    assert "secret key" in found[0]


@pytest.mark.parametrize("playbook", ["", "/etc/x.yml", "../x.yml", "--extra-vars=x", "a b.yml"])
def test_a_playbook_outside_of_the_repository_is_refused(key: dict[str, str], playbook: str) -> None:
    assert ["docker_firstboot_pull_playbook" in sentence for sentence in problems(key, playbook=playbook)] == [True]


def test_a_checkout_that_would_be_an_option_is_refused(key: dict[str, str]) -> None:
    assert ["docker_firstboot_pull_checkout" in sentence for sentence in problems(key, checkout="-b")] == [True]
