# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Makes CloudWatch alarms on exactly the dimensions that are published; an alarm on any others stays silent."""

import re

from ansible_collections.slipway.platform.plugins.module_utils import endpoint_address

ALL = "*"
CHECKSUM = re.compile(r"\Asha256:[0-9a-f]{64}\Z")
# Which variable tells the value of a dimension.
VARIABLES = {"InstanceId": "host_metrics_instance_id", "AutoScalingGroupName": "host_metrics_group"}


def alarms(wanted, namespace, identity):
    """What cloudwatch_metric_alarm takes of each alarm; identity: the values of the dimensions."""
    return [alarm(entry, namespace, entry.get("by", "InstanceId"), identity) for entry in wanted]


def alarm(entry, namespace, by, identity):
    high = entry.get("above") is not None
    return {
        "name": "/".join((namespace, identity[by], entry["metric"])),
        "state": entry.get("state", "present"),
        "metric_name": entry["metric"],
        "dimensions": {by: identity[by]},
        "comparison": "GreaterThanThreshold" if high else "LessThanThreshold",
        "threshold": entry["above"] if high else entry.get("below"),
        "statistic": "Maximum" if high else "Minimum",
        "evaluation_periods": entry.get("periods", 5),
        "actions": entry.get("actions", []),
    }


def problems(wanted, provider, mounts, agent_rpm, region, identity, endpoint):
    """One sentence for everything that could be neither published nor watched."""
    found = mount_problems(mounts) if provider != "none" else []
    if agent_rpm and not (agent_rpm.get("url") and CHECKSUM.match(agent_rpm.get("checksum") or "")):
        found.append(
            "host_metrics_agent_rpm needs url and checksum, which is sha256: and 64 hexadecimal digits: "
            "AWS signs its rpm beside the file, where dnf does not look."
        )
    if endpoint_address.in_clear([endpoint]):
        found.append(
            "host_metrics_endpoint has no https://, so anybody could read and forge what is published: begin it with https://."
        )
    if wanted and provider == "none":
        found.append(
            "host_metrics_alarms would watch what nobody publishes: set host_metrics_provider to cloudwatch_agent or "
            "script."
        )
    if wanted and not region:
        found.append(
            "host_metrics_alarms needs host_metrics_region: an alarm in another region than its metric is silent."
        )
    return found + alarm_problems(wanted, identity)


def mount_problems(mounts):
    if not mounts:
        return ['host_metrics_mounts is empty: name mount points, or "*" for all.']
    if mounts == [ALL]:
        return []
    return [
        f'host_metrics_mounts has {mount!r}, which is no absolute path: write it like /data, or "*" alone for all.'
        for mount in mounts
        if not mount.startswith("/")
    ]


def alarm_problems(wanted, identity):
    found = []
    for entry in wanted:
        by = entry.get("by", "InstanceId")
        limits = [name for name in ("above", "below") if entry.get(name) is not None]
        if entry.get("state", "present") == "present" and len(limits) != 1:
            found.append("host_metrics_alarms: {} needs either above or below.".format(entry["metric"]))
        if entry.get("periods", 5) < 1:
            found.append("host_metrics_alarms: {} needs at least 1 in periods.".format(entry["metric"]))
        if not identity[by]:
            found.append(f"host_metrics_alarms: {entry['metric']} by {by} needs {VARIABLES[by]}.")
    names = [(entry["metric"], entry.get("by", "InstanceId")) for entry in wanted]
    return found + [
        f"host_metrics_alarms has {metric} by {by} twice: keep one."
        for metric, by in sorted(set(names))
        if names.count((metric, by)) > 1
    ]
