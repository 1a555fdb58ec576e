# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Implements slipway-health, which has the group replace an instance whose engine stays dead. A timer runs it."""

import json
import os
import sys
import tempfile

from slipway_agent.aws.autoscaling import Membership
from slipway_agent.aws.errors import AwsError
from slipway_agent.engine import docker
from slipway_agent.fleet import guard, settings

NAME = "health.json"


def main(path, state_path):
    """Check once and return the exit status. state_path: where the number of failed checks is kept."""
    try:
        check(settings.read(path), state_path)
        return 0
    except AwsError as error:
        print(error, file=sys.stderr)
        return 1


def check(wanted, state_path):
    before = failures_in(state_path)
    try:
        docker.version()
    except docker.EngineError as error:
        failures = before + 1
        write(state_path, failures)
        print(f"the engine does not respond ({error}), in {failures} checks in a row", flush=True)
        if failures >= wanted.health_checks:
            print(report(Membership(wanted.metadata_endpoint, wanted.endpoint), wanted.health_share)[1], flush=True)
        return
    if before:
        write(state_path, 0)
        print(f"the engine responds again after {before} failed checks", flush=True)


def report(member, share, at_once=False):
    """Report this instance unless there is an objection; return whether it is reported, and a description."""
    group = member.group()
    if not group:
        return False, "this instance is in no Auto Scaling group, so nobody replaces it"
    reason = guard.objection(member.describe(group), member.metadata.instance_id(), share, member.refreshes(group))
    if reason:
        return False, f"this instance is not reported to the group {group}: {reason}"
    member.report_unhealthy(group, at_once)
    return True, f"this instance is reported as unhealthy to the group {group}, which replaces it"


def failures_in(path):
    """Return the number of failed checks in a row; 0 if it is not known."""
    try:
        with open(path, encoding="ascii") as file:
            return int(json.load(file)["failures"])
    except (OSError, ValueError, TypeError, KeyError):
        return 0


def write(path, failures):
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    with open(descriptor, "w", encoding="ascii") as file:
        json.dump({"failures": failures}, file)
    os.rename(temporary, path)
