# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import configparser
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.net import url_secrets
from ansible_collections.slipway.platform.plugins.module_utils.packages import yum_repo
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.nasty_values import JINJA

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


def test_only_requested_settings_are_written() -> None:
    assert "module_hotfixes" not in render()
    assert render(module_hotfixes=True)["module_hotfixes"] == "1"
    assert render(enabled=False)["enabled"] == "0"
    assert "includepkgs" not in render()
    assert render(includepkgs=["docker-ce-26.1.*-*", "containerd.io"])["includepkgs"] == (
        "docker-ce-26.1.*-*,containerd.io"
    )


def test_proxy_credentials_are_decoded_into_keys_of_their_own() -> None:
    section = render(proxy="http://me:p%40ss@proxy:3128")
    assert section["proxy"] == "http://proxy:3128"
    assert (section["proxy_username"], section["proxy_password"]) == ("me", "p@ss")


@pytest.mark.parametrize("userinfo", ["me:secret", "me:it's-s3cret", "me", "0123-token:"])
def test_a_file_with_credentials_is_readable_by_root_only(userinfo: str) -> None:
    assert yum_repo.file_mode({**OPTIONS, "proxy": f"http://{userinfo}@proxy:3128"}) == 0o600
    assert yum_repo.file_mode({**OPTIONS, "proxy": "http://proxy:3128"}) == 0o644


def test_the_diff_does_not_show_the_password() -> None:
    text = yum_repo.render({**OPTIONS, "proxy": "http://me:secret@proxy:3128"})
    assert "secret" in text
    assert "secret" not in yum_repo.redact(text + "username=me\npassword = secret\n")


@given(st.text(), st.sampled_from(["description", "baseurl"]))
def test_a_value_cannot_add_lines_or_keys(value: str, key: str) -> None:
    assume("$releasever" not in value)
    plain = set(read_back(yum_repo.render(OPTIONS)))
    try:
        text = yum_repo.render({**OPTIONS, key: value})
    except yum_repo.YumRepoError:
        assert not value.isprintable() or url_secrets.holds_userinfo(value) or "[" in value or "]" in value
        return
    assert len(text.splitlines()) == len(yum_repo.render(OPTIONS).splitlines())
    assert set(read_back(text)) == plain


@pytest.mark.parametrize("value", JINJA)
def test_a_value_that_looks_like_a_template_arrives_as_it_is(value: str) -> None:
    section = render(description=value, baseurl=f"https://mirror/{value}")
    assert (section["name"], section["baseurl"]) == (value, f"https://mirror/{value}")


@pytest.mark.parametrize("baseurl", ["https://x/\ngpgcheck=0", "https://x/\rgpgcheck=0", "https://x/\u2028gpgcheck=0"])
def test_a_line_break_in_the_url_is_refused(baseurl: str) -> None:
    with pytest.raises(yum_repo.YumRepoError, match="baseurl contains a line break"):
        render(baseurl=baseurl)


@pytest.mark.parametrize(
    ("userinfo", "user", "password"),
    [("alice:p%40s%2Fs", "alice", "p@s/s"), ("0123-token", "0123-token", None), ("0123-token:", "0123-token", None)],
)
def test_credentials_in_the_url_are_decoded_into_keys_of_their_own(
    userinfo: str, user: str, password: str | None
) -> None:
    """dnf prints and logs the URL."""
    baseurl = f"https://{userinfo}@mirror/linux"
    private = yum_repo.render_private("docker-ce-stable", baseurl, None)
    for section in (render(baseurl=baseurl), read_back(private)):
        assert section["baseurl"] == "https://mirror/linux"
        assert (section["username"], section.get("password")) == (user, password)
    assert yum_repo.file_mode({**OPTIONS, "baseurl": baseurl}) == 0o600
    shown = yum_repo.redact(yum_repo.render({**OPTIONS, "baseurl": baseurl}))
    assert user not in shown
    assert (password or user) not in shown


@pytest.mark.parametrize("baseurl", ["https://me:s3cret/pw@mirror/linux", "https://me:s3cret#pw@mirror/linux"])
def test_credentials_that_are_not_encoded_are_refused_without_revealing_them(baseurl: str) -> None:
    for render_any in (lambda: render(baseurl=baseurl), lambda: yum_repo.render_private("docker", baseurl, None)):
        with pytest.raises(yum_repo.YumRepoError, match="percent-encode special characters") as caught:
            render_any()
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("baseurl", ["https://[mirror/linux", "https://me:pw@[::1/linux"])
def test_a_url_that_cannot_be_read_is_refused(baseurl: str) -> None:
    with pytest.raises(yum_repo.YumRepoError, match="is not a URL") as caught:
        render(baseurl=baseurl)
    assert "pw" not in str(caught.value)


def test_releasever_is_refused() -> None:
    with pytest.raises(yum_repo.YumRepoError, match="releasever"):
        render(baseurl="https://x/$releasever/stable")


@pytest.mark.parametrize("repo_id", ["", "a b", "a]\n[b", "ä"])
def test_an_invalid_repository_id_is_refused(repo_id: str) -> None:
    with pytest.raises(yum_repo.YumRepoError, match="repo_id"):
        yum_repo.render({**OPTIONS, "repo_id": repo_id})


def test_the_probe_url_is_the_index_for_this_architecture() -> None:
    assert yum_repo.probe_url("https://x/$basearch/", "x86_64") == "https://x/x86_64/repodata/repomd.xml"
    assert yum_repo.probe_url("https://x/$basearch", "armv7l") == "https://x/armhfp/repodata/repomd.xml"
