# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Decides whether a group can replace an instance now, so that one cause does not take down all instances."""

IN_SERVICE, HEALTHY = "InService", "Healthy"
REFRESHING = frozenset(("Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"))


def objection(description, own_id, share, refreshes):
    """Return why the instance must not be reported, or "" if it may be.

    description: the group as Auto Scaling describes it. share: percentage of the group that may be out of service at a
    time, with this instance; one instance always may. refreshes: states of the group's instance refreshes.
    """
    members = description.get("Instances") or []
    own = next((member for member in members if member["InstanceId"] == own_id), None)
    if own is None:
        return "it is not in the group"
    if own["LifecycleState"] != IN_SERVICE:
        return "it is {LifecycleState}, not in service".format(**own)
    if own["HealthStatus"] != HEALTHY:
        return "the group knows already"
    if REFRESHING.intersection(refreshes):
        return "an instance refresh is in progress"
    serving = [
        member
        for member in members
        if member is not own and (member["LifecycleState"], member["HealthStatus"]) == (IN_SERVICE, HEALTHY)
    ]
    total = max(len(members), int(description.get("DesiredCapacity") or 0))
    missing = total - len(serving)
    allowed = max(1, total * share // 100)
    if missing > allowed:
        return (
            f"{missing} of {total} instances would be out of service, more than {share} % "
            "(docker_firstboot_health_share)"
        )
    return ""
