# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check a fleet's lifecycle hooks, and the time-outs of group, hooks and first boot against each other."""

# Defaults of docker_firstboot, for an image whose variables this inventory does not have.
WAIT_SECONDS = 120
PULL_SECONDS = 1800
DRAIN_SECONDS = 300
# Of a first boot: the steps that wait_seconds limits each (network, engine, credentials), and the last attempt to
# read credentials. With a hook, its completion is another step.
WAITS = 3
LAST_LOOK_SECONDS = 120
# Until the boot's agent starts, and for the drain to notice the end and to complete the hook.
MACHINE_SECONDS = 120
DRAIN_MARGIN_SECONDS = 30
# Limits of AWS for a hook, and for all of its heartbeats together.
SHORTEST, LONGEST = 30, 7200
MOST_HEARTBEATS, LONGEST_WAIT = 100, 172800


def problems(request):
    """Return one sentence, without a period, for each obstacle.

    request: the settings of ami_fleet, and those of docker_firstboot; numbers that are not known are 0.
    """
    boot = _boot_seconds(request)
    if not request["hooks"]:
        return list(_grace_problems(request, boot))
    return [*_agent_problems(request), *_launch_problems(request, boot), *_termination_problems(request)]


def _boot_seconds(request):
    """Return the longest time of a first boot, as far as it is known."""
    waits = WAITS + (1 if request["hooks"] else 0)
    seconds = waits * (request["wait_seconds"] or WAIT_SECONDS) + LAST_LOOK_SECONDS
    return seconds + ((request["pull_seconds"] or PULL_SECONDS) if request["pull_url"] else 0)


def _grace_problems(request, boot):
    """Without a hook, the load balancer's health checks begin to count when the grace period ends."""
    known = request["wait_seconds"] or request["pull_url"]
    if known and request["health_check"] == "ELB" and request["grace_period"] < boot:
        yield (
            f"ami_fleet_grace_period is {request['grace_period']}, but a first boot may take {boot} s "
            "(docker_firstboot_wait_seconds, docker_firstboot_pull_seconds), so health checks would end it: set at "
            f"least {boot}, or ami_fleet_hooks to true"
        )


def _agent_problems(request):
    if not request["profile"]:
        yield (
            "ami_fleet_hooks is true, but ami_fleet_instance_profile is empty, so no instance could complete its hook: "
            "set a profile whose role has the policy docs/iam/fleet-instance.json"
        )
    if request["fleet"] is False:
        yield (
            "ami_fleet_hooks is true, but docker_firstboot_fleet is false, so no instance would complete its hook: set "
            "docker_firstboot_fleet to true, and publish such an image"
        )


def _launch_problems(request, boot):
    timeout = request["launch_timeout"]
    if not SHORTEST <= timeout <= LONGEST:
        yield f"ami_fleet_launch_timeout {timeout} is invalid: set {SHORTEST} to {LONGEST} seconds"
        return
    wait = request["wait_seconds"] or WAIT_SECONDS
    if timeout < wait + MACHINE_SECONDS:
        yield (
            f"ami_fleet_launch_timeout is {timeout}, but the first heartbeat of a boot may take "
            f"{wait + MACHINE_SECONDS} s (docker_firstboot_wait_seconds {wait} and {MACHINE_SECONDS} for the machine), "
            f"so instances would be replaced while they boot: set at least {wait + MACHINE_SECONDS}"
        )
    most = min(MOST_HEARTBEATS * timeout, LONGEST_WAIT)
    if boot > most:
        yield (
            f"a first boot may take {boot} s (docker_firstboot_wait_seconds, docker_firstboot_pull_seconds), but a "
            f"hook with ami_fleet_launch_timeout {timeout} waits no longer than {most} s in spite of heartbeats: "
            "shorten the boot or raise the time-out"
        )


def _termination_problems(request):
    timeout = request["termination_timeout"]
    if not SHORTEST <= timeout <= LONGEST:
        yield f"ami_fleet_termination_timeout {timeout} is invalid: set {SHORTEST} to {LONGEST} seconds"
        return
    drain = request["drain_seconds"] or DRAIN_SECONDS
    if timeout < drain + DRAIN_MARGIN_SECONDS:
        yield (
            f"ami_fleet_termination_timeout is {timeout}, but instances drain for up to {drain} s "
            f"(docker_firstboot_drain_seconds), so they would end before: set at least {drain + DRAIN_MARGIN_SECONDS}"
        )
