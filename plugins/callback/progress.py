# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
# ruff: noqa: E402  (Ansible wants the documentation before the imports)

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: Show what each host is doing, and at the end what changed where
version_added: 0.1.0
description:
  - On a terminal, a line for each host that runs, with its phase, the time so far, and an estimate from the previous
    run. Elsewhere, a line with the time whenever a host enters a phase, changes or fails.
  - The end says in at most five lines what changed where. Failures with one cause are one line.
  - Keeps the duration, the result and the commit of the last run of each host in C(slipway/runs.json) below
    C(ANSIBLE_HOME), which the role P(slipway.platform.slipway_report#role) shows. Dry runs are not kept.
  - It is off unless it is chosen with C(ANSIBLE_STDOUT_CALLBACK=slipway.platform.progress) or in C(ansible.cfg).
author:
  - Slipway contributors (@slipway)
requirements:
  - To be set as the callback for stdout
"""

import contextlib
import os
import shutil
import sys
import threading
import time

from ansible import constants as C
from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible_collections.slipway.platform.plugins.plugin_utils import collection_origin, progress, run_record

COLLECTION = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
DEBUG = ("debug", "ansible.builtin.debug")
TICK = 1.0  # seconds


class CallbackModule(CallbackBase):
    """Feeds the events of Ansible to a progress.Run, and shows its lines."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "slipway.platform.progress"

    def __init__(self):
        super().__init__()
        self.terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.lock = threading.Lock()
        self.drawn = 0  # lines on the screen that the next drawing replaces
        self.run = None
        self.playbook = ""
        self.path = run_record.path_of(C.config.get_config_value("ANSIBLE_HOME"))
        self.ended = threading.Event()

    # What is shown.

    def say(self, line):
        """Print a lasting line, with the time where there is no terminal; None prints nothing."""
        if line is None:
            return
        with self.lock:
            self.erase()
            stamp = "" if self.terminal else time.strftime("%Y-%m-%dT%H:%M:%S ")
            self._display.display(stamp + line)
            self.draw()

    def erase(self):
        if self.drawn:
            put(f"\x1b[{self.drawn}A\x1b[J")
            self.drawn = 0

    def draw(self):
        if self.terminal and self.run is not None and not self.ended.is_set():
            size = shutil.get_terminal_size()
            lines = self.run.screen(time.monotonic(), size.lines, size.columns)
            put("".join(line + "\n" for line in lines))
            self.drawn = len(lines)

    def tick(self):
        while not self.ended.wait(TICK):
            with self.lock:
                self.erase()
                self.draw()

    # What happens.

    def v2_playbook_on_start(self, playbook):
        self.playbook = os.path.realpath(str(playbook._file_name))
        self.run = progress.Run(time.monotonic(), run_record.estimates(self.path, self.playbook))
        if self.terminal:
            threading.Thread(target=self.tick, daemon=True).start()

    def v2_playbook_on_play_start(self, play):
        inventory = play.get_variable_manager()._inventory
        names = [host.get_name() for host in inventory.get_hosts(play.hosts)]
        self.run.expect(names, time.monotonic())
        if not self.terminal:
            self.say(f"play {play.get_name().strip() or 'without a name'}: {progress.counted(len(names))}")

    def v2_playbook_on_no_hosts_matched(self):
        self.say("no host matches")

    def v2_runner_on_start(self, host, task):
        line = self.run.start(host.get_name(), task.get_name(), time.monotonic())
        if not self.terminal:
            self.say(line)

    def v2_runner_on_ok(self, result):
        name, task = names_of(result)
        changed = bool(result._result.get("changed"))
        line = self.run.finish(name, task, changed, time.monotonic())
        if not self.terminal:
            self.say(line)
        if result._task.action in DEBUG and "msg" in result._result:
            said = result._result["msg"]
            for line in said if isinstance(said, list) else [said]:
                self.say(progress.one_line(line))
        self.warn(result)

    def v2_runner_on_skipped(self, result):
        self.run.finish(*names_of(result), False, time.monotonic())

    def v2_runner_on_failed(self, result, ignore_errors=False):
        name, task = names_of(result)
        if ignore_errors:
            self.run.finish(name, task, False, time.monotonic())
        else:
            self.say(self.run.fail(name, task, message_of(result._result), time.monotonic()))
        self.warn(result)

    def v2_runner_on_unreachable(self, result):
        name, task = names_of(result)
        if not result._task.ignore_unreachable:
            self.say(self.run.fail(name, task, message_of(result._result), time.monotonic(), unreachable=True))

    def v2_on_file_diff(self, result):
        found = result._result.get("diff")
        if found and result._result.get("changed"):
            self.say(f"{result._host.get_name()}:\n{self._get_diff(progress.harmless(found)).rstrip()}")

    def v2_playbook_on_stats(self, stats):
        for name in self.run.hosts:
            counted = stats.summarize(name)
            self.run.end(name, bool(counted["failures"]), bool(counted["unreachable"]))
        now = time.monotonic()
        with self.lock:
            self.erase()
            self.ended.set()
        for line in self.run.summary(now):
            self._display.display(line)
        self.keep()

    def keep(self):
        """Record the run, unless it was a dry run or the report, which changes nothing."""
        if context.CLIARGS.get("check") or context.CLIARGS.get("syntax") or not self.run.hosts:
            return
        hosts = self.run.counted()
        seconds = {host.name: round(host.last - host.begun, 1) for host in hosts}
        name = os.path.basename(self.playbook)
        runs = {}
        if name != "report.yml":
            commit, at = collection_origin.commit(COLLECTION), int(time.time())
            runs = {
                host.name: {"at": at, "playbook": name, "commit": commit, "result": verdict(host.result)}
                for host in hosts
                if host.result != progress.SILENT
            }
        run_record.add(self.path, self.playbook, seconds, runs)

    def warn(self, result):
        """Show the warnings of a result, but not its error again, which would repeat a failure."""
        with self.lock:
            self.erase()
            self._handle_warnings(result._result)
            self.draw()


def verdict(result):
    return "failed" if result == progress.FAILED else result


def names_of(result):
    return result._host.get_name(), progress.title_of(result._task.get_name())


def message_of(result):
    """Return the reason of a failure; of a task in a loop, that of its first failed item."""
    items = [item for item in result.get("results") or [] if isinstance(item, dict) and item.get("failed")]
    source = items[0] if items else result
    return source.get("msg") or source.get("censored") or source.get("stderr") or ""


def put(text):
    """Write to the terminal past Python's buffers, whose locks a forked worker could inherit."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        os.write(sys.stdout.fileno(), text.encode(errors="replace"))
