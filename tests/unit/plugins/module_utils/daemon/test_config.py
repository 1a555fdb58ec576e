# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import subprocess
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import config as daemon_config
from hypothesis import given
from hypothesis import strategies as st

VENDOR = "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"
PRINTABLE = st.text().filter(str.isprintable)


@pytest.mark.parametrize(
    "text",
    [
        "[Service]\nExecStart=" + VENDOR + "\nExecReload=/bin/kill -s HUP $MAINPID\n",
        "[Service]\nExecStart=/bin/false\nExecStart=\nExecStart = " + VENDOR + "\n",
        "[Service]\nExecStart=/usr/bin/dockerd -H fd:// \\\n--containerd=/run/containerd/containerd.sock\n",
    ],
)
def test_exec_start_is_parsed_as_by_systemd(text: str) -> None:
    assert daemon_config.exec_start(text).split() == VENDOR.split()


def test_a_unit_without_exec_start_is_an_error() -> None:
    with pytest.raises(daemon_config.DaemonConfigError, match="no ExecStart"):
        daemon_config.exec_start("[Service]\nExecStart=x\nExecStart=\n")


@pytest.mark.parametrize("hosts", ["-H fd://", "-Hfd://", "-H=fd://", "--host fd://", "--host=fd://", "-H a -H b"])
def test_every_form_of_the_host_flag_is_removed(hosts: str) -> None:
    command = f'/usr/bin/dockerd {hosts} --label "a b" $OPTIONS'
    assert daemon_config.without_hosts(command) == ["/usr/bin/dockerd", "--label", '"a b"', "$OPTIONS"]


def test_the_trial_gets_the_flags_of_the_unit_without_variables() -> None:
    assert daemon_config.trial_flags(VENDOR + " $OPTIONS") == ["--containerd=/run/containerd/containerd.sock"]


def test_without_hosts_and_proxy_there_is_no_drop_in() -> None:
    assert daemon_config.render_drop_in(None, None) is None
    assert daemon_config.render_proxy_env({"http": "", "https": None, "no_proxy": []}) is None


def test_the_drop_in_resets_exec_start_first() -> None:
    lines = (daemon_config.render_drop_in(VENDOR, "/etc/docker/proxy.env") or "").splitlines()
    assert lines[1:3] == ["[Service]", "EnvironmentFile=/etc/docker/proxy.env"]
    assert lines[-2:] == ["ExecStart=", "ExecStart=/usr/bin/dockerd --containerd=/run/containerd/containerd.sock"]


def test_the_environment_file_has_the_proxies_that_are_set() -> None:
    text = daemon_config.render_proxy_env({"https": "http://proxy:3128", "no_proxy": ["localhost", ".example.com"]})
    assert (text or "").splitlines()[1:] == ['HTTPS_PROXY="http://proxy:3128"', 'NO_PROXY="localhost,.example.com"']


@given(PRINTABLE)
def test_a_shell_unquotes_a_quoted_value(value: str) -> None:
    script = f'V={daemon_config.quote(value)}; printf %s "$V"'
    assert subprocess.run(["sh", "-c", script], check=True, capture_output=True).stdout == value.encode()


@pytest.mark.parametrize("value", ["a\nPATH=/tmp", "a\rb", "a\0b", "a\u2028b"])
def test_a_line_break_in_a_proxy_is_rejected(value: str) -> None:
    with pytest.raises(daemon_config.DaemonConfigError, match="control character"):
        daemon_config.render_proxy_env({"http": value})


def test_another_drop_in_that_sets_exec_start_is_an_error(tmp_path: Path) -> None:
    ours, other = tmp_path / "slipway.conf", tmp_path / "tls.conf"
    refuse = partial(daemon_config.refuse_conflicting_drop_in, str(ours), "an option", "unset it")
    refuse()
    ours.write_text("[Service]\nExecStart=\nExecStart=/usr/bin/dockerd\n")
    refuse()
    other.write_text("[Service]\nExecStart=\nExecStart=/usr/bin/dockerd\n")
    with pytest.raises(
        daemon_config.DaemonConfigError, match=r"tls\.conf sets ExecStart, which an option needs to override"
    ):
        refuse()


def test_the_drop_in_of_containerd_moves_its_root_below_that_of_the_engine() -> None:
    text = daemon_config.render_containerd_drop_in("/usr/bin/containerd --log-level warn", "/data/docker") or ""
    assert text.splitlines()[-2:] == [
        "ExecStart=",
        "ExecStart=/usr/bin/containerd --log-level warn --root /data/docker/containerd/daemon",
    ]
    assert "RequiresMountsFor=/data/docker" in text


def test_containerd_has_no_drop_in_at_the_default_root_or_if_absent() -> None:
    assert daemon_config.render_containerd_drop_in("/usr/bin/containerd", "/var/lib/docker") is None
    assert daemon_config.render_containerd_drop_in(None, "/data/docker") is None
