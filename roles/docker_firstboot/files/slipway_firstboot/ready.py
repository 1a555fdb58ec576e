# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Says whether this boot has made the instance ready: by an exit status, and in one line.

What is true is what systemd says of the unit; the report has the reason.
"""

import argparse
import subprocess
import time

from slipway_firstboot import settings
from slipway_firstboot.errors import StepError
from slipway_firstboot.report import FAILED, READY

UNIT = "docker-firstboot.service"
NOT_YET = "not yet"
EXIT_STATUS = {READY: 0, FAILED: 1, NOT_YET: 2}
POLL_SECONDS = 1


def main(arguments, report_path):
    parser = argparse.ArgumentParser(
        prog="slipway-ready", description="Exit status 0: this instance is ready. 1: it failed. 2: not yet."
    )
    parser.add_argument("--wait", type=int, default=0, metavar="SECONDS", help="how long to wait while it is not yet")
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
    """What the report says, in one line."""
    try:
        report = settings.load(path) or {}
    except StepError as error:
        return str(error)
    steps = ["{step} ({detail})".format(**step) for step in report.get("steps", [])]
    return ", ".join(steps) or f"{UNIT} has not begun: see systemctl status {UNIT}"
