# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""An instance and its Auto Scaling group: lifecycle hooks that wait for the instance, and its health."""

from slipway_agent.aws import query, service
from slipway_agent.aws.errors import AwsError, LastingError
from slipway_agent.aws.imds import ENDPOINT, Metadata

SERVICE = query.QueryService("autoscaling", "2011-01-01")
# The role ami_fleet gives its hooks these names.
LAUNCH_HOOK = "slipway-launch"
TERMINATION_HOOK = "slipway-termination"
CONTINUE, ABANDON = "CONTINUE", "ABANDON"
UNHEALTHY = "Unhealthy"

GROUP_TAG = "aws:autoscaling:groupName"
TARGET_STATE = "autoscaling/target-lifecycle-state"
EXPIRED = frozenset(("ExpiredToken", "ExpiredTokenException"))
INVALID = "ValidationError"
NOTHING_PENDING = "No active Lifecycle Action"
POLICY = "docs/iam/fleet-instance.json"


class Membership:
    """This instance in its group. Each method raises AwsError, or LastingError if the error persists."""

    def __init__(self, metadata_endpoint=None, endpoint=None):
        self.metadata = Metadata(metadata_endpoint or ENDPOINT)
        self.endpoint = endpoint or None

    def group(self):
        """Return the name of the instance's group, or None if it has none."""
        name = self.metadata.tag(GROUP_TAG)
        if not name and self.target_state():
            raise LastingError(
                "this instance belongs to an Auto Scaling group, but its metadata do not say to which: set "
                "instance_metadata_tags to enabled in the launch template"
            )
        return name or None

    def target_state(self):
        """Return the state into which the group takes the instance, such as Terminated, or None without a group."""
        return self.metadata.read(TARGET_STATE)

    def complete(self, group, hook, result):
        """Complete the hook's action for this instance; return whether it was pending."""
        return self._on_hook("CompleteLifecycleAction", group, hook, LifecycleActionResult=result)

    def heartbeat(self, group, hook):
        """Restart the hook's time-out for this instance; return whether its action is pending."""
        return self._on_hook("RecordLifecycleActionHeartbeat", group, hook)

    def report_unhealthy(self, group, at_once=False):
        """Have the group replace this instance. Unless at once, the group ignores it during its grace period."""
        message = {
            "InstanceId": self.metadata.instance_id(),
            "HealthStatus": UNHEALTHY,
            "ShouldRespectGracePeriod": not at_once,
        }
        self._call("SetInstanceHealth", group, message)

    def describe(self, group):
        """Return the group as Auto Scaling describes it, with its instances."""
        found = self._call("DescribeAutoScalingGroups", group, {"AutoScalingGroupNames": [group]})
        groups = found.get("AutoScalingGroups") or []
        if not groups:
            raise LastingError(f"the Auto Scaling group {group} does not exist in {self.metadata.region()}")
        return groups[0]

    def state_in(self, description):
        """Return the lifecycle state of this instance in a description of its group, or None if it is not in it."""
        own = self.metadata.instance_id()
        states = {member["InstanceId"]: member["LifecycleState"] for member in description.get("Instances") or []}
        return states.get(own)

    def refreshes(self, group):
        """Return the states of the group's latest instance refreshes."""
        found = self._call("DescribeInstanceRefreshes", group, {"AutoScalingGroupName": group, "MaxRecords": 10})
        return [refresh["Status"] for refresh in found.get("InstanceRefreshes") or []]

    def _on_hook(self, action, group, hook, **parameters):
        message = dict(
            parameters,
            AutoScalingGroupName=group,
            LifecycleHookName=hook,
            InstanceId=self.metadata.instance_id(),
        )
        try:
            self._call(action, group, message)
        except NothingPendingError:
            return False
        return True

    def _call(self, action, group, message):
        """Return the output of an action. Credentials that expire meanwhile are read again, once."""
        region = self.metadata.region()
        try:
            return self._send(action, message, region, self.metadata.credentials())
        except service.ServiceError as error:
            if error.code not in EXPIRED:
                raise error_of(error, action, group, region, self._role()) from error
        try:
            return self._send(action, message, region, self.metadata.credentials())
        except service.ServiceError as error:
            raise error_of(error, action, group, region, self._role()) from error

    def _send(self, action, message, region, credentials):
        return service.call(SERVICE, action, message, region, credentials, self.endpoint)

    def _role(self):
        return self.metadata.credentials().role


class NothingPendingError(LastingError):
    """No action of a hook is pending: it was completed already, or has not begun."""


def error_of(error, action, group, region, role):
    name = "autoscaling:" + action
    if error.code.startswith("AccessDenied"):
        return LastingError(
            f"the role {role} is not allowed to call {name} on the group {group} in {region}: attach the policy "
            f"{POLICY} to it ({error})"
        )
    if error.code in service.THROTTLED:
        return AwsError(f"{name} in {region} is throttled ({error})")
    if error.code in EXPIRED:
        return AwsError(f"the credentials of the role {role} have expired ({error}): check this host's clock")
    if error.code == INVALID and NOTHING_PENDING in str(error):
        return NothingPendingError(str(error))
    if error.code == INVALID:
        return LastingError(f"{name} on the group {group} in {region} was rejected ({error})")
    return AwsError(f"{name} on the group {group} in {region} failed ({error})")
