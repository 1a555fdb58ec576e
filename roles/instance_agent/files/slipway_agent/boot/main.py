# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Implements docker-firstboot: runs the steps in order until one fails. docker-firstboot.service runs it."""

import os
import signal

from slipway_agent.boot import credentials, engine, network, report, settings
from slipway_agent.boot.errors import StepError, StoppedError
from slipway_agent.boot.launch import Launch
from slipway_agent.boot.playbook import Playbook


def steps(wanted, state, runtime, launch):
    """Yield the name and the function of each step. It returns a description of the result, and raises StepError."""
    yield "network", lambda: network.wait(wanted["wait_for"], wanted["wait_seconds"])
    yield "engine", lambda: engine.wait(wanted["wait_seconds"])
    if wanted["credential_helper"]:
        yield "credentials", lambda: credentials.wait(wanted["credential_helper"], wanted["wait_seconds"])
    if wanted["pull_url"]:
        yield "playbook", Playbook(wanted, state, runtime).apply
    if launch.member:
        yield "lifecycle", lambda: launch.complete(wanted["wait_seconds"])


def main(settings_path, instance_path, state, runtime, fleet_path=None):
    """Run the steps, write the report and return the exit status.

    state, runtime: directories that root owns. fleet_path: the settings of an instance in a fleet; may be missing.
    """
    signal.signal(signal.SIGTERM, stopped)
    progress = report.Report(os.path.join(runtime, report.NAME))
    launch = Launch(fleet_path)
    try:
        progress.begin("settings")
        launch.begin()
        wanted = settings.read(settings_path, instance_path)
        progress.end(report.OK, "read")
        for name, take in steps(wanted, state, runtime, launch):
            progress.begin(name)
            progress.end(report.OK, take())
    except StoppedError as error:
        progress.fail(str(error))
        return 1
    except StepError as error:
        progress.fail(str(error))
        launch.abandon()
        return 1
    except Exception:
        progress.fail("internal error: see journalctl --unit docker-firstboot.service")
        raise
    finally:
        launch.end()
    progress.write(report.READY)
    return 0


def stopped(_number, _frame):
    raise StoppedError("stopped: run systemctl restart docker-firstboot.service")
