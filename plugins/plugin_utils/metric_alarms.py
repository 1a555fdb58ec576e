# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Define CloudWatch alarms on exactly the published dimensions; an alarm on any other set never fires."""

import re

from ansible_collections.slipway.platform.plugins.module_utils.net import url_secrets
from ansible_collections.slipway.platform.plugins.plugin_utils import endpoints, setting_types

ALL = "*"
CHECKSUM = re.compile(r"\Asha256:[0-9a-f]{64}\Z")
# What CloudWatch accepts as the value of a dimension: ASCII without control characters. It refuses a metric with any
# other value, and all others of the same request.
LONGEST_DIMENSION = 1024
NAMESPACE = re.compile(r"\A(?!AWS/)[^:\x00-\x1f\x7f-\U0010ffff][^\x00-\x1f\x7f-\U0010ffff]{0,254}\Z")
# The variable that sets each dimension's value.
VARIABLES = {"InstanceId": "host_metrics_instance_id", "AutoScalingGroupName": "host_metrics_group"}


def alarms(wanted, namespace, identity):
    """Return the arguments of amazon.aws.cloudwatch_metric_alarm; identity: dimension values by name."""
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


def problems(wanted, provider, mounts, agent_rpm, region, identity, endpoint, namespace="CWAgent", ignored=()):
    """Return one sentence for each setting with which metrics or alarms would not work."""
    variables = {
        "region": region,
        "endpoint": endpoint,
        "namespace": namespace,
        "group": identity.get("AutoScalingGroupName"),
        "instance_id": identity.get("InstanceId"),
        "mounts": mounts,
        "ignored_file_systems": ignored,
    }
    found = setting_types.problems(
        variables,
        "host_metrics_{}",
        texts=("region", "endpoint", "namespace", "group", "instance_id"),
        lists=("mounts", "ignored_file_systems"),
    )
    found += _alarm_type_problems(wanted)
    if agent_rpm and not isinstance(agent_rpm, dict):
        found.append("host_metrics_agent_rpm is not a mapping: set url and checksum")
    if found:
        return [f"{sentence}." for sentence in found]
    found = mount_problems(mounts) if provider != "none" else []
    if provider != "none" and not NAMESPACE.match(namespace):
        found.append(
            "host_metrics_namespace is not a namespace that CloudWatch accepts: use up to 255 ASCII characters, "
            "neither beginning with a colon nor with AWS/, for example CWAgent."
        )
    if agent_rpm and not (agent_rpm.get("url") and CHECKSUM.match(str(agent_rpm.get("checksum")))):
        found.append(
            "host_metrics_agent_rpm needs url and checksum ('sha256:' and 64 hexadecimal digits): AWS signs its RPM "
            "with a detached signature, which dnf does not verify."
        )
    if agent_rpm and url_secrets.holds_userinfo(str(agent_rpm.get("url"))):
        found.append(
            "host_metrics_agent_rpm.url contains credentials, which Ansible would show if the download fails: serve "
            "the RPM where none are needed, or in a repository of the host and name it in host_metrics_agent_package."
        )
    if endpoints.unencrypted([endpoint]):
        found.append(
            "host_metrics_endpoint does not use https://, so metrics could be read and forged in transit: use an "
            "https:// URL."
        )
    if wanted and provider == "none":
        found.append(
            "host_metrics_alarms is set, but host_metrics_provider is none, so no metric is published: set "
            "host_metrics_provider to cloudwatch_agent or script."
        )
    if wanted and not region:
        found.append(
            "host_metrics_alarms needs host_metrics_region: an alarm never fires in another region than its metric."
        )
    return found + alarm_problems(wanted, identity)


def mount_problems(mounts):
    if not mounts:
        return ['host_metrics_mounts is empty: list mount points, or "*" for all.']
    if mounts == [ALL]:
        return []
    return [
        f"host_metrics_mounts has {mount!a}, which is not an absolute path: use a path such as /data, or only "
        '"*" for all.'
        for mount in mounts
        if not mount.startswith("/")
    ] + [
        f"host_metrics_mounts has {mount!a}, which CloudWatch does not accept as a dimension: mount it at a path of "
        f"up to {LONGEST_DIMENSION} printable ASCII characters."
        for mount in mounts
        if mount.startswith("/") and not (mount.isascii() and mount.isprintable() and len(mount) <= LONGEST_DIMENSION)
    ]


def _alarm_type_problems(wanted):
    """Return a sentence, without a period, for each alarm that the checks could not read."""
    if not isinstance(wanted, (list, tuple)):
        return ["host_metrics_alarms is not a list: write one, such as [] for none"]
    found = []
    for number, entry in enumerate(wanted, 1):
        place = f"alarm {number} of host_metrics_alarms"
        if not isinstance(entry, dict):
            found.append(f"{place} is not a mapping: set metric, and above or below")
            continue
        found += setting_types.text_problems(f"metric of {place}", entry.get("metric"))
        if entry.get("by", "InstanceId") not in list(VARIABLES):
            found.append(f"by of {place} is invalid: use {' or '.join(sorted(VARIABLES))}")
        if setting_types.number(entry.get("periods", 5)) is None:
            found.append(f"periods of {place} is not a whole number: set it to one")
        for limit in ("above", "below"):
            if entry.get(limit) is not None and not setting_types.is_finite(entry[limit]):
                found.append(f"{limit} of {place} is not a number: set it to one")
    return found


def alarm_problems(wanted, identity):
    found = []
    for entry in wanted:
        by = entry.get("by", "InstanceId")
        limits = [name for name in ("above", "below") if entry.get(name) is not None]
        if entry.get("state", "present") == "present" and len(limits) != 1:
            found.append("host_metrics_alarms: {} needs exactly one of above and below.".format(entry["metric"]))
        if setting_types.number(entry.get("periods", 5)) < 1:
            found.append("host_metrics_alarms: {} needs periods of at least 1.".format(entry["metric"]))
        if not identity[by]:
            found.append(f"host_metrics_alarms: {entry['metric']} by {by} needs {VARIABLES[by]}.")
    names = [(entry["metric"], entry.get("by", "InstanceId")) for entry in wanted]
    return found + [
        f"host_metrics_alarms has {metric} by {by} more than once: keep one."
        for metric, by in sorted(set(names))
        if names.count((metric, by)) > 1
    ]
