# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What the callback progress knows of a run, and the lines that it shows; times are seconds of a monotonic clock."""

import re

MOST_CHANGES = 5  # lines about changes at the end
MOST_NAMES = 4  # hosts named in a line
NUMBERS = re.compile(r"0x[0-9a-f]+|[0-9]+")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # line breaks and tabs stay
RUNNING, DONE, FAILED, SILENT = "running", "done", "failed", "unreachable"


class Host:
    """One host of the run."""

    def __init__(self, name, now):
        self.name, self.begun, self.last = name, now, now
        self.phase, self.state = "", RUNNING
        self.changes = []

    @property
    def result(self):
        if self.state in (FAILED, SILENT):
            return self.state
        return "changed" if self.changes else "ok"


class Run:
    """Events of a run in, lines out."""

    def __init__(self, now, estimates=None):
        self.begun = now
        self.estimates = estimates or {}  # seconds of each host in the previous run
        self.hosts = {}
        self.changes = {}  # names of hosts by task
        self.failures = {}  # (message, names of hosts) by cause

    def host(self, name, now):
        return self.hosts.setdefault(name, Host(name, now))

    def expect(self, names, now):
        for name in names:
            self.host(name, now)

    def start(self, name, task, now):
        """Return a line if the host enters another phase, or None."""
        host, phase = self.host(name, now), phase_of(task)
        host.state = RUNNING  # again, in a rescue
        if phase == host.phase:
            return None
        host.phase = phase
        return f"{name}: {phase}"

    def finish(self, name, task, changed, now):
        """Return a line about a change, or None."""
        host = self.host(name, now)
        host.last = now
        if not changed:
            return None
        host.changes.append(task)
        names = self.changes.setdefault(task, [])
        if name not in names:
            names.append(name)
        return f"{name}: changed: {task}"

    def fail(self, name, task, message, now, unreachable=False):
        """Return a line about a failure; only the first of its cause has the message."""
        host = self.host(name, now)
        host.last, host.state = now, SILENT if unreachable else FAILED
        message = one_line(message) or "no reason is known"
        cause = cause_of(task, name, message)
        _, names = self.failures.setdefault(cause, (message, []))
        names.append(name)
        if len(names) > 1:
            return f"{name}: {host.state}: {task}: the same as {names[0]}"
        return f"{name}: {host.state}: {task}: {message}"

    def end(self, name, failed, unreachable):
        """Note how a host ended; what failed on one that did not was handled by a rescue."""
        self.hosts[name].state = SILENT if unreachable else FAILED if failed else DONE
        if failed or unreachable:
            return
        for cause, (_, names) in list(self.failures.items()):
            if name in names:
                names.remove(name)
                if not names:
                    del self.failures[cause]

    def counted(self):
        """Return the hosts, without the controller where it has only helped."""
        others = [host for host in self.hosts.values() if host.name != "localhost"]
        return others or list(self.hosts.values())

    def expected(self):
        """Return the estimate of the whole run in seconds, None unless the previous run had all of its hosts."""
        known = [self.estimates.get(host.name) for host in self.counted()]
        return max(known) if known and all(value is not None for value in known) else None

    def screen(self, now, height, width):
        """Return the lines to show on a terminal now: a summary and the hosts that run, the slowest first."""
        hosts = self.counted()
        failed = [host for host in hosts if host.state in (FAILED, SILENT)]
        running = [host for host in hosts if host.state == RUNNING]
        head = f"{counted(len(hosts))}, {clock(now - self.begun)}"
        expected = self.expected()
        head += f" of about {clock(expected)}" if expected else ""
        head += f", {len(failed)} failed" if failed else ""
        shown = [self.row(host, now) for host in sorted(running, key=lambda host: (host.last, host.name))]
        room = max(1, height - 3)
        if len(shown) > room:
            shown = [*shown[: room - 1], f"  and {len(shown) - room + 1} more hosts"]
        return [line[: max(20, width - 1)] for line in (head, *shown)]

    def row(self, host, now):
        estimate = self.estimates.get(host.name)
        about = f" of about {clock(estimate)}" if estimate else ""
        changes = f", {len(host.changes)} changed" if host.changes else ""
        return f"  {host.name:<24} {host.phase or 'waiting':<16} {clock(now - host.begun)}{about}{changes}"

    def summary(self, now):
        """Return the lines at the end: what changed where, failures by their cause, and the count."""
        lines = []
        ordered = sorted(self.changes.items(), key=lambda item: (-len(item[1]), item[0]))
        fits = len(ordered) <= MOST_CHANGES
        for task, names in ordered if fits else ordered[: MOST_CHANGES - 1]:
            lines.append(f"changed: {task}: {listed(names)}")
        if not fits:
            others = {name for _, names in ordered[MOST_CHANGES - 1 :] for name in names}
            lines.append(f"changed: {len(ordered) - MOST_CHANGES + 1} other tasks: {listed(sorted(others))}")
        for (task, _), (message, names) in sorted(self.failures.items(), key=lambda item: -len(item[1][1])):
            same = f"the same on {len(names)} hosts ({listed(names)})" if len(names) > 1 else names[0]
            lines.append(f"failed: {same}: {task}: {message}")
        tally = [host.result for host in self.counted()]
        counts = ", ".join(
            f"{tally.count(result)} {word}"
            for result, word in (("ok", "unchanged"), ("changed", "changed"), (FAILED, "failed"), (SILENT, SILENT))
            if result in tally
        )
        lines.append(f"{counted(len(tally))} in {clock(now - self.begun)}: {counts or 'none'}")
        return lines


def phase_of(task):
    """Return the phase of a task's name, "Daemon | Write daemon.json"; the name itself if it has none."""
    name = task.partition(" : ")[2] or task
    if name.startswith("Validating arguments against arg spec"):
        return "Arguments"
    return one_line(name.partition(" | ")[0])[:40]


def title_of(task):
    """Return a task's name with that of its role, without the collection of the role."""
    role, found, name = task.partition(" : ")
    return one_line(f"{role.rpartition('.')[2]}: {name}" if found else task)


def cause_of(task, name, message):
    """Return what failures of one cause have in common: the message without the host's name and numbers."""
    return task, NUMBERS.sub("#", message.replace(name, "<host>"))


def counted(hosts):
    return f"{hosts} host{'s' if hosts != 1 else ''}"


def listed(names):
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def one_line(text):
    """Return a text that cannot control the terminal, on one line."""
    return " ".join(UNPRINTABLE.sub(" ", str(text)).split())


def harmless(diff):
    """Return a diff of a result whose texts, which may be files of users, cannot control the terminal."""
    if isinstance(diff, list):
        return [harmless(part) for part in diff]
    if isinstance(diff, dict):
        return {name: harmless(part) for name, part in diff.items()}
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", diff) if isinstance(diff, str) else diff


def clock(seconds):
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
