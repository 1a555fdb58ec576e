# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.registry_cache import settings

DIGEST = "sha256:" + 64 * "0"
GOOD: dict[str, Any] = {
    "state": "present",
    "image": f"docker.io/library/registry@{DIGEST}",
    "name": "cache.example.com",
    "port": 5000,
    "metrics_port": 5001,
    "directory": "/var/lib/cache",
    "limit_gb": 50,
    "tls": {"cert": None, "key": None, "ca": None},
    "client_ca": "",
    "upstream": "https://registry-1.docker.io",
    "username": "",
    "password": "",
    "helper": "",
    "private_images_confirmed": False,
    "proxy": {},
    "images": [],
}
LOGIN = {"username": "alice", "password": "dckr_pat_secret"}


def problems(**differing: Any) -> list[str]:
    return list(settings.problems({**GOOD, **differing}))


@pytest.mark.parametrize(
    "differing",
    [
        {},
        {"image": DIGEST},
        {"image": f"localhost:5000/registry@{DIGEST}"},
        {"name": "192.0.2.7"},
        {"name": "2001:db8::7"},
        {"directory": "/srv"},
        {"directory": "/var/lib/docker-cache"},
        {"upstream": "https://[2001:db8::7]:5000"},
        {"upstream": "http://hub.example.com:5000/"},
        {**LOGIN, "client_ca": "PEM"},
        {**LOGIN, "private_images_confirmed": True},
        {"helper": "slipway", "client_ca": "PEM"},
        {"tls": {"cert": "CERT", "key": "KEY", "ca": None}},
        {"images": [{"name": "library/nginx", "digest": DIGEST, "tags": ["1.27", "stable"]}]},
        {"images": [{"name": "team/app_1/x-y", "digest": DIGEST}]},
        {"state": "absent", "image": "", "name": ""},
    ],
)
def test_what_can_work_is_accepted(differing: dict[str, Any]) -> None:
    assert problems(**differing) == []


@pytest.mark.parametrize(
    ("differing", "reason"),
    [
        ({"image": ""}, "image is empty"),
        ({"image": "registry:2"}, "not pinned by a digest"),
        ({"image": f"registry:2@sha256:{63 * '0'}"}, "not pinned by a digest"),
        ({"image": f"-v/:/host@{DIGEST}"}, "not pinned by a digest"),
        ({"image": f"registry@{DIGEST}\n"}, "not pinned by a digest"),
        ({"name": "https://cache.example.com"}, "neither a host name nor an address"),
        ({"name": "cache.example.com:5000"}, "neither a host name nor an address"),
        ({"name": "cache\nDNS:evil.example.com"}, "neither a host name nor an address"),
        ({"port": 0}, "port 0 is not a port"),
        ({"metrics_port": 65536}, "metrics_port 65536 is not a port"),
        ({"port": 5001}, "are both 5001"),
        ({"directory": "/"}, "cannot hold the cache"),
        ({"directory": "/var/lib"}, "cannot hold the cache"),
        ({"directory": "//"}, "cannot hold the cache"),
        ({"directory": "/./var/lib/"}, "cannot hold the cache"),
        ({"directory": "/usr/local"}, "cannot hold the cache"),
        ({"directory": "/var/lib/docker"}, "cannot hold the cache"),
        ({"directory": "/var/lib/slipway"}, "cannot hold the cache"),
        ({"directory": "/tmp/cache"}, "cannot hold the cache"),
        ({"directory": "/srv/../etc"}, "cannot hold the cache"),
        ({"directory": "cache"}, "cannot hold the cache"),
        ({"directory": "/srv/a b"}, "cannot hold the cache"),
        ({"directory": "/", "state": "absent"}, "cannot hold the cache"),
        ({"limit_gb": 0}, "at least 1"),
        ({"tls": {"cert": "CERT"}}, "tls has no key"),
        ({"tls": {"ca": "CA"}}, "tls has no cert and no key"),
        ({"upstream": "registry-1.docker.io"}, "not the address of a registry"),
        ({"upstream": "https://user:hidden@hub.example.com"}, "not the address of a registry"),
        ({"upstream": "https://hub.example.com/v2/"}, "not the address of a registry"),
        ({"upstream": "https://[::1"}, "not the address of a registry"),
        ({"upstream": "https://hub.example.com:port"}, "not the address of a registry"),
        ({"upstream": "https://hub.example.com:99999"}, "not the address of a registry"),
        ({"upstream": "https://hub.example\n.com"}, "not the address of a registry"),
        ({"upstream": "https://hub.example.com?a=b"}, "not the address of a registry"),
        ({"username": "alice", "client_ca": "PEM"}, "belong together"),
        ({"password": "dckr_pat_secret", "client_ca": "PEM"}, "belong together"),
        ({**LOGIN, "client_ca": "PEM", "helper": "slipway"}, "exclude each other"),
        ({"helper": "../evil", "client_ca": "PEM"}, "not the name of a credential helper"),
        ({**LOGIN, "client_ca": "PEM", "upstream": "http://hub.example.com"}, "clear text"),
        (LOGIN, "to everyone who reaches its port"),
        ({"helper": "slipway"}, "to everyone who reaches its port"),
        ({"images": ["nginx"]}, "Entry 1 of registry_cache_images must have name and digest"),
        ({"images": [{"name": "nginx:1", "digest": DIGEST}]}, "without host"),
        ({"images": [{"name": "docker.io/library/nginx", "digest": DIGEST}]}, "without host"),
        ({"images": [{"name": "library/nginx"}]}, "is not pinned"),
        ({"images": [{"name": "library/nginx", "digest": DIGEST, "tags": ["a b"]}]}, "is not valid"),
        ({"images": [{"name": "library/nginx", "digest": DIGEST, "tags": "stable"}]}, "not a list of texts"),
        ({"images": [{"name": "library/nginx", "digest": DIGEST, "tags": [1.1]}]}, "not a list of texts"),
        ({"images": [{"name": 5, "digest": DIGEST}]}, "must have name and digest"),
        ({"images": [{"name": "library/nginx", "digest": DIGEST, "tag": "1"}]}, "must have name and digest"),
        ({"proxy": {"https": "socks5://x"}}, "must be a proxy address"),
    ],
)
def test_what_cannot_work_is_named_in_one_sentence(differing: dict[str, Any], reason: str) -> None:
    (sentence,) = problems(**differing)
    assert reason in sentence
    assert sentence.endswith((".", "..."))
    assert "secret" not in sentence
    assert "hidden" not in sentence
