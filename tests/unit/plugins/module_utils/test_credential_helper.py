# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import getpass
import os
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import acting_as, credential_helper
from ansible_collections.slipway.platform.plugins.module_utils.credential_helper import Credentials

# Keeps one credential in the user's home, and notes what it was called with.
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
def account(tmp_path: Path) -> acting_as.Account:
    return acting_as.Account(getpass.getuser(), os.getuid(), os.getgid(), str(tmp_path))


def install(monkeypatch: pytest.MonkeyPatch, directory: Path, text: str) -> None:
    program = directory / "docker-credential-test"
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


@pytest.fixture
def helper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    install(monkeypatch, tmp_path, HELPER)
    return "test"


def test_what_is_stored_comes_back_until_it_is_erased(account: acting_as.Account, helper: str) -> None:
    assert credential_helper.get(account, helper, "one") is None
    credential_helper.store(account, helper, "one", Credentials("me", SECRET))
    assert credential_helper.get(account, helper, "one") == ("me", SECRET)
    credential_helper.put(account, helper, "one", None)
    assert credential_helper.get(account, helper, "one") is None
    credential_helper.erase(account, helper, "one")


def test_the_secret_is_in_no_argument_and_the_environment_is_clean(
    account: acting_as.Account, helper: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOME_TOKEN", SECRET)
    credential_helper.store(account, helper, "one", Credentials("me", SECRET))
    assert (tmp_path / "arguments").read_text() == "store\n"
    environment = (tmp_path / "environment").read_text()
    assert SECRET not in environment
    assert f"HOME={tmp_path}\n" in environment
    assert "/usr/local/bin" in environment


@pytest.mark.parametrize("action", ["store", "get", "erase"])
@pytest.mark.parametrize("stream", ["", ">&2"])
def test_a_failing_helper_is_quoted_without_the_secret(
    account: acting_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, action: str, stream: str
) -> None:
    install(monkeypatch, tmp_path, f"#!/bin/sh\n{{ echo no luck with; cat; }} {stream}\nexit 1\n")
    with pytest.raises(
        credential_helper.HelperError, match=f"docker-credential-test {action} fails: no luck"
    ) as caught:
        if action == "store":
            credential_helper.store(account, "test", "one", Credentials("me", SECRET))
        else:
            {"get": credential_helper.get, "erase": credential_helper.erase}[action](account, "test", "one")
    assert SECRET not in str(caught.value)


def test_a_silent_failure_tells_its_status(
    account: acting_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "#!/bin/sh\nexit 7\n")
    with pytest.raises(credential_helper.HelperError, match="ends with 7"):
        credential_helper.get(account, "test", "one")


def test_an_answer_without_credentials_is_an_error(
    account: acting_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "#!/bin/sh\necho '[]'\n")
    with pytest.raises(credential_helper.HelperError, match="does not answer with a user name"):
        credential_helper.get(account, "test", "one")


def test_a_helper_that_hangs_is_ended(
    account: acting_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "#!/bin/sh\nsleep 60\n")
    monkeypatch.setattr(credential_helper, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(credential_helper.HelperError, match="has not answered"):
        credential_helper.get(account, "test", "one")


def test_a_helper_that_is_no_program_is_an_error(
    account: acting_as.Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, "#!/no/such/interpreter\n")
    with pytest.raises(credential_helper.HelperError, match="cannot be run as"):
        credential_helper.get(account, "test", "one")


def test_a_missing_helper_is_named() -> None:
    with pytest.raises(credential_helper.HelperError, match=r"docker-credential-absent is not on this host.*never"):
        credential_helper.require_installed("absent")


@pytest.mark.parametrize("name", ["", "../../bin/sh", "a b", "-x", "a/b"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(credential_helper.HelperError, match="does not name a credential helper"):
        credential_helper.require_installed(name)
