# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import getpass
import os
import time
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import run_as
from ansible_collections.slipway.platform.plugins.module_utils.registry import credential_helpers
from ansible_collections.slipway.platform.plugins.module_utils.registry.credential_helpers import Credentials

# Stores one credential in the user's home, and records its arguments and environment.
HELPER = """#!/bin/sh
env > "$HOME/environment"
echo "$@" >> "$HOME/arguments"
case $1 in
    store) cat > "$HOME/kept" ;;
    get) test -e "$HOME/kept" || { echo "credentials not found in native keychain"; exit 1; }
         sed -e 's/"ServerURL": "[^"]*", //' "$HOME/kept" ;;
    erase) rm "$HOME/kept" 2>&- || { echo "credentials not found in native keychain"; exit 1; } ;;
esac
"""
SECRET = "a secret"


@pytest.fixture
def account(tmp_path: Path) -> run_as.Account:
    return run_as.Account(getpass.getuser(), os.getuid(), os.getgid(), str(tmp_path))


def install(monkeypatch: pytest.MonkeyPatch, directory: Path, text: str) -> None:
    program = directory / "docker-credential-test"
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


@pytest.fixture
def helper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    install(monkeypatch, tmp_path, HELPER)
    return "test"


def test_stored_credentials_are_returned_until_they_are_erased(account: run_as.Account, helper: str) -> None:
    assert credential_helpers.get(account, helper, "one") is None
    credential_helpers.store(account, helper, "one", Credentials("me", SECRET))
    assert credential_helpers.get(account, helper, "one") == ("me", SECRET)
    credential_helpers.put(account, helper, "one", None)
    assert credential_helpers.get(account, helper, "one") is None
    credential_helpers.erase(account, helper, "one")


def test_the_secret_is_in_neither_arguments_nor_environment(
    account: run_as.Account, helper: str, tmp_path: Path
) -> None:
    credential_helpers.store(account, helper, "one", Credentials("me", SECRET))
    assert (tmp_path / "arguments").read_text() == "store\n"
    environment = (tmp_path / "environment").read_text()
    assert SECRET not in environment
    assert f"HOME={tmp_path}\n" in environment
    assert "/usr/local/bin" in environment


def test_a_helper_has_the_environment_of_the_task(
    account: run_as.Account, helper: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-the-play")
    monkeypatch.setenv("https_proxy", "http://of-the-play:3128")
    monkeypatch.setenv("HOME", "/elsewhere")
    credential_helpers.get(account, helper, "one")
    environment = (tmp_path / "environment").read_text().splitlines()
    assert {"AWS_PROFILE=of-the-play", "https_proxy=http://of-the-play:3128", f"HOME={tmp_path}"} <= {*environment}


def test_a_helper_reaches_its_service_through_the_proxy_of_the_engine(
    account: run_as.Account, helper: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Fault: a credential helper has to go through a proxy. Outcome: it gets `docker_engine_proxy`."""
    monkeypatch.setenv("http_proxy", "http://of-the-play:3128")
    monkeypatch.setenv("all_proxy", "socks5://of-the-play:1080")
    proxy = {"http": None, "https": "http://proxy.example.com:3128", "no_proxy": ["localhost", ".example.com"]}
    credential_helpers.put(account, helper, "one", Credentials("me", SECRET), proxy)
    environment = {*(tmp_path / "environment").read_text().splitlines()}
    for name in ("HTTPS_PROXY", "https_proxy"):
        assert f"{name}=http://proxy.example.com:3128" in environment
    assert "NO_PROXY=localhost,.example.com" in environment
    assert not [line for line in environment if "of-the-play" in line]


def test_another_user_s_helper_gets_no_sockets_of_this_session(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "SUDO_USER", "KRB5CCNAME"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("AWS_PROFILE", "of-the-play")
    other = run_as.Account("alice", os.geteuid() + 1, os.getegid(), "/home/alice")
    environment = credential_helpers.environment(other)
    assert "mine" not in environment.values()
    assert (environment["AWS_PROFILE"], environment["USER"]) == ("of-the-play", "alice")


@pytest.mark.parametrize("action", ["store", "get", "erase"])
@pytest.mark.parametrize("stream", ["", ">&2"])
def test_a_helpers_error_message_is_quoted_without_the_secret(
    account: run_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, action: str, stream: str
) -> None:
    install(monkeypatch, tmp_path, f"#!/bin/sh\n{{ echo no luck with; cat; }} {stream}\nexit 1\n")
    with pytest.raises(
        credential_helpers.HelperError, match=f"docker-credential-test {action} failed: no luck"
    ) as caught:
        if action == "store":
            credential_helpers.store(account, "test", "one", Credentials("me", SECRET))
        else:
            {"get": credential_helpers.get, "erase": credential_helpers.erase}[action](account, "test", "one")
    assert SECRET not in str(caught.value)


def test_a_silent_failure_is_reported_with_its_exit_status(
    account: run_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "#!/bin/sh\nexit 7\n")
    with pytest.raises(credential_helpers.HelperError, match="failed: exit status 7"):
        credential_helpers.get(account, "test", "one")


@pytest.mark.parametrize("output", ["[]", '{"Username": null, "Secret": null}', '{"Username": "me"}', "[" * 100_000])
def test_output_without_credentials_is_an_error(
    account: run_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, output: str
) -> None:
    (tmp_path / "output").write_text(output)
    install(monkeypatch, tmp_path, f"#!/bin/sh\ncat {tmp_path}/output\n")
    with pytest.raises(credential_helpers.HelperError, match="returned no user name and secret"):
        credential_helpers.get(account, "test", "one")


def test_a_hanging_helper_is_killed(account: run_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "#!/bin/sh\nsleep 60\n")
    monkeypatch.setattr(credential_helpers, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(credential_helpers.HelperError, match="did not finish within"):
        credential_helpers.get(account, "test", "one")


def test_a_helper_that_cannot_be_executed_is_an_error(
    account: run_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "#!/no/such/interpreter\n")
    with pytest.raises(credential_helpers.HelperError, match="cannot be run as"):
        credential_helpers.get(account, "test", "one")


def test_a_missing_helper_is_named() -> None:
    with pytest.raises(credential_helpers.HelperError, match=r"docker-credential-absent is not installed.*never"):
        credential_helpers.require_installed("absent")


@pytest.mark.parametrize("name", ["", "../../bin/sh", "a b", "-x", "a/b"])
def test_an_invalid_name_is_rejected(name: str) -> None:
    with pytest.raises(credential_helpers.HelperError, match="is not the name of a credential helper"):
        credential_helpers.require_installed(name)


@pytest.mark.parametrize("then", ["sleep 60", "exit 0", "exec >&- 2>&-; sleep 60"])
def test_background_processes_of_a_helper_are_not_waited_for(
    account: run_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, then: str
) -> None:
    """Fault: a credential helper leaves a process behind. Outcome: nothing hangs.

    In its own session, such a process survives the helper's process group and holds the output open.
    """
    install(monkeypatch, tmp_path, f"#!/bin/sh\nsetsid sleep 12 &\n{then}\n")
    monkeypatch.setattr(credential_helpers, "TIMEOUT_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(credential_helpers.HelperError, match="did not finish within"):
        credential_helpers.get(account, "test", "one")
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("stream", ["", ">&2"])
def test_a_helper_with_endless_output_is_killed(
    account: run_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stream: str
) -> None:
    """Fault: a credential helper prints without end. Outcome: it is ended."""
    install(monkeypatch, tmp_path, f"#!/bin/sh\nexec yes {stream}\n")
    monkeypatch.setattr(credential_helpers, "TIMEOUT_SECONDS", 10)
    with pytest.raises(credential_helpers.HelperError, match="get printed more than 1024 KiB"):
        credential_helpers.get(account, "test", "one")


def test_a_long_secret_and_its_echo_do_not_deadlock(
    account: run_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "#!/bin/sh\ntee $HOME/kept\n")
    credential_helpers.store(account, "test", "one", Credentials("me", SECRET * 50_000))
    assert (tmp_path / "kept").stat().st_size > 400_000


def test_a_helper_may_answer_without_reading_its_input(
    account: run_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, '#!/bin/sh\nexec <&-\necho \'{"Username": "me", "Secret": "x"}\'\n')
    assert credential_helpers.get(account, "test", "one" * 50_000) == ("me", "x")
