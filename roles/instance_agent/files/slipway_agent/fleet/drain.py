# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Implements slipway-drain, which waits for the end of this instance and then stops its containers in order."""

import datetime
import os
import subprocess
import sys
import time

from slipway_agent.aws import autoscaling
from slipway_agent.aws.autoscaling import Membership
from slipway_agent.aws.errors import AwsError, LastingError
from slipway_agent.engine import docker
from slipway_agent.fleet import health, notices, settings

# How long to retry to tell the group. If that fails, the time-out of the hook ends the same way.
TELL_SECONDS = 60
RETRY_SECONDS = 2
# How often to ask the group about a recommendation to rebalance that it does not act on.
REBALANCE_SECONDS = 60
JOURNAL_SECONDS = 20
WAITING = ("Terminating", "Terminating:Wait")


def main(path):
    """Wait, drain, tell the group and return the exit status."""
    try:
        Watch(settings.read(path)).run()
        return 0
    except AwsError as error:
        print(error, file=sys.stderr)
        return 1


class Watch:
    """What is known of the end of this instance."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.member = Membership(wanted.metadata_endpoint, wanted.endpoint)
        self.drained = False
        self.said = ""
        self.ask_again = 0.0

    def run(self):
        """Return once the instance is drained and its group knows. Metadata that cannot be read are read again."""
        while not self.ends():
            time.sleep(self.wanted.poll_seconds)
        complete(self.member)

    def ends(self):
        """Look once; return whether the group terminates this instance, which is drained then."""
        try:
            return self.look()
        except AwsError as error:
            self.say(str(error))
            return False

    def look(self):
        metadata = self.member.metadata
        if notices.is_terminating(metadata):
            self.drain(self.wanted.drain_seconds, "the group terminates this instance")
            return True
        if self.drained:
            return False
        left = notices.interruption(metadata, datetime.datetime.now(datetime.timezone.utc))
        if left is not None:
            self.drain(min(left, self.wanted.drain_seconds), "AWS interrupts this Spot instance")
        elif notices.is_at_risk(metadata) and time.monotonic() >= self.ask_again:
            self.rebalance()
        return False

    def rebalance(self):
        """Drain if nobody replaces this instance first: a group with capacity rebalancing does, and then ends it."""
        self.ask_again = time.monotonic() + REBALANCE_SECONDS
        group = self.member.group()
        if group and self.member.describe(group).get("CapacityRebalance") == "true":
            self.say(f"AWS may interrupt this Spot instance soon: the group {group} replaces it first")
            return
        reported, said = health.report(self.member, self.wanted.health_share, at_once=True)
        self.say("AWS may interrupt this Spot instance soon: " + said)
        if reported:
            self.drain(self.wanted.drain_seconds, "the group replaces this Spot instance")

    def drain(self, seconds, reason):
        if not self.drained:
            print(f"{reason}: draining within {seconds:.0f} s", flush=True)
            drain(seconds, self.wanted.drain_units)
            self.drained = True

    def say(self, text):
        """Print a text unless it was the last one."""
        if text != self.said:
            self.said = text
            print(text, flush=True)


def drain(seconds, units):
    """Stop containers and units in order and write the journal to the disk. Print what fails, and do the rest."""
    end = time.monotonic() + seconds
    for container in containers(seconds):
        grace = int(max(0, min(container.grace, end - time.monotonic())))
        attempt(f"stopped {container.name}", docker.stop, container.name, grace)
    for unit in units:
        attempt(f"stopped {unit}", command, ["systemctl", "stop", unit], max(1, end - time.monotonic()))
    attempt("wrote the journal to the disk", command, ["journalctl", "--sync"], JOURNAL_SECONDS)
    os.sync()


def containers(seconds):
    """Return the containers in the order to stop them: what was started last may use what was started before."""
    try:
        found = docker.running(max(1, min(seconds, docker.ANSWER_SECONDS)))
    except docker.EngineError as error:
        print(f"the containers were not stopped, because the engine does not respond ({error})", flush=True)
        return []
    return sorted(found, key=lambda container: container.started, reverse=True)


def attempt(done, function, *arguments):
    try:
        function(*arguments)
        print(done, flush=True)
    except docker.EngineError as error:
        print(f"not {done} ({error})", flush=True)


def command(words, seconds):
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds
        )
    except OSError as error:
        raise docker.EngineError(f"{words[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise docker.EngineError(f"{words[0]} did not finish within {seconds:.0f} s") from error
    if done.returncode:
        raise docker.EngineError(" ".join(done.stdout.decode("utf-8", "replace").split()))


def complete(member):
    """Tell the group that this instance can go. Raises AwsError after the last attempt."""
    end = time.monotonic() + TELL_SECONDS
    while True:
        try:
            print(told(member), flush=True)
            return
        except AwsError as error:
            if isinstance(error, LastingError) or time.monotonic() >= end:
                raise
        time.sleep(RETRY_SECONDS)


def told(member):
    """Complete the hook and return a description. Raises AwsError if the hook may not have begun to wait."""
    group = member.group()
    if not group:
        return "this instance is in no Auto Scaling group"
    if member.complete(group, autoscaling.TERMINATION_HOOK, autoscaling.CONTINUE):
        return f"completed the termination in the group {group}"
    state = member.state_in(member.describe(group))
    if state in WAITING:
        raise AwsError(
            f"this instance is {state} in the group {group}, where no hook {autoscaling.TERMINATION_HOOK} waits for "
            "it: create the hook with ami_fleet_hooks, or complete the hook that waits"
        )
    return f"no hook of the group {group} waits for the end of this instance"
