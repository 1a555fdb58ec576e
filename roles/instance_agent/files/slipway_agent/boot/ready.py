# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Implements slipway-ready, which reports by its exit status and in one line whether the instance is ready.

The state is that of the unit in systemd. The details come from the report.
"""

import argparse
import subprocess
import time

from slipway_agent.boot import settings
from slipway_agent.boot.errors import StepError
from slipway_agent.boot.report import FAILED, READY

UNIT = "docker-firstboot.service"
NOT_YET = "not yet"
EXIT_STATUS = {READY: 0, FAILED: 1, NOT_YET: 2}
POLL_SECONDS = 1


def main(arguments, report_path):
    parser = argparse.ArgumentParser(
        prog="slipway-ready", description="Exit status 0: the instance is ready. 1: it failed. 2: not yet."
    )
    parser.add_argument(
        "--wait", type=int, default=0, metavar="SECONDS", help="how long to wait until it is ready or has failed"
    )
    deadline = time.monotonic() + parser.parse_args(arguments).wait
    state = state_of_unit()
    while state == NOT_YET and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        state = state_of_unit()
    print(f"{state}: {account(report_path)}")
    return EXIT_STATUS[state]


def state_of_unit():
    command = ["systemctl", "show", "--property=ActiveState", UNIT]
    shown = subprocess.run(command, stdout=subprocess.PIPE, universal_newlines=True).stdout.strip()
    return {"ActiveState=active": READY, "ActiveState=failed": FAILED}.get(shown, NOT_YET)


def account(path):
    """Return the content of the report in one line."""
    try:
        report = settings.load(path) or {}
    except StepError as error:
        return str(error)
    steps = ["{step} ({detail})".format(**step) for step in report.get("steps", [])]
    text = ", ".join(steps) or f"{UNIT} has not started: see systemctl status {UNIT}"
    # A step's detail may be what a server said, which must not control the terminal.
    return "".join(character if character.isprintable() else "?" for character in text)
