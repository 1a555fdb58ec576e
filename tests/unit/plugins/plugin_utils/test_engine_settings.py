# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import engine_settings

from tests.unit.plugins.plugin_utils.test_quoting import ENGINE


@pytest.mark.parametrize(
    ("store", "features"),
    [
        ("", None),
        ("containerd", None),
        ("", {"containerd-snapshotter": False}),
        ("containerd", {"containerd-snapshotter": True, "buildkit": True}),
        ("storage-driver", {"buildkit": True}),
    ],
)
def test_an_image_store_that_the_features_do_not_contradict_is_fine(store: str, features: Any) -> None:
    assert engine_settings.image_store_problem(store, features) is None


@pytest.mark.parametrize("store", ["containerd", "storage-driver"])
def test_an_image_store_that_the_features_contradict_is_refused(store: str) -> None:
    """Fault: docker_engine_image_store and the features of daemon.json say different things. Outcome: refused."""
    features = {"containerd-snapshotter": store != "containerd"}
    sentence = engine_settings.image_store_problem(store, features)
    assert sentence is not None
    assert sentence.startswith(f"docker_engine_image_store is {store}, and features in docker_engine_daemon_options")


def test_features_that_are_no_dictionary_are_refused_in_one_sentence() -> None:
    assert "features must be a dictionary" in str(engine_settings.image_store_problem("containerd", ["buildkit"]))


def test_an_invalid_proxy_in_the_options_of_the_engine_is_refused_without_its_token() -> None:
    (sentence,) = engine_settings.problems(
        {**ENGINE, "texts": {}, "daemon_options": {"proxies": {"http-proxy": "s3cret@proxy:3128"}}}
    )
    assert sentence.startswith("docker_engine_daemon_options.proxies.http-proxy must be a proxy address")
    assert "s3cret" not in sentence


HARDENED = {"icc": False, "userns-remap": "default"}
LISTENER = ["fd://", "tcp://127.0.0.1:2375"]
VERIFIED = {"tlsverify": True, "tlscacert": "/etc/docker/tls/ca.pem"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hosts": LISTENER}, "hardened allows tcp://127.0.0.1:2375 only with client certificates, also on loopback"),
        ({"hosts": ["fd://", "127.0.0.1"], "tls": True}, "hardened allows 127.0.0.1 only with client certificates"),
        ({"iptables": False}, "iptables: false does not work with icc: false"),
        ({"features": {"containerd-snapshotter": True}}, "image store does not work with userns-remap"),
    ],
    ids=["tcp", "tls without verification", "iptables", "image store"],
)
def test_a_setting_that_contradicts_the_profile_is_refused(given: dict[str, Any], words: str) -> None:
    """Fault: `docker_engine_profile: hardened` beside an option that makes no sense with it. Outcome: refused."""
    settings = {**ENGINE, "texts": {}, "daemon_options": given, "options": {**HARDENED, **given}}
    (sentence,) = engine_settings.problems({**settings, "profile": "hardened"})
    assert words in sentence
    assert engine_settings.problems(settings) == []


@pytest.mark.parametrize(
    "given",
    [
        {"userland-proxy": True},
        {"hosts": LISTENER, **VERIFIED},
        {"hosts": ["fd://", "unix:///run/other.sock"]},
        {"iptables": False, "icc": True},
        {"features": {"containerd-snapshotter": True}, "userns-remap": None},
    ],
    ids=["proxy", "certificates", "sockets", "iptables", "image store"],
)
def test_an_option_of_the_profile_can_be_overridden(given: dict[str, Any]) -> None:
    options = {**HARDENED, **given}
    settings = {**ENGINE, "texts": {}, "daemon_options": given, "options": options, "profile": "hardened"}
    assert engine_settings.problems(settings) == []


def test_registry_mirrors_are_addresses_with_https() -> None:
    """Fault: a registry mirror without https, or with a path, which the engine would pass over. Outcome: refused."""
    good = ["https://cache.example.com:5000", "https://192.0.2.7", "https://[2001:db8::7]:5000/"]
    assert engine_settings.problems({**ENGINE, "texts": {}, "registry_mirrors": good}) == []
    for bad in ("cache:5000", "http://cache:5000", "https://cache/v2/", "https://user:s3cret@cache", "https://a\n"):
        (sentence,) = engine_settings.problems({**ENGINE, "texts": {}, "registry_mirrors": [bad]})
        assert sentence.startswith("docker_engine_registry_mirrors has ")
        assert "s3cret" not in sentence


def test_registry_mirrors_in_two_places_are_refused() -> None:
    both = {"registry_mirrors": ["https://cache"], "daemon_options": {"registry-mirrors": ["https://other"]}}
    (sentence,) = engine_settings.problems({**ENGINE, "texts": {}, **both})
    assert "remove one of the two" in sentence
