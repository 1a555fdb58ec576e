# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Completes the launch hook of the instance's group: an instance serves when it is ready, or is replaced."""

import threading
from contextlib import contextmanager

from slipway_agent.aws import autoscaling
from slipway_agent.aws.errors import AwsError, LastingError
from slipway_agent.boot import settings, waiting
from slipway_agent.boot.errors import StepError

HEARTBEAT_SECONDS = 30
# How long to retry to abandon. If that fails, the time-out of the hook does it.
ABANDON_SECONDS = 60
NO_GROUP = "the instance is in no Auto Scaling group"


class Launch:
    """fleet_path: the settings of an instance in a fleet. Without the file, nothing is done."""

    def __init__(self, fleet_path):
        self.fleet_path = fleet_path
        self.member = None
        self.heartbeats = None

    def begin(self):
        """Read the settings and begin to send heartbeats, so that the hook waits as long as the boot works."""
        fleet = settings.load(self.fleet_path) if self.fleet_path else None
        if fleet is not None:
            addresses = [fleet.get("metadata_endpoint"), fleet.get("endpoint")]
            self.member = autoscaling.Membership(*addresses)
            self.heartbeats = Heartbeats(autoscaling.Membership(*addresses))
            self.heartbeats.start()

    def end(self):
        if self.heartbeats:
            self.heartbeats.ended.set()

    def complete(self, seconds):
        """Have the group put the instance in service; return a description."""
        return waiting.until(lambda: complete(self.member), seconds)

    def abandon(self):
        """Have the group replace the instance. Where it cannot be told, the time-out of the hook ends the same way."""
        if self.member:
            try:
                print("lifecycle: " + waiting.until(lambda: abandon(self.member), ABANDON_SECONDS), flush=True)
            except StepError as error:
                print(f"lifecycle: the launch was not abandoned: {error}", flush=True)


def complete(member):
    with step_errors():
        group = member.group()
        if not group:
            return NO_GROUP
        if member.complete(group, autoscaling.LAUNCH_HOOK, autoscaling.CONTINUE):
            return f"completed the launch in the group {group}"
        state = member.state_in(member.describe(group))
    if state and "Pending" in state:  # or Warmed:Pending, on the way into a warm pool
        raise waiting.NotYetError(
            f"this instance is {state} in the group {group}, where no hook {autoscaling.LAUNCH_HOOK} waits for it: "
            "create the hook with ami_fleet_hooks, or complete the hook that waits"
        )
    return f"no launch is pending in the group {group}, where this instance is {state or 'not a member'}"


def abandon(member):
    with step_errors():
        group = member.group()
        if not group:
            return NO_GROUP
        if member.complete(group, autoscaling.LAUNCH_HOOK, autoscaling.ABANDON):
            return f"abandoned the launch in the group {group}, which replaces this instance"
        return f"no launch is pending in the group {group}"


@contextmanager
def step_errors():
    """Turn errors of requests into those of a step: into one to retry, unless it persists."""
    try:
        yield
    except LastingError as error:
        raise StepError(str(error)) from error
    except AwsError as error:
        raise waiting.NotYetError(str(error)) from error


class Heartbeats(threading.Thread):
    """Restarts the time-out of the launch hook at regular intervals until the boot ends."""

    def __init__(self, member):
        super().__init__(daemon=True)
        self.member = member
        self.ended = threading.Event()

    def run(self):
        said = ""
        while not self.ended.is_set():
            try:
                group = self.member.group()
                if not group:
                    return
                self.member.heartbeat(group, autoscaling.LAUNCH_HOOK)
                said = ""
            except AwsError as error:
                if str(error) != said:  # else the journal would get it at every beat
                    said = str(error)
                    print(f"lifecycle: no heartbeat was sent: {said}", flush=True)
                if isinstance(error, LastingError):
                    return
            self.ended.wait(HEARTBEAT_SECONDS)
