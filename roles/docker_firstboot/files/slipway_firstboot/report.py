# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Tells, in a file that all may read, how far the boot has come."""

import datetime
import time

from slipway_firstboot import files

STARTING, READY, FAILED = "starting", "ready", "failed"
OK = "ok"  # a step's


class Report:
    """The state of this boot; the file is written anew at each step."""

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
