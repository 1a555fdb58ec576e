# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Writes the progress of the boot to a file that all users can read."""

import datetime
import time

from slipway_agent.boot import files

NAME = "ready.json"
STARTING, READY, FAILED = "starting", "ready", "failed"
OK = "ok"  # of a step


class Report:
    """The state of this boot. Each step rewrites the file."""

    def __init__(self, path):
        self.path = path
        self.steps = []
        self.began = time.monotonic()
        self.write(STARTING)

    def begin(self, step):
        self.began = time.monotonic()
        self.steps.append({"step": step, "result": STARTING, "seconds": 0, "detail": ""})
        self.write(STARTING)

    def end(self, result, detail):
        self.steps[-1].update(result=result, detail=detail, seconds=round(time.monotonic() - self.began, 1))
        print("{step}: {result}: {detail}".format(**self.steps[-1]), flush=True)

    def fail(self, reason):
        self.end(FAILED, reason)
        self.write(FAILED)

    def write(self, state):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        files.write_json(self.path, {"state": state, "time": now, "steps": self.steps})
