# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import os
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import trial_start
from ansible_collections.slipway.platform.plugins.module_utils.daemon.trial_start import Outcome
from ansible_collections.slipway.platform.plugins.module_utils.host.run_as import Account
from ansible_collections.slipway.platform.plugins.module_utils.rootless import trial

ENVIRONMENT = {"HOME": "/home/alice", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1001/bus"}
ALICE = Account("alice", 1001, 1002, "/home/alice")
# Recorded: a log of dockerd-rootless.sh with an engine that dies, and one in which none was started.
DEAD_ENGINE = [
    "+ exec dockerd --config-file daemon.json",
    "unable to configure the Docker daemon with file daemon.json: the following directives don't match any "
    "configuration option: nonsense",
    "[rootlesskit:child ] error: command [/usr/bin/dockerd-rootless.sh --debug] exited: exit status 1",
    "[rootlesskit:parent] error: child exited: exit status 1",
]
NO_ENGINE = [
    "+ exec rootlesskit --net=slirp4netns",
    "[rootlesskit:parent] error: failed to setup UID/GID map: newuidmap 7 [0 1001 1] failed: uid range not allowed",
]


def test_the_trial_has_the_user_s_rights_and_paths_of_its_own() -> None:
    words = trial.command(
        ALICE,
        "/usr/bin/dockerd-rootless.sh",
        ENVIRONMENT,
        "/data",
        "/run/t",
        60,
    )
    become = words.index("setpriv")
    assert words[become + 1 : become + 4] == ["--reuid=1001", "--regid=1002", "--init-groups"]
    assert words.index("unshare") < become
    assert "HOME=/home/alice" in words
    assert "XDG_RUNTIME_DIR=/run/t" in words
    assert not any(word.startswith("DBUS") for word in words)
    launcher = words.index("/usr/bin/dockerd-rootless.sh")
    own = dict(zip(words[launcher + 1 :: 2], words[launcher + 2 :: 2], strict=True))
    assert own["--data-root"] == "/data"
    assert all(
        str(Path(own[flag].removeprefix("unix://")).parent) == "/run/t"
        for flag in ("--config-file", "--exec-root", "--pidfile", "--host")
    )


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (DEAD_ENGINE, "don't match any configuration option: nonsense"),
        (NO_ENGINE, "failed to setup UID/GID map"),
    ],
    ids=["dead engine", "no engine"],
)
def test_the_reason_is_that_of_the_program_that_has_one(log: list[str], words: str) -> None:
    judged = trial.judged(Outcome(trial_start.REFUSED, log[-1], log))
    assert words in judged.reason
    assert "exit status 1" not in judged.reason


def test_other_outcomes_are_left_as_they_are() -> None:
    outcome = Outcome(trial_start.ACCEPTED, "", DEAD_ENGINE)
    assert trial.judged(outcome) == outcome


def test_the_trial_s_data_are_on_the_data_root_s_file_system_where_the_user_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator gives a user /data/alice, and /data stays root's."""
    root = tmp_path / "data/alice"
    assert trial.data_directory(str(root)) == str(tmp_path)
    root.mkdir(parents=True)
    assert trial.data_directory(str(root)) == str(root.parent)
    monkeypatch.setattr(os, "access", lambda path, *_, **__: path == str(root))
    assert trial.data_directory(str(root)) == str(root)
    monkeypatch.undo()
    monkeypatch.setattr(os.path, "ismount", lambda path: path == str(root))
    assert trial.data_directory(str(root)) == str(root)
