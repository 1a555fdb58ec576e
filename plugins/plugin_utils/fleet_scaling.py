# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Check what scales a fleet, and make the arguments of the modules that write it."""

import re
import zoneinfo

from ansible_collections.slipway.platform.plugins.plugin_utils import setting_types

NAME = re.compile(r"\A[A-Za-z0-9._-]{1,64}\Z")
TYPE = re.compile(r"\A[a-z0-9-]+\.[a-z0-9-]+\Z")
LOAD_BALANCER = re.compile(r"\Aapp/[A-Za-z0-9-]+/[0-9a-f]{16}\Z")
CRON = re.compile(r"\A[0-9A-Za-z*/,-]+(?: [0-9A-Za-z*/,?L#-]+){4}\Z")
STATISTICS = ("Average", "Minimum", "Maximum", "SampleCount", "Sum")
STATES = ("present", "absent")
POLICY_KEYS = (
    *("name", "state", "metric", "namespace", "dimensions", "statistic", "load_balancer"),
    *("target", "scale_in", "above", "below", "periods", "steps"),
)
SCHEDULE_KEYS = ("name", "state", "cron", "time_zone", "desired", "min_size", "max_size")
SIZES = ("min_size", "desired", "max_size")
GROUP = "AutoScalingGroupName"
# Metrics by the names that policies have for them, with their namespace; each is of the whole group.
OF_GROUP = {"cpu": ("AWS/EC2", "CPUUtilization"), "memory": ("CWAgent", "mem_used_percent")}


def problems(request):
    """Return one sentence for each setting that AWS would reject, or with which nothing would ever scale."""
    found = [
        *_entry_problems("ami_fleet_scaling_policies", request["scaling_policies"], POLICY_KEYS),
        *_entry_problems("ami_fleet_schedules", request["schedules"], SCHEDULE_KEYS),
    ]
    if found:
        return found
    for policy in request["scaling_policies"]:
        if policy.get("state", "present") == "present":
            found += [f"scaling policy {policy['name']} {fault}" for fault in _policy_faults(policy, request)]
    for schedule in request["schedules"]:
        if schedule.get("state", "present") == "present":
            found += [f"schedule {schedule['name']} {fault}" for fault in _schedule_faults(schedule, request)]
    return [*found, *_type_problems(request)]


def _entry_problems(variable, entries, keys):
    if not isinstance(entries, (list, tuple)):
        return [f"{variable} is not a list: write one, such as [] for none"]
    found, names = [], []
    for number, entry in enumerate(entries, 1):
        place = f"entry {number} of {variable}"
        if not isinstance(entry, dict):
            found.append(f"{place} is not a mapping: set name, and what the guide says")
            continue
        unknown = sorted(str(key) for key in entry if key not in keys)
        if unknown:
            found.append(f"{place} has the unknown key {unknown[0]!a}: use {', '.join(keys)}")
        if not isinstance(entry.get("name"), str) or not NAME.match(entry["name"]):
            found.append(f"{place} has no valid name: use up to 64 letters, digits and ._-")
        elif entry["name"] in names:
            found.append(f"{place} has the name {entry['name']} of another one: keep one")
        else:
            names.append(entry["name"])
        if entry.get("state", "present") not in STATES:
            found.append(f"{place} has an invalid state: use present or absent")
    return found


def _policy_faults(policy, request):
    kinds = [name for name in ("target", "above", "below") if policy.get(name) is not None]
    if len(kinds) != 1:
        yield "needs exactly one of target, above and below"
    elif not setting_types.is_finite(policy[kinds[0]]) or (kinds[0] == "target" and float(policy["target"]) <= 0):
        yield f"has an invalid {kinds[0]}: set a number{' above 0' if kinds[0] == 'target' else ''}"
    metric = policy.get("metric")
    if not isinstance(metric, str) or not metric:
        yield "has no metric: use cpu, memory, requests, or the name of a metric with its namespace"
    elif metric == "requests":
        if policy.get("target") is None:
            yield "follows requests by steps, which need a metric of AWS/ApplicationELB by its name: set target"
        if not LOAD_BALANCER.match(str(policy.get("load_balancer"))):
            yield "needs load_balancer, the end of the load balancer's ARN such as app/web/0123456789abcdef"
        if len(request["target_groups"]) != 1:
            yield "follows requests per target, which needs exactly one entry in ami_fleet_target_groups"
    elif metric not in OF_GROUP and not isinstance(policy.get("namespace"), str):
        yield f"follows {metric}, whose namespace is missing: set namespace, or use cpu, memory or requests"
    dimensions = policy.get("dimensions", {})
    if not isinstance(dimensions, dict) or not all(isinstance(value, str) for value in dimensions.values()):
        yield "has invalid dimensions: map names to texts"
    if policy.get("statistic", "Average") not in STATISTICS:
        yield f"has an invalid statistic: use one of {', '.join(STATISTICS)}"
    if kinds in (["above"], ["below"]):
        yield from _step_faults(policy)
    elif kinds == ["target"] and policy.get("steps"):
        yield "has both target and steps: keep one"


def _step_faults(policy):
    if (setting_types.number(policy.get("periods", 3)) or 0) < 1:
        yield "has invalid periods: set a number of minutes, at least 1"
    steps = policy.get("steps")
    if not isinstance(steps, (list, tuple)) or not steps or not all(_is_step(step) for step in steps):
        yield "needs steps, each with from, a distance from the limit, and add, a number of instances that is not 0"
        return
    distances = [setting_types.number(step["from"]) for step in steps]
    if distances[0] != 0 or sorted(set(distances)) != distances:
        yield "has steps out of order: the first is from 0, and each other from a greater distance"


def _is_step(step):
    return (
        isinstance(step, dict)
        and set(step) == {"from", "add"}
        and setting_types.number(step["from"]) is not None
        and bool(setting_types.number(step["add"]))
    )


def _schedule_faults(schedule, request):
    if not isinstance(schedule.get("cron"), str) or not CRON.match(schedule["cron"]):
        yield "has no valid cron: write minute, hour, day, month and weekday, such as '0 7 * * 1-5'"
    zone = schedule.get("time_zone")
    known = zoneinfo.available_timezones()  # empty on a controller without tzdata
    if not isinstance(zone, str) or not zone:
        yield "has no time_zone, so that it would follow UTC through summer and winter: set one such as Europe/Berlin"
    elif known and zone not in known:
        yield f"has the unknown time_zone {zone!a}: use one of the IANA, such as Europe/Berlin"
    given = {name: setting_types.number(schedule[name]) for name in SIZES if schedule.get(name) is not None}
    if not given:
        yield "changes nothing: set desired, min_size or max_size"
        return
    if any(value is None or value < 0 for value in given.values()):
        yield "has a size that is not a whole number of at least 0"
        return
    least = given.get("min_size", request["min_size"])
    most = given.get("max_size", request["max_size"])
    if not least <= given.get("desired", least) <= most:
        yield (
            f"would set a minimum of {least}, a desired capacity of {given.get('desired', least)} and a maximum of "
            f"{most}: set them in this order, or leave out those that ami_fleet_min_size and ami_fleet_max_size have"
        )


def _type_problems(request):
    for value in request["instance_types"]:
        if not TYPE.match(value):
            yield f"'{value}' in ami_fleet_instance_types is not an instance type: use one such as m6a.large"
    base, percent = request["on_demand_base"], request["on_demand_percent"]
    if base < 0 or not 0 <= percent <= 100:
        yield (
            f"ami_fleet_on_demand_base {base} and ami_fleet_on_demand_percent {percent} are invalid: set a number of "
            "instances, and a percentage from 0 to 100"
        )
    elif percent < 100 and len(set(request["instance_types"])) < 2:
        yield (
            f"ami_fleet_on_demand_percent {percent} asks for Spot instances of too few types, and the fleet would have "
            "none when their capacity ends: list at least two more in ami_fleet_instance_types"
        )


def metric_of(policy, fleet):
    """Return the namespace, name and dimensions that a policy follows; {} for requests per target."""
    if policy["metric"] == "requests":
        return {}
    namespace, name = OF_GROUP.get(policy["metric"], ("", policy["metric"]))
    dimensions = policy.get("dimensions", {GROUP: fleet} if policy["metric"] in OF_GROUP else {})
    return {"namespace": policy.get("namespace", namespace), "name": name, "dimensions": dimensions}


def metrics(policies, fleet, serving):
    """Return the metrics that must have been published. serving: whether the fleet has instances, which publish."""
    followed = [metric_of(policy, fleet) for policy in policies if policy.get("state", "present") == "present"]
    return [
        metric
        for metric in followed
        if metric and (serving or metric["dimensions"].get(GROUP) != fleet) and metric["namespace"] != "AWS/EC2"
    ]


def missing_problems(missing, region):
    """Return one sentence for each metric that nobody publishes."""
    for metric in missing:
        by = ", ".join(f"{name} {value}" for name, value in sorted(metric["dimensions"].items())) or "no dimensions"
        yield (
            f"nobody has published {metric['namespace']} {metric['name']} by {by} in {region} for two weeks, so its "
            "policy in ami_fleet_scaling_policies would never act: publish it first (host_metrics publishes memory), "
            "or correct its namespace, name and dimensions"
        )


def policies(wanted, fleet, region, target_groups, warmup):
    """Return for each policy the arguments of community.aws.autoscaling_policy, and as alarm, if it has steps, those of
    amazon.aws.cloudwatch_metric_alarm.
    """
    return [_policy(entry, fleet, region, target_groups, int(warmup)) for entry in wanted]


def _policy(entry, fleet, region, target_groups, warmup):
    # No fleet's name has a space. The module deletes a policy by its name alone, of whatever group.
    arguments = {"name": f"{fleet} {entry['name']}", "asg_name": fleet, "region": region}
    if entry.get("state", "present") == "absent":
        return {"policy": {**arguments, "state": "absent"}, "alarm": _alarm(entry, arguments, {}, "absent")}
    arguments["estimated_instance_warmup"] = warmup
    if entry.get("target") is None:
        arguments |= {
            "policy_type": "StepScaling",
            "adjustment_type": "ChangeInCapacity",
            "metric_aggregation": "Average",
            "step_adjustments": _steps(entry),
        }
        return {"policy": arguments, "alarm": _alarm(entry, arguments, metric_of(entry, fleet), "present")}
    config = {"target_value": float(entry["target"]), "disable_scalein": not entry.get("scale_in", True)}
    config |= _metric_specification(entry, fleet, target_groups)
    return {"policy": {**arguments, "policy_type": "TargetTrackingScaling", "target_tracking_config": config}}


def _metric_specification(entry, fleet, target_groups):
    if entry["metric"] == "requests":
        label = "{}/{}".format(entry["load_balancer"], target_groups[0].split(":", 5)[5])
        kind = {"predefined_metric_type": "ALBRequestCountPerTarget", "resource_label": label}
        return {"predefined_metric_spec": kind}
    if entry["metric"] == "cpu":
        return {"predefined_metric_spec": {"predefined_metric_type": "ASGAverageCPUUtilization"}}
    metric = metric_of(entry, fleet)
    return {
        "customized_metric_spec": {
            "namespace": metric["namespace"],
            "metric_name": metric["name"],
            "dimensions": [{"Name": name, "Value": value} for name, value in metric["dimensions"].items()],
            "statistic": entry.get("statistic", "Average"),
        }
    }


def _steps(entry):
    """Return the steps as AWS counts them: from the limit upwards, below 0 for an alarm on low values.

    The outermost bounds are left out: AWS wants one without an end, and the module leaves out a bound of 0.
    """
    bounds = [int(step["from"]) for step in entry["steps"]] + [None]
    steps = []
    for position, step in enumerate(entry["steps"]):
        near, far = bounds[position] or None, bounds[position + 1]
        low, high = (near, far) if entry.get("above") is not None else (_minus(far), _minus(near))
        found = {"scaling_adjustment": int(step["add"]), "lower_bound": low, "upper_bound": high}
        steps.append({name: value for name, value in found.items() if value is not None})
    return steps


def _minus(value):
    return None if value is None else -value


def _alarm(entry, arguments, metric, state):
    alarm = {"name": arguments["name"], "region": arguments["region"], "state": state}
    if state == "absent":
        return alarm
    high = entry.get("above") is not None
    return alarm | {
        "namespace": metric["namespace"],
        "metric_name": metric["name"],
        "dimensions": metric["dimensions"],
        "statistic": entry.get("statistic", "Average"),
        "comparison": "GreaterThanOrEqualToThreshold" if high else "LessThanOrEqualToThreshold",
        "threshold": float(entry["above"] if high else entry["below"]),
        "period": 60,
        "evaluation_periods": int(entry.get("periods", 3)),
        "treat_missing_data": "missing",
    }


def size(group, schedules, name, own):
    """Return a group's minimum or maximum: what a schedule may have set since, else the fleet's own."""
    scheduled = {
        setting_types.number(entry.get(name)) for entry in schedules if entry.get("state", "present") == "present"
    }
    present = group.get(name)
    return present if present in scheduled - {None} else own
