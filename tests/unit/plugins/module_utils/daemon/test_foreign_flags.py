# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import foreign_flags
from ansible_collections.slipway.platform.plugins.module_utils.host import unit_files

VENDOR = "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"


@pytest.fixture
def override(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a drop-in of docker.service by hand."""
    monkeypatch.setattr(unit_files, "DIRECTORIES", tuple(str(tmp_path / name) for name in ("etc", "local", "usr")))
    monkeypatch.setattr(unit_files, "OWN", str(tmp_path / "etc"))

    def write(flags: str, name: str = "etc/docker.service.d/override.conf", command: str = VENDOR) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[Service]\nExecStart=\nExecStart={command} {flags}\n")
        return path

    return write


@pytest.mark.parametrize(
    ("flags", "options", "words"),
    [
        ("--log-driver=journald", {"log-driver": "json-file"}, ("--log-driver, and daemon.json sets log-driver",)),
        ("--log-driver journald", {"log-driver": "json-file"}, ("set log-driver: null",)),
        ("--log-opt tag=x", {"log-opts": {"max-size": "10m"}}, ("--log-opt, and daemon.json sets log-opts",)),
        ("--insecure-registry=r:5000", {"insecure-registries": []}, ("sets insecure-registries",)),
        ("--add-runtime nvidia=/usr/bin/nvidia", {"runtimes": {}}, ("--add-runtime, and daemon.json sets runtimes",)),
        ("--https-proxy=http://me:s3cret@proxy", {"proxies": {}}, ("daemon.json sets proxies",)),
        ("-D", {"debug": True}, ("--debug, and daemon.json sets debug",)),
        ("--data-root=/data", {}, ("--data-root, which decides", "set docker_engine_data_root: /data and remove")),
        ("-g /data", {}, ("--graph", "set docker_engine_data_root: /data")),
        ("--userns-remap default", {}, ("set userns-remap: default in docker_engine_daemon_options",)),
        ("--storage-driver=vfs", {"storage-driver": "vfs"}, ("set storage-driver: vfs",)),
        ("-s vfs", {}, ("--storage-driver",)),
        ("--exec-root /x", {}, ("--exec-root",)),
        ("--containerd-namespace=x", {}, ("--containerd-namespace",)),
        ("--config-file=/srv/daemon.json", {}, ("--config-file", "as in the file that it names")),
        ("--mtu 1400", {"hosts": ["fd://"]}, ("sets ExecStart with --containerd --host --mtu, which hosts",)),
    ],
)
def test_a_flag_by_hand_is_named_with_its_file(
    override: Callable[..., Path], flags: str, options: dict[str, Any], words: tuple[str, ...]
) -> None:
    """Fault: a drop-in by hand starts dockerd with flags that clash with `daemon.json`, or that it would lose. Outcome:
    refused with file and flag, before anything is installed.
    """
    path = override(flags)
    (message,) = foreign_flags.problems(options)
    assert message.startswith(f"{path} ")
    for word in words:
        assert word in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        ("", {"log-driver": "json-file", "live-restore": True}),
        ("--debug $OPTIONS", {"log-driver": "json-file"}),
        ("--label 'log-driver --data-root'", {"log-driver": "json-file"}),
        ("--label 'unbalanced", {}),
    ],
)
def test_flags_that_clash_with_nothing_are_accepted(
    override: Callable[..., Path], flags: str, options: dict[str, Any]
) -> None:
    override(flags)
    override("--data-root /data", "etc/docker.service.d/slipway.conf")
    override("--tlsverify", "etc/docker.service.d/tls.conf")
    assert foreign_flags.problems(options) == []


def test_a_drop_in_of_another_package_and_a_whole_unit_count_too(override: Callable[..., Path]) -> None:
    vendor = override("--data-root /data", "usr/docker.service.d/other.conf")
    site = override("--exec-root /run/x", "local/docker.service.d/site.conf")
    unit = override("--log-driver journald", "etc/docker.service")
    problems = foreign_flags.problems({"log-driver": "json-file"})
    assert [problem.split()[0] for problem in problems] == [str(unit), str(vendor), str(site)]


@pytest.mark.parametrize("flag", ["data-root", "exec-root", "config-file", "userns-remap"])
def test_a_whole_unit_does_not_decide_where_the_data_are(override: Callable[..., Path], flag: str) -> None:
    """Fault: a docker.service by hand starts dockerd with `--data-root`, which a trial start would use too. Outcome:
    refused with file and flag.
    """
    unit = override(f"--{flag}=/data", "etc/docker.service")
    (message,) = foreign_flags.problems({"live-restore": True})
    assert message.startswith(f"{unit} starts dockerd with --{flag}, which decides where the engine finds its data")


def test_a_command_that_is_reset_has_no_flags(override: Callable[..., Path]) -> None:
    override("--log-driver journald\nExecStart=")
    assert foreign_flags.drop_ins() == []


def test_a_listener_would_replace_the_flags_by_hand(override: Callable[..., Path]) -> None:
    path = override("--label x")
    (message,) = foreign_flags.overridden("docker_access_tls", foreign_flags.drop_ins())
    assert message.startswith(f"{path} sets ExecStart with --containerd --host --label, which docker_access_tls needs")
