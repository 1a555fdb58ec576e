# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils import proxy_address

HTTP = "http://for-http.example:3128"
HTTPS = "http://for-https.example:3128"


@pytest.mark.parametrize(
    "address",
    [
        "http://proxy.example.com:3128",
        "http://proxy",
        "http://10.0.0.1:8080/",
        "http://[fd00::1]:3128",
        "http://me@proxy:3128",
        "http://me:p%40ss!$&'()*+,;=:~@proxy:3128",
    ],
)
def test_an_address_is_one_for_either_key(address: str) -> None:
    assert proxy_address.problem({"http": address, "https": address, "no_proxy": "localhost"}) == ""


@pytest.mark.parametrize(
    "address",
    [
        "proxy.example.com:3128",
        "me:geheim@proxy:3128",
        "https://me:geheim@proxy:3128",
        "socks5://me:geheim@proxy:1080",
        "http://me:geheim@proxy:port",
        "http://me:geheim/@proxy:3128",
        "http://me:geh@eim@proxy:3128",
        "http://me:geheim%@proxy:3128",
        "http://me:geheim@proxy:3128/path",
        "http://me:geheim@proxy:3128\nproxy=x",
        "http://",
    ],
)
def test_what_is_none_is_refused_by_its_key_and_without_its_password(address: str) -> None:
    problem = proxy_address.problem({"http": HTTP, "https": address})
    assert problem.startswith("docker_engine_proxy.https must be the address")
    assert "geh" not in problem


def test_no_proxy_at_all_is_no_problem() -> None:
    assert proxy_address.problem({}) == proxy_address.problem({"http": "", "https": None}) == ""


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://download.docker.com/linux", HTTPS),
        ("http://download.docker.com/linux", HTTP),
        ("https://mirror.lan/linux", ""),
        ("https://sub.mirror.lan/linux", ""),
        ("https://othermirror.lan/linux", HTTPS),
        ("https://registry.lan:5000/v2/", ""),
        ("https://registry.lan/v2/", HTTPS),
        ("https://10.0.0.7/v2/", ""),
        ("https://me:secret@mirror.lan/linux", ""),
        ("file:///srv/mirror", ""),
    ],
)
def test_the_scheme_and_the_exceptions_decide_on_the_proxy(url: str, proxy: str) -> None:
    for exceptions in ("mirror.lan, Registry.lan:5000,10.0.0.7", [".mirror.lan", "registry.lan:5000", "10.0.0.7"]):
        settings = {"http": HTTP, "https": HTTPS, "no_proxy": exceptions}
        assert proxy_address.proxy_for(settings, url) == proxy


def test_without_settings_everything_is_reached_directly() -> None:
    assert proxy_address.proxy_for({}, "https://download.docker.com") == ""
    assert proxy_address.proxy_for({"http": HTTP, "no_proxy": None}, "https://download.docker.com") == ""


def test_a_star_excepts_everything() -> None:
    assert proxy_address.proxy_for({"https": HTTPS, "no_proxy": "*"}, "https://download.docker.com") == ""
