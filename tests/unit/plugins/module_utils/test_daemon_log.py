# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import pytest
from ansible_collections.slipway.platform.plugins.module_utils import daemon_log

INFO = 'time="2026-01-01T00:00:00Z" level=info msg="Starting up"'
FATAL = 'time="2026-01-01T00:00:00Z" level=fatal msg="Error starting daemon: no \\"such\\" driver"'
LAST_WORDS = "failed to start daemon: error initializing graphdriver: driver not supported: nope"
SYSTEMD = "docker.service: Failed with result 'exit-code'."


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([INFO, LAST_WORDS, SYSTEMD], LAST_WORDS),
        ([INFO, FATAL, SYSTEMD], 'Error starting daemon: no "such" driver'),
        ([FATAL, LAST_WORDS], LAST_WORDS),
        (
            ['failed to start daemon: unsupported scheme "" in "x"'],
            'failed to start daemon: unsupported scheme "" in "x"',
        ),
        (['level=error msg="failed to start daemon: no disk"'], "failed to start daemon: no disk"),
        (['level=error msg="a \\x1b escape"'], r"a \x1b escape"),
        ([INFO, SYSTEMD], None),
        ([], None),
    ],
)
def test_the_daemons_own_sentence_is_found(lines: list[str], reason: str | None) -> None:
    assert daemon_log.reason(lines) == reason
