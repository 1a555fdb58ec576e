# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import config as daemon_config
from ansible_collections.slipway.platform.plugins.module_utils.daemon import daemon_json as rendered_json
from ansible_collections.slipway.platform.plugins.module_utils.daemon import files as daemon_files
from ansible_collections.slipway.platform.plugins.module_utils.host import groups

PARAMS: dict[str, Any] = {
    "proxy": {},
    "open_api": False,
    "path": "/etc/docker/daemon.json",
    "dropin": "/etc/systemd/system/docker.service.d/slipway.conf",
    "containerd_dropin": "/etc/systemd/system/containerd.service.d/slipway.conf",
    "proxy_env": "/etc/docker/proxy.env",
}
SECRETS: list[dict[str, Any]] = [
    {"proxies": {"http-proxy": "http://me:it's-s3cret@proxy:3128"}},
    {"proxies": {"http-proxy": "http://s3cret@proxy:3128"}},
    {"proxies": {"http-proxy": "me:s3cret@proxy:3128"}},
    {"proxies": {"http-proxy": "s3cret@proxy:3128"}},
    {"proxies": {"https-proxy": "s3cret@proxy"}},
    {"registry-mirrors": ["s3cret@mirror"]},
    {"log-opts": {"splunk-token": 's3cret "\\\n'}},
    {"log-opts": {"logentries-token": "s3cret"}},
    {"log-opts": {"splunk-url": "https://s3cret:@splunk:8088"}},
]


def daemon_json(options: dict[str, Any]) -> tuple[str, str, int]:
    path, text, mode = daemon_config.wanted_files(PARAMS, options, "/usr/bin/dockerd -H fd://")[-1]
    return path, text, mode


@pytest.mark.parametrize("options", SECRETS, ids=json.dumps)
def test_a_daemon_json_with_a_secret_is_private_and_redacted_in_diffs(tmp_path: Path, options: dict[str, Any]) -> None:
    _, text, mode = daemon_json({"mtu": 1400, **options})
    assert "s3cret" in text
    assert mode == 0o600
    foreign = tmp_path / "daemon.json"
    foreign.write_text(json.dumps(json.loads(text), ensure_ascii=True).replace("/", "\\/"))
    shown = daemon_files.difference(str(foreign), text)
    for side in ("before", "after"):
        assert "s3cret" not in shown[side]
        assert "1400" in shown[side]


def test_a_daemon_json_without_a_secret_is_readable_and_shown_unchanged(tmp_path: Path) -> None:
    _, text, mode = daemon_json({"hosts": ["fd://"], "registry-mirrors": ["https://mirror:5000/a@b"]})
    assert mode == 0o644
    assert daemon_files.difference(str(tmp_path / "daemon.json"), text)["after"] == text


def test_an_invalid_daemon_json_is_not_shown(tmp_path: Path) -> None:
    broken = tmp_path / "daemon.json"
    broken.write_text('{"log-opts": {"splunk-token": "s3cret"')
    assert "s3cret" not in str(daemon_files.difference(str(broken), rendered_json.render({})))


@pytest.mark.parametrize(
    ("options", "changes", "words"),
    [
        ({"hosts": ["tcp://0.0.0.0:2375"]}, {}, "docker_access_tls"),
        ({}, {"proxy": {"https": "me:s3cret@proxy:3128"}}, "docker_engine_proxy.https must be"),
        ({"proxies": {"http-proxy": "s3cret@proxy:3128"}}, {}, "daemon_options.proxies.http-proxy must be"),
        ({"group": "root"}, {}, "group root existed before the engine"),
        ({"group": "0"}, {}, "group 0 existed before the engine"),
    ],
)
def test_the_module_repeats_the_checks_of_the_role(
    options: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(daemon_config.DaemonConfigError, match=words) as caught:
        daemon_files.refuse_invalid({**PARAMS, **changes}, options)
    assert "s3cret" not in str(caught.value)


def test_confirmed_and_harmless_options_are_accepted() -> None:
    open_port = {"hosts": ["fd://", "tcp://0.0.0.0:2375"], "group": "docker"}
    daemon_files.refuse_invalid({**PARAMS, "open_api": True}, open_port)
    daemon_files.refuse_invalid(PARAMS, {"hosts": ["fd://", "tcp://127.0.0.1:2375"], "group": "no-such-group"})


def test_a_group_docker_of_a_directory_service_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault: the group docker is in a directory service and not in /etc/group. Outcome: used as it is."""
    (tmp_path / "group").write_text("root:x:0:\n")
    monkeypatch.setattr(groups, "GROUP", str(tmp_path / "group"))
    monkeypatch.setattr(groups, "find", lambda name: ("docker", "x", 4444, ["alice"]))
    daemon_files.refuse_invalid(PARAMS, {"live-restore": True})
    with pytest.raises(daemon_config.DaemonConfigError, match="group staff existed before the engine"):
        daemon_files.refuse_invalid(PARAMS, {"group": "staff"})


class Module:
    """A module that only warns and keeps backups."""

    def __init__(self, path: Path, check_mode: bool = False) -> None:
        self.params, self.check_mode = {"path": str(path)}, check_mode
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def backup_local(self, path: str) -> str:
        return f"{path}.1.backup"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_what_goes_with_somebody_else_s_file_is_named(tmp_path: Path, encoding: str, check_mode: bool) -> None:
    """Fault: somebody else's valid `daemon.json` is replaced. Outcome: a warning with the names of the options that go
    and the place of the backup.
    """
    path = tmp_path / "daemon.json"
    options = {"runtimes": {"nvidia": {"path": "s3cret"}}, "dns": ["8.8.8.8"], "live-restore": True}
    path.write_text(json.dumps(options), encoding=encoding)
    module = Module(path, check_mode)
    result = daemon_files.back_up_foreign(module, {"live-restore": True, "dns": ["1.1.1.1"]})
    (warning,) = module.warnings
    assert "Its options dns, runtimes are lost or change: set those to keep in docker_engine_daemon_options" in warning
    assert "s3cret" not in warning
    assert result == ({} if check_mode else {"backup_file": f"{path}.1.backup"})
    assert check_mode or f"see the backup {path}.1.backup" in warning


def test_a_file_of_which_nothing_goes_is_replaced_without_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_text('{"debug": true}')
    module = Module(path)
    assert daemon_files.back_up_foreign(module, {"debug": True, "mtu": 1400})
    assert module.warnings == []
