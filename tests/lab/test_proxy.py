# SPDX-License-Identifier: Apache-2.0
"""One variable for repository, daemon and logins, on a host whose only way out is a proxy that wants a password."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from slipway.lab import hosts, hub, networks, proxy
from slipway.lab.proxy import Request
from slipway.lab.workbench import LabHost, Workbench

# Without TLS, so that the proxy's log names the files; they are signed all the same.
REPOSITORY = "http://download.docker.com/linux"
HUB = "registry-1.docker.io:443"

Requests = Callable[[], list[Request]]


@pytest.fixture(scope="module")
def guarded(workbench: Workbench) -> str:
    """The address of the proxy's port that wants a password, with a password that URLs have to escape."""
    proxy.start(workbench.lab)
    address = proxy.guarded(workbench.lab)
    assert address
    return address


@pytest.fixture(scope="module")
def isolated_host(workbench: Workbench, guarded: str) -> LabHost:
    return workbench.make("test-proxy", isolated=True)


@pytest.fixture
def requests(workbench: Workbench) -> Requests:
    """What the proxy was asked since the test has begun."""
    before = len(proxy.requests(workbench.lab))
    return lambda: proxy.requests(workbench.lab)[before:]


def through(address: str, **settings: str) -> dict[str, Any]:
    return {"docker_engine_proxy": {"http": address, "https": address, **settings}}


def state(host: LabHost) -> str:
    """Return what a refusal must leave alone: packages and configuration."""
    return host.sh(
        "rpm --query --all | sort;"
        "find /etc/docker /etc/yum.repos.d /etc/pki/rpm-gpg /etc/systemd/system -type f 2>/dev/null | sort"
        " | xargs --no-run-if-empty sha256sum"
    )


@pytest.mark.slow
def test_the_direct_way_is_blocked(workbench: Workbench, isolated_host: LabHost) -> None:
    """Without this, the other tests prove nothing."""
    server = workbench.lab.client.containers.get(workbench.lab.name(hosts.REPOSITORY))
    address = server.attrs["NetworkSettings"]["Networks"][workbench.lab.name(networks.PUBLIC)]["IPAddress"]
    assert isolated_host.run("curl", "--silent", "--connect-timeout", "3", f"http://{address}/")[0] != 0
    assert "docker_engine_proxy" in isolated_host.converge().failure(isolated_host.name)


# Refusals come first: the host must have nothing that would spare a question to the proxy.
ALLOWED_NOWHERE = "https://packages.example.com/linux"
BAD_PROXIES: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "closed port": ("http://alice:geheim@proxy.slipway.test:9", {}, ["proxy.slipway.test:9 does not answer"]),
    "unknown name": ("http://alice:geheim@absent.invalid:3128", {}, ["absent.invalid:3128 does not answer"]),
    "no password": (
        "http://proxy.slipway.test:3129",
        {},
        ["requires a user and password (HTTP 407)", "write http://user:password@proxy.slipway.test:3129"],
    ),
    "wrong password": (
        "http://alice:geheim@proxy.slipway.test:3129",
        {},
        ["rejects user alice (HTTP 407)", "correct the user and password"],
    ),
    "wrong password for http": (
        "http://alice:geheim@proxy.slipway.test:3129",
        {"docker_engine_repo_root": REPOSITORY},
        ["rejects user alice (HTTP 407)", "correct the user and password"],
    ),
    "a server that it does not allow": (
        proxy.OPEN,
        {"docker_engine_repo_root": ALLOWED_NOWHERE},
        ["does not allow packages.example.com (HTTP 403)", "allow packages.example.com on the proxy"],
    ),
    "wrong password, and a pin, which dnf looks up": (
        "http://alice:geheim@proxy.slipway.test:3129",
        {"docker_engine_version": "26.1"},
        ["the versions in", "rejects user alice (HTTP 407)", "correct the user and password"],
    ),
    "no scheme": (
        "alice:geheim@proxy.slipway.test:3129",
        {},
        ["docker_engine_proxy.http and docker_engine_proxy.https"],
    ),
    "a stray @ in the password": ("http://alice:geh@eim@proxy.slipway.test:3129", {}, ["percent-encode"]),
}


@pytest.fixture(scope="module")
def refusals(isolated_host: LabHost) -> dict[str, str]:
    """What docker_engine says of each bad proxy; nothing changes."""
    before = state(isolated_host)
    cases = {case: through(address) | variables for case, (address, variables, _) in BAD_PROXIES.items()}
    tried = isolated_host.tries("docker_engine", cases, "-vvv", "--diff")
    assert state(isolated_host) == before
    assert "geh" not in tried.output
    return isolated_host.messages(tried, cases)


@pytest.mark.parametrize("case", BAD_PROXIES)
def test_a_proxy_that_leads_nowhere_is_named_with_the_remedy_before_anything_is_changed(
    refusals: dict[str, str], case: str
) -> None:
    """Fault: a proxy that does not answer, wants a password, rejects it, or does not allow the server. Outcome: named
    with the remedy and without the password; nothing changes.
    """
    for word in (*BAD_PROXIES[case][2], "docker_engine_proxy", "othing was changed"):
        assert word in refusals[case]


def test_a_run_of_the_site_ends_at_a_bad_proxy(isolated_host: LabHost) -> None:
    address, variables, words = BAD_PROXIES["wrong password"]
    before = state(isolated_host)
    run = isolated_host.converge("-vvv", "--diff", **through(address), **variables)
    assert run.status != 0
    for word in words:
        assert word in run.failure(isolated_host.name)
    assert "geh" not in run.output
    assert state(isolated_host) == before


def test_an_unknown_key_is_refused_by_name(isolated_host: LabHost) -> None:
    run = isolated_host.converge(docker_engine_proxy={"htps": "http://alice:geheim@proxy.slipway.test:3129"})
    assert run.status != 0
    assert "docker_engine_proxy.htps" in run.failure(isolated_host.name)
    assert "http, https, no_proxy" in run.failure(isolated_host.name)
    assert "geheim" not in run.output


@pytest.fixture(scope="module")
def login(workbench: Workbench) -> dict[str, Any]:
    token = hub.credentials(workbench.lab)["alice"]
    return {"docker_registry_auth_logins": [{"username": "alice", "token": token, "user": "alice"}]}


def test_key_index_packages_and_logins_go_through_the_proxy_by_one_variable(
    isolated_host: LabHost, guarded: str, login: dict[str, Any], requests: Requests
) -> None:
    """Fault: the only way out is a proxy with a password. Outcome: key, packages, logins and pulls go through it."""
    variables = {**through(guarded), **login, "docker_engine_repo_root": REPOSITORY, "docker_access_members": ["alice"]}
    run = isolated_host.converge("-vvv", "--diff", **variables)
    assert run.status == 0, run.output
    served = [request for request in requests() if request.status == 200]
    files = {request.address.rpartition("/")[2] for request in served if request.address.startswith(REPOSITORY)}
    assert {"gpg", "repomd.xml"} <= files
    assert [name for name in files if name.startswith("docker-ce-26") and name.endswith(".rpm")]
    assert Request("CONNECT", HUB, proxy.USER, 200) in served
    assert {request.user for request in served} == {proxy.USER}
    assert isolated_host.converge(**variables).changed(isolated_host.name) == []

    secret = urlsplit(guarded).password or ""
    for form in (secret, unquote(secret)):
        assert form not in run.output
        assert json.dumps(form)[1:-1] not in run.output


def test_a_pull_goes_through_the_proxy(isolated_host: LabHost, requests: Requests) -> None:
    """Fault: the only way out is a proxy with a password. Outcome: key, packages, logins and pulls go through it."""
    isolated_host.sh("docker pull hello-world")
    assert "alice/private" in isolated_host.sh("runuser --login alice --command 'docker pull alice/private'")
    assert Request("CONNECT", HUB, proxy.USER, 200) in requests()


def test_only_root_can_read_the_password(isolated_host: LabHost, guarded: str) -> None:
    """The password's first characters are the same in a URL and in dnf's file."""
    secret = (urlsplit(guarded).password or "").partition("%")[0]
    where = "/etc /run /var/lib /var/log /usr/lib/systemd"
    holding = isolated_host.sh(f"grep --recursive --files-with-matches --devices=skip {secret} {where}")
    assert set(holding.split()) == {"/etc/docker/proxy.env", "/etc/yum.repos.d/docker-ce.repo"}
    assert isolated_host.sh(f"stat --format '%U %a' {' '.join(holding.split())}").split("\n") == ["root 600"] * 2
    assert secret not in isolated_host.sh("systemctl show docker; docker info") + isolated_host.journal()


REGISTRY_AUTH = {"ansible.builtin.import_role": {"name": "slipway.platform.docker_registry_auth"}}


@pytest.mark.slow
def test_a_registry_that_is_excepted_is_asked_directly(
    isolated_host: LabHost, guarded: str, login: dict[str, Any], requests: Requests
) -> None:
    """There is no direct way to it, which is how the test knows."""
    run = isolated_host.play(REGISTRY_AUTH, variables={**through(guarded, no_proxy="localhost,.docker.io"), **login})
    assert "registry-1.docker.io cannot be reached" in run.failure(isolated_host.name)
    assert requests() == []


def test_a_login_says_that_the_proxy_is_to_blame(isolated_host: LabHost, login: dict[str, Any]) -> None:
    wrong = through("http://alice:geheim@proxy.slipway.test:3129")
    run = isolated_host.play(REGISTRY_AUTH, options=("-vvv",), variables={**wrong, **login})
    message = run.failure(isolated_host.name)
    assert "proxy.slipway.test:3129 rejects user alice (HTTP 407)" in message
    assert "correct the user and password in docker_engine_proxy" in message
    assert "geheim" not in run.output
