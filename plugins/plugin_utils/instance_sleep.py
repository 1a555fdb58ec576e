# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Choose the EC2 instances that an alarm stops when they are idle, and say what it would have stopped last week.

A request is the role's settings by name, without instance_sleep_. Instances are as amazon.aws.ec2_instance_info returns
them, alarms as amazon.aws.cloudwatch_metric_alarm_info does.
"""

import datetime
import re

from ansible_collections.slipway.platform.plugins.plugin_utils import ecr_names, setting_types

NAME = re.compile(r"\A[A-Za-z0-9._-]{1,64}\Z")
INSTANCE = re.compile(r"\Ai-[0-9a-f]{8,17}\Z")
NUMBERS = ("after", "period", "timeout")
GROUP_TAG = "aws:autoscaling:groupName"
# EC2 publishes that often without detailed monitoring, in seconds.
BASIC = 300
# An alarm looks back no longer, with periods of less than an hour and with others. Source: PutMetricAlarm in the
# documentation of botocore 1.44.
HOUR, DAY, WEEK = 3600, 86400, 604800
# Instances that run, or could be started again.
STATES = ("pending", "running", "stopping", "stopped")
DESCRIPTION = "Managed by Ansible: slipway.platform.instance_sleep"


def problems(request):
    """Return one sentence for each invalid setting."""
    found = setting_types.problems(
        request,
        "instance_sleep_{}",
        texts=("region", "name", "optout_tag", "own_instance"),
        numbers=NUMBERS,
        lists=("instances",),
        mappings=("tags",),
    )
    found += [
        f"instance_sleep_{name} is not a number: set it to one"
        for name in ("cpu", "network")
        if not setting_types.is_finite(request[name])
    ]
    return found or [*_setting_problems(request), *_time_problems(request)]


def _setting_problems(request):
    if not request["region"]:
        yield "instance_sleep_region is empty: set it, or the environment variable AWS_REGION"
    if not NAME.match(request["name"]):
        yield f"instance_sleep_name {request['name']!a} is invalid: use up to 64 letters, digits and ._-"
    if request["state"] != "absent" and not (request["tags"] or request["instances"]):
        yield (
            "instance_sleep_tags and instance_sleep_instances are empty, so that all instances of the region would be "
            "chosen: set one of them"
        )
    if "" in request["instances"]:
        yield "instance_sleep_instances has an empty entry: remove it"
    if not request["optout_tag"]:
        yield "instance_sleep_optout_tag is empty: set the key of a tag"
    if request["state"] == "present" and request["own_instance"] and not INSTANCE.match(request["own_instance"]):
        yield (
            f"instance_sleep_own_instance is {request['own_instance']!a}, not the ID of an instance: set the ID of the "
            "one that this play runs on, so that it is never stopped"
        )
    if not 0 < float(request["cpu"]) <= 100:
        yield f"instance_sleep_cpu {request['cpu']} is invalid: set a percentage above 0, up to 100"
    if float(request["network"]) < 0:
        yield f"instance_sleep_network {request['network']} is invalid: set bytes per second, or 0 for the CPU alone"


def _time_problems(request):
    after, period, timeout = (setting_types.number(request[name]) for name in NUMBERS)
    if timeout < 1:
        yield f"instance_sleep_timeout {timeout} is invalid: set minutes, at least 1"
    if period < 60 or period % 60:
        yield f"instance_sleep_period {period} is invalid: set seconds, 60 or a multiple of it"
        return
    most = DAY if period < HOUR else WEEK
    if after < period or after % period:
        yield f"instance_sleep_after {after} is not a multiple of instance_sleep_period {period}: set it to one"
    elif after > most:
        yield (
            f"instance_sleep_after {after} is too long for an alarm with instance_sleep_period {period}: set it to at "
            f"most {most} s{'' if most == WEEK else ', or the period to at least an hour'}"
        )


def state_problems(request, instances):
    """Return one sentence for each selection that no instance answers to. instances: those that the filters found."""
    tags = ", ".join(f"{key}={value}" for key, value in sorted(request["tags"].items()))
    if tags and not instances:
        return [f"no instance in {request['region']} has the tags {tags}: check instance_sleep_tags"]
    known = {name for instance in instances for name in (instance["instance_id"], _name(instance))}
    others = f" and the tags {tags}" if tags else ""
    return [
        f"no instance in {request['region']} has the ID or the Name {entry!a}{others}: check instance_sleep_instances"
        for entry in request["instances"]
        if entry not in known
    ]


def plan(request, instances=(), details=(), spot_requests=(), alarms=(), history=None):
    """Return what the role asks AWS next and what it does, as a dictionary.

    Its keys: filters, of the request for instances; spot and candidates, IDs whose Spot requests and stop protection
    decide; metrics of the chosen, for slipway.platform.cloudwatch_metric_history_info; prefix of the names of alarms;
    alarms to write or delete, as options of amazon.aws.cloudwatch_metric_alarm; sleeping, IDs to start; report,
    sentences. details: candidates with the attribute disable_api_stop. history: what that module has returned.
    """
    selected = [instance for instance in instances if _is_selected(instance, request)]
    reasons = {instance["instance_id"]: _reason(instance, request) for instance in selected}
    candidates = [identifier for identifier, reason in reasons.items() if not reason]
    spot = [
        instance["instance_id"]
        for instance in selected
        if instance.get("instance_lifecycle") == "spot" and not reasons[instance["instance_id"]]
    ]
    reasons.update(_detailed_reasons(details, spot, spot_requests, candidates))
    chosen = [instance for instance in selected if not reasons[instance["instance_id"]]]
    sleeping = [
        instance["instance_id"]
        for instance in selected
        if GROUP_TAG not in instance.get("tags", {}) and instance["state"]["name"] in ("stopping", "stopped")
    ]
    result = {
        "filters": _filters(request),
        "prefix": _prefix(request),
        "spot": spot,
        "candidates": candidates,
        "metrics": [metric for instance in chosen for metric in _metrics(instance["instance_id"], request)],
        "alarms": _changes(request, chosen if request["state"] == "present" else [], alarms),
        "sleeping": sleeping,
    }
    if request["state"] == "awake":
        return {**result, "report": [_wake_sentence(instance, request, sleeping) for instance in selected]}
    report = [
        f"{_label(instance)} is left out: {reasons[instance['instance_id']]}."
        for instance in selected
        if reasons[instance["instance_id"]]
    ]
    return {**result, "report": [*report, *_stop_report(request, chosen, history)]}


def _filters(request):
    filters = {"instance-state-name": list(STATES)}
    filters.update({f"tag:{key}": value for key, value in request["tags"].items()})
    # A filter for IDs would find no Name.
    if request["instances"] and all(INSTANCE.match(entry) for entry in request["instances"]):
        filters["instance-id"] = list(request["instances"])
    return filters


def _prefix(request):
    return f"slipway-sleep/{request['name']}/"


def _name(instance):
    return instance.get("tags", {}).get("Name", "")


def _label(instance):
    name = _name(instance)
    return f"{instance['instance_id']} ({name})" if name else instance["instance_id"]


def _is_selected(instance, request):
    entries = request["instances"]
    return not entries or instance["instance_id"] in entries or _name(instance) in entries


def _reason(instance, request):
    """Return why an alarm must not stop an instance, "" if it may as far as DescribeInstances tells."""
    tags = instance.get("tags", {})
    period = setting_types.number(request["period"])
    if instance["instance_id"] == request["own_instance"]:
        return "this play runs on it"
    if request["optout_tag"] in tags:
        return f"it has the tag {request['optout_tag']}"
    if GROUP_TAG in tags:
        return f"the Auto Scaling group {tags[GROUP_TAG]} would replace it"
    if instance.get("root_device_type") == "instance-store":
        return "its root is an instance store, which cannot be stopped"
    if period < BASIC and (instance.get("monitoring") or {}).get("state") not in ("enabled", "pending"):
        return (
            f"it has no detailed monitoring, so that its data come every {BASIC} s and instance_sleep_period is "
            f"{period}"
        )
    return ""


def _detailed_reasons(details, spot, spot_requests, candidates):
    """Return reasons by ID, of those candidates that have one."""
    persistent = [entry.get("instance_id") for entry in spot_requests if entry.get("type") == "persistent"]
    reasons = {
        instance["instance_id"]: "it has stop protection"
        for instance in details
        if instance.get("attributes", {}).get("disable_api_stop", {}).get("value")
    }
    reasons.update(
        {identifier: "its Spot request is not persistent" for identifier in spot if identifier not in persistent}
    )
    return {identifier: reason for identifier, reason in reasons.items() if identifier in candidates}


def _conditions(request):
    """Return (ID in an expression, metric, statistic, level) of what must be low, all at once."""
    found = [("cpu", "CPUUtilization", "Average", float(request["cpu"]))]
    most = float(request["network"]) * setting_types.number(request["period"])
    if most:
        found += [("received", "NetworkIn", "Sum", most), ("sent", "NetworkOut", "Sum", most)]
    return found


def _metrics(identifier, request):
    return [
        {
            "namespace": "AWS/EC2",
            "name": name,
            "dimensions": {"InstanceId": identifier},
            "statistic": statistic,
            "below": level,
        }
        for _, name, statistic, level in _conditions(request)
    ]


def _changes(request, chosen, alarms):
    present = {alarm["alarm_name"]: alarm for alarm in alarms}
    wanted = [_alarm(instance["instance_id"], request) for instance in chosen]
    surplus = present.keys() - {alarm["name"] for alarm in wanted}
    return [alarm for alarm in wanted if _differs(alarm, present.get(alarm["name"]))] + [
        {"name": name, "state": "absent"} for name in sorted(surplus)
    ]


def _alarm(identifier, request):
    region, period = request["region"], setting_types.number(request["period"])
    partition = ecr_names.partition_of(region).name
    alarm = {
        "name": _prefix(request) + identifier,
        "state": "present",
        "description": DESCRIPTION,
        "evaluation_periods": setting_types.number(request["after"]) // period,
        # Data are missing while an instance is stopped. If they counted as low, or not at all, it would be stopped
        # again soon after its next start.
        "treat_missing_data": "notBreaching",
        "alarm_actions": [f"arn:{partition}:automate:{region}:ec2:stop"],
    }
    conditions = _conditions(request)
    if len(conditions) == 1:
        ((_, name, statistic, level),) = conditions
        return {
            **alarm,
            "namespace": "AWS/EC2",
            "metric_name": name,
            "dimensions": {"InstanceId": identifier},
            "statistic": statistic,
            "period": period,
            "comparison": "LessThanThreshold",
            "threshold": level,
        }
    queries = [
        {
            "id": key,
            "metric_stat": {
                "metric": {
                    "namespace": "AWS/EC2",
                    "metric_name": name,
                    "dimensions": [{"name": "InstanceId", "value": identifier}],
                },
                "period": period,
                "stat": statistic,
            },
            "return_data": False,
        }
        for key, name, statistic, _ in conditions
    ]
    low = " AND ".join(f"{key} < {_plain(level)}" for key, _, _, level in conditions)
    return {
        **alarm,
        "metrics": [*queries, {"id": "idle", "expression": f"IF({low}, 1, 0)", "return_data": True}],
        "comparison": "GreaterThanOrEqualToThreshold",
        "threshold": 1.0,
    }


def _plain(number):
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _differs(wanted, present):
    """Return whether an alarm is missing or another; amazon.aws.cloudwatch_metric_alarm cannot tell for expressions."""
    if present is None:
        return True
    keys = {"comparison": "comparison_operator", "description": "alarm_description"}
    return any(
        _comparable(key, value) != _comparable(key, present.get(keys.get(key, key)))
        for key, value in wanted.items()
        if key not in ("name", "state")
    ) or bool(present.get("metrics")) != ("metrics" in wanted)


def _comparable(key, value):
    if key == "dimensions":
        return value if isinstance(value, dict) else {entry["name"]: entry["value"] for entry in value or []}
    if key == "metrics":
        return {entry["id"]: {**entry, "return_data": entry.get("return_data", True)} for entry in value or []}
    return value


def _wake_sentence(instance, request, sleeping):
    if instance["instance_id"] in sleeping:
        return f"{_label(instance)} is stopped, and to be started."
    if GROUP_TAG in instance.get("tags", {}):
        return f"{_label(instance)} is left out: the Auto Scaling group {instance['tags'][GROUP_TAG]} starts it."
    return f"{_label(instance)} runs already."


def _stop_report(request, chosen, history):
    minutes = setting_types.number(request["after"]) // 60
    if not history:
        return [f"{_label(instance)} is stopped once it has been idle for {minutes} minutes." for instance in chosen]
    sentences, total = [], 0.0
    rows = iter(history["histories"])
    for instance in chosen:
        row = _together([next(rows) for _ in _conditions(request)])
        spells = _spells(request, row, history["start"])
        total += sum(spell[2] for spell in spells)
        why = f"was not idle for {minutes} minutes" if row.strip("-") else "has no data"
        sentences.append(_past_sentence(instance, spells, why))
    since = _moment(history["start"])
    return [*sentences, f"{total:.1f} instance hours would have been saved in {request['region']} since {since} UTC."]


def _together(rows):
    """Return 1 for each period in which all metrics were low, 0 for others, - where data are missing."""
    return "".join(
        "0" if "0" in period else "-" if "-" in period else "1" for period in map("".join, zip(*rows, strict=True))
    )


def _spells(request, row, start):
    """Return when an instance would have been stopped, until when it was idle, and the hours between."""
    period = setting_types.number(request["period"])
    needed = setting_types.number(request["after"]) // period
    return [
        (
            start + (found.start() + needed) * period,
            start + found.end() * period,
            (len(found.group()) - needed) * period / HOUR,
        )
        for found in re.finditer(f"1{{{needed},}}", row)
    ]


def _past_sentence(instance, spells, why):
    if not spells:
        return f"{_label(instance)} would not have been stopped: it {why}."
    hours = sum(spell[2] for spell in spells)
    listed = ", ".join(f"{_moment(begin)} to {_moment(end)} ({saved:.1f} h)" for begin, end, saved in spells)
    return f"{_label(instance)} would have been stopped, for {hours:.1f} h while it was idle: {listed}, all UTC."


def _moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M")
