# SPDX-License-Identifier: Apache-2.0
"""Docker Hub and other registries: what goes wrong with credentials elsewhere, tried on the lab's stand-in Hub."""

import base64
import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.lab import hub
from slipway.lab.play import Run, ok
from slipway.lab.workbench import LabHost, Workbench

HUB = "https://index.docker.io/v1/"
CONFIG = "/home/alice/.docker/config.json"
PERMISSIONS = "stat --format '%U:%G %a' /home/alice/.docker /home/alice/.docker/config.json"
PULL = "docker image rm --force alice/private >/dev/null 2>&1; runuser --login {} --command 'docker pull alice/private'"


@pytest.fixture(scope="module")
def engine_host(workbench: Workbench) -> LabHost:
    return workbench.make_converged("test-registry", docker_access_members=["alice", "bob"])


@pytest.fixture
def host(engine_host: LabHost) -> LabHost:
    """The host, with nobody logged in."""
    engine_host.sh("rm -rf /home/alice/.docker /root/.docker /home/bob/.docker")
    return engine_host


@pytest.fixture
def secrets(workbench: Workbench) -> Iterator[dict[str, str]]:
    """Passwords by user; what a test changes at the Hub is put back."""
    before = hub.credentials(workbench.lab)
    yield before
    for user, password in before.items():
        hub.set_password(workbench.lab, user, password)


def alice(password: str, **login: Any) -> dict[str, Any]:
    return {"username": "alice", "password": password, "user": "alice", **login}


def log_in(host: LabHost, *logins: dict[str, Any], options: tuple[str, ...] = (), **variables: Any) -> Run:
    role = {"ansible.builtin.import_role": {"name": "slipway.platform.docker_registry_auth"}}
    return host.play(role, options=options, variables={"docker_registry_auth_logins": list(logins), **variables})


def refused(host: LabHost, *logins: dict[str, Any], **variables: Any) -> str:
    run = log_in(host, *logins, **variables)
    assert run.status != 0
    return run.failure(host.name)


def stored(host: LabHost) -> Any:
    return json.loads(host.sh(f"cat {CONFIG}"))


@pytest.mark.parametrize("spelling", ["docker.io", "index.docker.io", "https://registry-1.docker.io/v2/", HUB])
def test_every_spelling_of_the_hub_lets_a_private_image_be_pulled(
    host: LabHost, secrets: dict[str, str], spelling: str
) -> None:
    ok(log_in(host, alice(secrets["alice"], registry=spelling)))
    assert list(stored(host)["auths"]) == [HUB]
    assert "alice/private" in host.sh(PULL.format("alice"))
    assert host.run("sh", "-c", PULL.format("bob"))[0] != 0
    assert host.sh(PERMISSIONS).split("\n") == ["alice:alice 700", "alice:alice 600"]


@pytest.mark.slow
def test_the_claims_about_pulls_leave_the_images_of_the_host_alone(host: LabHost, secrets: dict[str, str]) -> None:
    """Fault: a claim pulls a name that stands for another image at the registry. Outcome: the host keeps its own."""
    logins = [alice(secrets["alice"])]
    ok(log_in(host, *logins))
    pulls = [{"user": user, "image": "alice/private", "allowed": user == "alice"} for user in ("alice", "bob")]
    listed = "docker image ls --no-trunc"
    host.run("docker", "image", "rm", "--force", "alice/private")
    without = host.sh(listed)
    assert claims_about_logins(host, logins, pulls) == "3 passed"
    assert host.sh(listed) == without
    host.sh("docker load --quiet --input /usr/share/slipway/hello.tar; docker tag slipway/hello alice/private")
    own = host.sh("docker image inspect --format '{{.Id}}' alice/private")
    assert claims_about_logins(host, logins, pulls) == "3 passed"
    assert host.sh("docker image inspect --format '{{.Id}}' alice/private") == own
    pulls[1]["allowed"] = True
    assert claims_about_logins(host, logins, pulls) == "1 failed, 2 passed"
    host.sh("docker image rm --force alice/private slipway/hello")


def claims_about_logins(host: LabHost, logins: list[dict[str, Any]], pulls: list[dict[str, Any]]) -> str:
    """Return how many claims held."""
    held = host.verify("test_registry_auth.py", docker_registry_auth_logins=logins, verify_pulls=pulls)
    return held.stdout.splitlines()[-1].partition(" in ")[0]


def test_wrong_credentials_are_refused_and_the_stored_ones_stay(host: LabHost, secrets: dict[str, str]) -> None:
    """Fault: a wrong password. Outcome: refused; the stored credentials stay."""
    ok(log_in(host, alice(secrets["alice"])))
    before = stored(host)
    message = refused(host, alice("wrong-password"))
    assert "rejected the credentials" in message
    assert "alice" in message
    assert stored(host) == before


def test_one_bad_login_of_two_changes_nothing_of_either(host: LabHost, secrets: dict[str, str]) -> None:
    """Fault: one invalid login of two. Outcome: refused; neither is changed."""
    good = {"username": "ci", "password": secrets["ci"], "registry": hub.REGISTRY, "user": "alice"}
    assert "rejected the credentials" in refused(host, good, alice("wrong-password"))
    assert host.run("ls", "/home/alice/.docker")[0] != 0


@pytest.mark.slow
def test_a_token_that_was_revoked_is_found_though_nothing_changed(
    host: LabHost, secrets: dict[str, str], workbench: Workbench
) -> None:
    """Fault: a token was revoked at the registry and is unchanged here. Outcome: found."""
    ok(log_in(host, alice(secrets["alice"])))
    assert ok(log_in(host, alice(secrets["alice"]))).changed(host.name) == []
    hub.revoke(workbench.lab, "alice")
    assert "rejected the credentials" in refused(host, alice(secrets["alice"]))
    assert ok(log_in(host, alice(secrets["alice"]), docker_registry_auth_verify=False)).changed(host.name) == []


def test_four_failures_have_four_messages(host: LabHost, secrets: dict[str, str], workbench: Workbench) -> None:
    """Fault: wrong credentials, an unreachable registry, an untrusted certificate, a rate limit. Outcome: four
    different messages.
    """
    wrong = refused(host, alice("wrong-password"))
    limited = refused(host, {"username": "limited", "password": secrets["limited"]})
    unreachable = refused(host, alice("x", registry="localhost:9"))
    # The Hub under a name that its certificate does not have.
    untrusted = refused(host, alice("x", registry=workbench.lab.name(hub.NAME)))
    assert "rejected the credentials" in wrong
    assert "HTTP 429" in limited
    assert "cannot be reached" in unreachable
    assert "certificate" in untrusted
    assert len({wrong, limited, unreachable, untrusted}) == 4


@pytest.mark.slow
def test_the_basic_registry_is_verified_by_its_own_challenge(host: LabHost, secrets: dict[str, str]) -> None:
    ci = {"username": "ci", "registry": hub.REGISTRY, "user": "alice"}
    assert "rejected the credentials" in refused(host, {**ci, "password": "wrong-password"})
    ok(log_in(host, {**ci, "password": secrets["ci"]}))
    assert host.sh(f"runuser --login alice --command 'docker pull {hub.REGISTRY}/team/app'")


def test_what_others_wrote_stays_and_loose_permissions_are_tightened(host: LabHost, secrets: dict[str, str]) -> None:
    own = {"auths": {"ghcr.io": {"auth": "eDp5"}}, "psFormat": "table", "somethingNew": [1, {"a": None}]}
    host.sh(f"mkdir -m 755 /home/alice/.docker; echo '{json.dumps(own)}' > {CONFIG}; chmod 644 {CONFIG}")
    host.sh("chown -R alice: /home/alice/.docker")
    ok(log_in(host, alice(secrets["alice"])))
    after = stored(host)
    assert after["auths"].pop(HUB)["auth"] == base64.b64encode(f"alice:{secrets['alice']}".encode()).decode()
    assert after == own
    assert host.sh(PERMISSIONS).split("\n") == ["alice:alice 700", "alice:alice 600"]


def test_logging_out_removes_one_entry_only(host: LabHost, secrets: dict[str, str]) -> None:
    ci = {"username": "ci", "password": secrets["ci"], "registry": hub.REGISTRY, "user": "alice"}
    ok(log_in(host, alice(secrets["alice"]), ci))
    gone = {"registry": "docker.io", "user": "alice", "state": "absent"}
    predicted = ok(log_in(host, gone, options=("--check", "--diff")))
    assert predicted.changed(host.name)
    assert set(stored(host)["auths"]) == {HUB, hub.REGISTRY}
    ok(log_in(host, gone))
    assert set(stored(host)["auths"]) == {hub.REGISTRY}
    assert ok(log_in(host, gone)).changed(host.name) == []


def test_a_broken_file_is_refused_with_its_path_and_never_wiped(host: LabHost, secrets: dict[str, str]) -> None:
    """Fault: a broken `config.json`. Outcome: refused with its path; the file stays."""
    host.sh(f"mkdir /home/alice/.docker; printf '{{\"auths\": {{' > {CONFIG}; chown -R alice: /home/alice/.docker")
    message = refused(host, alice(secrets["alice"]))
    assert CONFIG in message
    assert "line 1" in message
    assert host.sh(f"cat {CONFIG}") == '{"auths": {'


def test_an_unknown_user_of_the_host_is_refused_by_name(host: LabHost, secrets: dict[str, str]) -> None:
    assert "zoe" in refused(host, alice(secrets["alice"], user="zoe"))


def test_a_missing_helper_is_an_error_and_plain_text_no_way_out(host: LabHost, secrets: dict[str, str]) -> None:
    """Fault: a credential helper is missing. Outcome: refused; nothing is stored in plain text."""
    message = refused(host, alice(secrets["alice"], helper="nonsense"))
    assert "docker-credential-nonsense" in message
    assert host.run("ls", CONFIG)[0] != 0


HELPER = """#!/bin/sh
# Keeps one secret in a file of the user's own, and speaks the helpers' protocol.
cd "$HOME" || exit 1
case $1 in
    store) umask 077; cat > kept ;;
    get) [ -f kept ] && cat kept || { echo 'credentials not found in native keychain'; exit 1; } ;;
    erase) rm -f kept ;;
esac
"""


@pytest.mark.slow
def test_a_helper_keeps_the_secret_and_config_json_only_its_name(host: LabHost, secrets: dict[str, str]) -> None:
    helper = "/usr/local/bin/docker-credential-kept"
    host.sh(f"cat > {helper} <<'END'\n{HELPER}END\nchmod 755 {helper}")
    ok(log_in(host, alice(secrets["alice"], helper="kept")))
    assert stored(host).get("auths", {}).get(HUB, {}) == {}
    assert stored(host)["credHelpers"] == {HUB: "kept"}
    assert secrets["alice"] not in host.sh(f"cat {CONFIG}")
    assert host.sh("stat --format '%U %a' /home/alice/kept") == "alice 600"
    assert "alice/private" in host.sh(PULL.format("alice"))
    assert ok(log_in(host, alice(secrets["alice"], helper="kept"))).changed(host.name) == []


def test_a_mirror_in_clear_text_is_refused_beside_a_hub_login(host: LabHost, secrets: dict[str, str]) -> None:
    """Fault: a registry mirror with http:// beside a Docker Hub login. Outcome: refused; nothing changes."""
    daemon_json = host.sh("cat /etc/docker/daemon.json")
    try:
        host.sh('echo \'{"registry-mirrors": ["http://mirror.example.com"]}\' > /etc/docker/daemon.json')
        assert "http://mirror.example.com" in refused(host, alice(secrets["alice"]))
        host.sh('echo \'{"registry-mirrors": ["https://mirror.example.com"]}\' > /etc/docker/daemon.json')
        assert "https://mirror.example.com" in ok(log_in(host, alice(secrets["alice"]))).output
    finally:
        host.sh(f"cat > /etc/docker/daemon.json <<'END'\n{daemon_json}\nEND")


def test_the_rate_limit_is_returned_when_asked_for(host: LabHost, secrets: dict[str, str]) -> None:
    task = {
        "slipway.platform.docker_login": {"logins": [alice(secrets["alice"])], "rate_limit": True},
        "register": "result",
    }
    show = {"ansible.builtin.debug": {"msg": "{{ result.rate_limit }}"}}
    (_, _), (_, shown) = ok(host.play(task, show)).results(host.name)
    assert shown["msg"]["alice"]["limit"] == 100
    assert shown["msg"]["alice"]["remaining"] == 76


def command_lines(seen: set[str], done: threading.Event) -> None:
    """Collect what every process of this machine, the lab's hosts included, shows of itself."""
    while not done.is_set():
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                seen.add((process / "cmdline").read_text(errors="replace"))


def test_no_secret_is_in_any_output_nor_in_any_command_line(host: LabHost, secrets: dict[str, str]) -> None:
    """Fault: `-vvv --diff`, a loop over logins, failures. Outcome: no secret in the output or in any command line.

    Logins, a loop over the module, failures and --diff at -vvv, by the human's callback and by the machine's.
    """
    wrong = "wrong-but-still-a-secret"
    role = {"ansible.builtin.import_role": {"name": "slipway.platform.docker_registry_auth"}}
    module: dict[str, Any] = {
        "slipway.platform.docker_login": {"logins": ["{{ item }}"]},
        "loop": "{{ docker_registry_auth_logins }}",
        "no_log": True,
    }
    variables = {"docker_registry_auth_logins": [alice(secrets["alice"]), alice(wrong, registry=hub.REGISTRY)]}
    file = host.inventory.with_name("secret-variables.json")
    file.write_text(json.dumps(variables))
    options = ("-vvv", "--diff", f"--extra-vars=@{file}")
    seen: set[str] = set()
    done = threading.Event()
    watcher = threading.Thread(target=command_lines, args=(seen, done))
    watcher.start()
    try:
        printed = [host.play(task, options=options).output for task in (role, module)]
        human = [
            "ansible-playbook",
            f"--inventory={host.inventory}",
            *options,
            str(host.inventory.with_name("play.yml")),
        ]
        shown = subprocess.run(human, capture_output=True, text=True, check=False)
        printed.append(shown.stdout + shown.stderr)
    finally:
        done.set()
        watcher.join()
        file.unlink()
    assert any("rejected the credentials" in text for text in printed), "nothing was refused, so nothing was proven"
    assert any("ansible-playbook" in line for line in seen), "no command line was seen"
    for secret in (secrets["alice"], wrong):
        forms = {secret, base64.b64encode(f"alice:{secret}".encode()).decode()}
        for form in forms:
            assert not any(form in text for text in printed)
            assert not any(form in line for line in seen)
