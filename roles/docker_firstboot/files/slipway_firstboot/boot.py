# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The boot: its steps in their order, the first that fails ends it. docker-firstboot.service runs it."""

import os
import signal

from slipway_firstboot import credentials, engine, network, report, settings
from slipway_firstboot.errors import StepError
from slipway_firstboot.playbook import Playbook

REPORT = "ready.json"


def steps(wanted, state, runtime):
    """Name and function of each step; each returns what it found, and raises StepError."""
    yield "network", lambda: network.wait(wanted["wait_for"], wanted["wait_seconds"])
    yield "engine", lambda: engine.wait(wanted["wait_seconds"])
    if wanted["credential_helper"]:
        yield "credentials", lambda: credentials.wait(wanted["credential_helper"], wanted["wait_seconds"])
    if wanted["pull_url"]:
        yield "playbook", Playbook(wanted, state, runtime).apply


def main(settings_path, instance_path, state, runtime):
    """Take the steps and report; return the exit status. state and runtime are folders of root's."""
    signal.signal(signal.SIGTERM, stopped)
    progress = report.Report(os.path.join(runtime, REPORT))
    try:
        progress.begin("settings")
        wanted = settings.read(settings_path, instance_path)
        progress.end(report.OK, "read")
        for name, take in steps(wanted, state, runtime):
            progress.begin(name)
            progress.end(report.OK, take())
    except StepError as error:
        progress.fail(str(error))
        return 1
    except Exception:
        progress.fail("this program has a fault of its own: journalctl --unit docker-firstboot.service")
        raise
    progress.write(report.READY)
    return 0


def stopped(_number, _frame):
    raise StepError("it was stopped: run systemctl restart docker-firstboot.service")
