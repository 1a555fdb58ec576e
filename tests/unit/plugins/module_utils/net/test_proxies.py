# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils.net import proxies

HTTP = "http://for-http.example:3128"
HTTPS = "http://for-https.example:3128"


@pytest.mark.parametrize(
    "address",
    [
        "http://proxy.example.com:3128",
        "http://proxy",
        "http://proxy.example.com.:3128",
        "http://10.0.0.1:8080/",
        "http://[fd00::1]:3128",
        "http://me@proxy:3128",
        "http://me:p%40ss!$&'()*+,;=:~@proxy:3128",
    ],
)
def test_a_valid_address_is_accepted_for_both_keys(address: str) -> None:
    assert proxies.problem({"http": address, "https": address, "no_proxy": "localhost"}) == ""


@pytest.mark.parametrize(
    "address",
    [
        "proxy.example.com:3128",
        "me:geheim@proxy:3128",
        "https://me:geheim@proxy:3128",
        "socks5://me:geheim@proxy:1080",
        "http://me:geheim@proxy:port",
        "http://me:geheim@proxy:65536",
        "http://me:geheim@proxy:0",
        "http://me:geheim@proxy..example.com:3128",
        "http://me:geheim@proxy..:3128",
        "http://me:geheim@.:3128",
        "http://me:geheim@" + "a" * 64 + ":3128",
        "http://me:geheim/@proxy:3128",
        "http://me:geh@eim@proxy:3128",
        "http://me:geheim%@proxy:3128",
        "http://me:geheim@proxy:3128/path",
        "http://me:geheim@proxy:3128\nproxy=x",
        "http://",
    ],
)
def test_an_invalid_address_is_reported_by_key_and_without_its_password(address: str) -> None:
    problem = proxies.problem({"http": HTTP, "https": address})
    assert problem.startswith("docker_engine_proxy.https must be a proxy address")
    assert "geh" not in problem


def test_the_message_names_the_given_variable() -> None:
    problem = proxies.problem({"http": "me:s3cret@proxy:3128"}, "docker_registry_auth_proxy")
    assert problem.startswith("docker_registry_auth_proxy.http must be")
    assert "s3cret" not in problem


@pytest.mark.parametrize("name", ["http-proxy", "https-proxy", "HTTP-PROXY"])
@pytest.mark.parametrize("address", ["s3cret@proxy:3128", "me:s3cret@proxy:3128", "HTTP://S3CRET@PROXY:3128", 3128])
def test_an_invalid_proxy_in_the_options_of_the_engine_is_reported_without_its_password(
    name: str, address: object
) -> None:
    """Fault: `proxies` in `docker_engine_daemon_options` has a token and no scheme. Outcome: refused, and not shown."""
    problem = proxies.problem_of_daemon({"proxies": {name: address, "no-proxy": "localhost"}})
    assert problem.startswith(f"docker_engine_daemon_options.proxies.{name} must be a proxy address: write http://")
    assert problem.count(". ") == 0
    assert "s3cret" not in problem.lower()


@pytest.mark.parametrize(
    "found",
    [
        *(None, [], {}, {"no-proxy": "*"}, {"http-proxy": ""}, {"https-proxy": HTTPS}),
        {"http-proxy": "https://me:p%40ss@proxy.lan:3129", "https-proxy": "socks5://127.0.0.1:1080"},
    ],
)
def test_valid_proxies_in_the_options_of_the_engine_are_accepted(found: object) -> None:
    assert proxies.problem_of_daemon({"proxies": found}) == ""
    assert proxies.problem_of_daemon({}) == ""


def test_a_program_gets_the_settings_in_both_spellings_and_none_of_its_own() -> None:
    assert proxies.environment({"http": HTTP, "https": "", "no_proxy": ["a", "b"]}) == {
        "HTTP_PROXY": HTTP,
        "http_proxy": HTTP,
        "HTTPS_PROXY": "",
        "https_proxy": "",
        "NO_PROXY": "a,b",
        "no_proxy": "a,b",
        "ALL_PROXY": "",
        "all_proxy": "",
    }
    assert proxies.environment({"http": "", "https": None, "no_proxy": "a"}) == {}


def test_no_proxy_settings_are_valid() -> None:
    assert proxies.problem({}) == proxies.problem({"http": "", "https": None}) == ""


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
def test_scheme_and_no_proxy_select_the_proxy(url: str, proxy: str) -> None:
    for exceptions in ("mirror.lan, Registry.lan:5000,10.0.0.7", [".mirror.lan", "registry.lan:5000", "10.0.0.7"]):
        settings = {"http": HTTP, "https": HTTPS, "no_proxy": exceptions}
        assert proxies.proxy_for(settings, url) == proxy


@pytest.mark.parametrize(
    ("exceptions", "host", "is_direct"),
    [
        ("localhost, 192.168.121.0/24", "192.168.121.7", True),
        ("10.1.2.0/24", "10.1.3.3:5000", False),
        ("10.0.0.1/8", "10.1.2.3:5000", True),
        ("10.0.0.0/8", "10.example.com", False),
        ("10.0.0.7:5000", "10.0.0.7:5000", True),
        ("10.0.0.7:5000", "10.0.0.7", False),
        ("fd00::/8", "[fd00::5]:5000", True),
        ("fd00::5", "[fd00:0::5]", True),
        ("fd00::5", "[fd00::6]", False),
        ("[fd00::5]:5000", "[fd00::5]:5000", True),
        ("[fd00::5]:5000", "[fd00::5]:5001", False),
        ("[::", "[fd00::5]", False),
        ("*.example.com", "r.example.com", True),
        ("*.example.com", "r.example.org", False),
        ("*.", "r.example.org", False),
        (":5000", "r.example.org:5000", False),
        ("a:b:c,,.", "a.example.org", False),
    ],
)
def test_no_proxy_has_the_forms_that_the_engine_reads(exceptions: str, host: str, is_direct: bool) -> None:
    settings = {"https": HTTPS, "no_proxy": exceptions}
    assert proxies.proxy_for(settings, f"https://{host}/v2/") == ("" if is_direct else HTTPS)


def test_without_settings_no_proxy_is_used() -> None:
    assert proxies.proxy_for({}, "https://download.docker.com") == ""
    assert proxies.proxy_for({"http": HTTP, "no_proxy": None}, "https://download.docker.com") == ""


def test_a_star_in_no_proxy_matches_every_host() -> None:
    assert proxies.proxy_for({"https": HTTPS, "no_proxy": "*"}, "https://download.docker.com") == ""
