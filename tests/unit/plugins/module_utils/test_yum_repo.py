# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import configparser
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import yum_repo
from hypothesis import assume, given
from hypothesis import strategies as st

OPTIONS = {
    "repo_id": "docker-ce-stable",
    "description": "Docker CE Stable",
    "baseurl": "https://download.docker.com/linux/centos/9/$basearch/stable",
    "enabled": True,
    "repo_gpgcheck": False,
    "module_hotfixes": False,
    "includepkgs": [],
    "key_file": "/etc/pki/rpm-gpg/KEY",
    "proxy": None,
}


def read_back(text: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(comment_prefixes=("#",), delimiters=("=",), strict=True)
    parser.read_string(text)
    return dict(parser["docker-ce-stable"])


def render(**changes: Any) -> dict[str, str]:
    return read_back(yum_repo.render({**OPTIONS, **changes}))


def test_packages_are_always_verified_with_the_pinned_key() -> None:
    section = render()
    assert (section["gpgcheck"], section["gpgkey"]) == ("1", "file:///etc/pki/rpm-gpg/KEY")


def test_only_what_was_asked_for_is_written() -> None:
    assert "module_hotfixes" not in render()
    assert render(module_hotfixes=True)["module_hotfixes"] == "1"
    assert render(enabled=False)["enabled"] == "0"
    assert "includepkgs" not in render()
    assert render(includepkgs=["docker-ce-26.1.*-*", "containerd.io"])["includepkgs"] == (
        "docker-ce-26.1.*-*,containerd.io"
    )


def test_credentials_leave_the_proxy_address_and_are_decoded() -> None:
    section = render(proxy="http://me:p%40ss@proxy:3128")
    assert section["proxy"] == "http://proxy:3128"
    assert (section["proxy_username"], section["proxy_password"]) == ("me", "p@ss")


def test_a_file_with_a_password_is_for_root_alone() -> None:
    assert yum_repo.file_mode({**OPTIONS, "proxy": "http://me:secret@proxy:3128"}) == 0o600
    assert yum_repo.file_mode({**OPTIONS, "proxy": "http://proxy:3128"}) == 0o644


def test_the_diff_does_not_show_the_password() -> None:
    text = yum_repo.render({**OPTIONS, "proxy": "http://me:secret@proxy:3128"})
    assert "secret" in text
    assert "secret" not in yum_repo.redact(text)


@given(st.text(), st.sampled_from(["description", "baseurl"]))
def test_a_value_never_leaves_its_line(value: str, key: str) -> None:
    assume("$releasever" not in value)
    plain = set(read_back(yum_repo.render(OPTIONS)))
    try:
        text = yum_repo.render({**OPTIONS, key: value})
    except yum_repo.YumRepoError:
        assert not value.isprintable()
        return
    assert len(text.splitlines()) == len(yum_repo.render(OPTIONS).splitlines())
    assert set(read_back(text)) == plain


@pytest.mark.parametrize("baseurl", ["https://x/\ngpgcheck=0", "https://x/\rgpgcheck=0", "https://x/\u2028gpgcheck=0"])
def test_a_line_break_in_the_address_is_refused(baseurl: str) -> None:
    with pytest.raises(yum_repo.YumRepoError, match="baseurl holds a line break"):
        render(baseurl=baseurl)


def test_releasever_is_refused() -> None:
    with pytest.raises(yum_repo.YumRepoError, match="releasever"):
        render(baseurl="https://x/$releasever/stable")


@pytest.mark.parametrize("repo_id", ["", "a b", "a]\n[b", "ä"])
def test_an_id_that_is_no_section_name_is_refused(repo_id: str) -> None:
    with pytest.raises(yum_repo.YumRepoError, match="repo_id"):
        yum_repo.render({**OPTIONS, "repo_id": repo_id})


def test_the_probe_asks_for_the_index_of_this_architecture() -> None:
    assert yum_repo.probe_url("https://x/$basearch/", "x86_64") == "https://x/x86_64/repodata/repomd.xml"
    assert yum_repo.probe_url("https://x/$basearch", "armv7l") == "https://x/armhfp/repodata/repomd.xml"
