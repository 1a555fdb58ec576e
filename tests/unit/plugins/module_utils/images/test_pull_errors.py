# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils.images import pull_errors

HOST = "registry.example.com"


@pytest.mark.parametrize(
    ("message", "words", "transient"),
    [
        (
            "pull access denied for team/app, repository does not exist or may require 'docker login': denied: "
            "requested access to the resource is denied",
            "login for registry.example.com and user alice",
            False,
        ),
        ('Head "https://registry.example.com/v2/team/app/manifests/x": no basic auth credentials', "login", False),
        ("unauthorized: authentication required", "login", False),
        ("manifest unknown: manifest unknown", "does not have it", False),
        ("manifest for team/app@sha256:12 not found: manifest unknown: manifest unknown", "does not have it", False),
        ('Get "https://registry.example.com/v2/": dial tcp: lookup registry.example.com: no such host', "DNS", True),
        (
            'Get "https://registry.example.com/v2/": dial tcp 192.0.2.1:443: connect: connection refused',
            "reached",
            True,
        ),
        ('Get "https://registry.example.com/v2/": net/http: TLS handshake timeout', "reached", True),
        ("received unexpected HTTP status: 503 Service Unavailable", "reached", True),
        (
            'Get "https://registry.example.com/v2/": proxyconnect tcp: dial tcp 192.0.2.2:3128: connect: refused',
            "proxy",
            False,
        ),
        ('Get "https://registry.example.com/v2/": x509: certificate signed by unknown authority', "CA", False),
        ("toomanyrequests: You have reached your pull rate limit.", "rate", False),
        ("failed to register layer: write /x: no space left on device", "disk of the data root is full", False),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "architecture", False),
        ("failed to register layer: open /var/lib/docker/x: permission denied", "journalctl", False),
        ("something else", "journalctl", False),
    ],
)
def test_every_kind_of_error_has_its_remedy(message: str, words: str, transient: bool) -> None:
    fault = pull_errors.of(message, HOST, "alice", logged_in=False)
    assert words in fault.remedy
    assert fault.transient == transient


def test_a_denial_names_the_login_that_was_used() -> None:
    assert "anonymous pulls" in pull_errors.of("denied", HOST, "alice", logged_in=False).remedy
    assert "the login of user alice" in pull_errors.of("denied", HOST, "alice", logged_in=True).remedy
