# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils.daemon import log as daemon_log

INFO = 'time="2026-01-01T00:00:00Z" level=info msg="Starting up"'
FATAL = 'time="2026-01-01T00:00:00Z" level=fatal msg="Error starting daemon: no \\"such\\" driver"'
FATAL_TEXT = "failed to start daemon: error initializing graphdriver: driver not supported: nope"
# containerd 2.1 beside a trial start, whose CRI plugins are disabled.
PLUGIN = (
    'time="2026-01-01T00:00:00.000000000Z" level=warning msg="failed to load plugin" error="no plugins registered for '
    'io.containerd.podsandbox.controller.v1" id=io.containerd.podsandbox.controller.v1.podsandbox'
)
FATAL_PLUGIN = 'failed to start daemon: error validating authorization plugin: plugin "nonsense" not found'
TOML = "containerd: failed to load TOML: /etc/containerd/config.toml: (1, 2): unexpected token"
UNRESOLVED = "docker.socket: Failed to resolve group docker: No such process"
SYSTEMD = "docker.service: Failed with result 'exit-code'."


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([INFO, FATAL_TEXT, SYSTEMD], FATAL_TEXT),
        ([INFO, FATAL, SYSTEMD], 'Error starting daemon: no "such" driver'),
        ([FATAL, FATAL_TEXT], FATAL_TEXT),
        (
            ['failed to start daemon: unsupported scheme "" in "x"'],
            'failed to start daemon: unsupported scheme "" in "x"',
        ),
        (['level=error msg="failed to start daemon: no disk"'], "failed to start daemon: no disk"),
        (['level=error msg="a \\x1b escape"'], r"a \x1b escape"),
        ([INFO, FATAL_TEXT, PLUGIN, SYSTEMD], FATAL_TEXT),
        ([PLUGIN, "validating authorization plugins failed", FATAL_PLUGIN, PLUGIN], FATAL_PLUGIN),
        ([INFO, "unknown flag: --nonsense", "See 'dockerd --help'."], "unknown flag: --nonsense"),
        ([TOML, SYSTEMD], TOML),
        (["docker.socket: Failed to resolve group docker: No such process", SYSTEMD], UNRESOLVED),
        ([INFO, SYSTEMD], None),
        ([], None),
    ],
)
def test_the_reason_is_found(lines: list[str], reason: str | None) -> None:
    assert daemon_log.reason(lines) == reason


@pytest.mark.parametrize(
    "last", ['could not read CA certificate "/x": no such file', "conflict labels for a=1 and a=2"]
)
def test_dockerd_s_last_plain_line_comes_before_structured_ones_of_containerd(last: str) -> None:
    """Fault: options that dockerd refuses, beside containerd 2. Outcome: dockerd's own sentence."""
    error = 'level=error msg="failed to initialize a tracing processor"'
    assert daemon_log.reason([INFO, PLUGIN, last, error], of_daemon=True) == last
    assert daemon_log.reason([INFO, error], of_daemon=True) == "failed to initialize a tracing processor"
    assert daemon_log.reason([INFO, last, FATAL_TEXT, "See 'dockerd --help'."], of_daemon=True) == FATAL_TEXT
