# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors

from typing import Any

import botocore.session
import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import instance_sleep
from hypothesis import given, settings
from hypothesis import strategies as st

REQUEST: dict[str, Any] = {
    "state": "present",
    "region": "eu-central-1",
    "name": "idle",
    "tags": {"Team": "web"},
    "instances": [],
    "optout_tag": "slipway:awake",
    "own_instance": "",
    "cpu": 5.0,
    "network": 5000.0,
    "after": 3600,
    "period": 300,
    "timeout": 10,
}
FIRST, SECOND = (f"i-0123456789abcde{number}" for number in range(2))
START = 1_795_564_800  # 2026-11-25 00:00 UTC


def instance(identifier: str = FIRST, **others: Any) -> dict[str, Any]:
    return {
        "instance_id": identifier,
        "tags": {"Name": "build", "Team": "web"},
        "root_device_type": "ebs",
        "monitoring": {"state": "disabled"},
        "state": {"name": "running"},
        **others,
    }


def plan(*instances: dict[str, Any], request: dict[str, Any] | None = None, **known: Any) -> dict[str, Any]:
    made: dict[str, Any] = instance_sleep.plan(REQUEST | (request or {}), list(instances), **known)
    return made


def test_valid_settings_have_no_problem() -> None:
    assert instance_sleep.problems(REQUEST) == []
    assert instance_sleep.problems(REQUEST | {"state": "absent", "tags": {}}) == []
    assert instance_sleep.problems(REQUEST | {"state": "awake", "own_instance": "unknown"}) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"region": ""}, "instance_sleep_region is empty: set it, or the environment variable AWS_REGION"),
        ({"name": "a/b"}, "instance_sleep_name 'a/b' is invalid"),
        ({"tags": {}}, "all instances of the region would be chosen"),
        ({"tags": {}, "state": "awake"}, "all instances of the region would be chosen"),
        ({"tags": {"Env": 1}}, "quote it"),
        ({"instances": [""]}, "instance_sleep_instances has an empty entry"),
        ({"optout_tag": ""}, "instance_sleep_optout_tag is empty"),
        ({"own_instance": "unknown"}, "instance_sleep_own_instance is 'unknown', not the ID of an instance"),
        ({"cpu": "much"}, "instance_sleep_cpu is not a number"),
        ({"cpu": 0.0}, "instance_sleep_cpu 0.0 is invalid"),
        ({"cpu": 101.0}, "instance_sleep_cpu 101.0 is invalid"),
        ({"network": float("nan")}, "instance_sleep_network is not a number"),
        ({"network": -1.0}, "instance_sleep_network -1.0 is invalid"),
        ({"period": 90}, "instance_sleep_period 90 is invalid: set seconds, 60 or a multiple of it"),
        ({"period": 0}, "instance_sleep_period 0 is invalid"),
        ({"after": 1000}, "instance_sleep_after 1000 is not a multiple of instance_sleep_period 300"),
        ({"after": 0}, "instance_sleep_after 0 is not a multiple"),
        ({"after": "soon"}, "instance_sleep_after is not a whole number"),
        ({"after": 172800}, "set it to at most 86400 s, or the period to at least an hour"),
        ({"after": 691200, "period": 86400}, "set it to at most 604800 s"),
        ({"timeout": 0}, "instance_sleep_timeout 0 is invalid"),
    ],
)
def test_each_invalid_setting_is_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    (problem,) = instance_sleep.problems(REQUEST | wrong)
    assert sentence in problem


def test_a_choice_that_matches_nothing_is_one_sentence_for_each_entry() -> None:
    assert instance_sleep.state_problems(REQUEST | {"instances": ["build", FIRST]}, [instance()]) == []
    (problem,) = instance_sleep.state_problems(REQUEST, [])
    assert problem == "no instance in eu-central-1 has the tags Team=web: check instance_sleep_tags"
    (problem,) = instance_sleep.state_problems(REQUEST | {"tags": {}, "instances": ["biuld", FIRST]}, [instance()])
    assert problem == "no instance in eu-central-1 has the ID or the Name 'biuld': check instance_sleep_instances"


@pytest.mark.parametrize(
    ("differing", "request_of", "reason"),
    [
        ({}, {"own_instance": FIRST}, "this play runs on it"),
        ({"tags": {"Name": "build", "slipway:awake": ""}}, {}, "it has the tag slipway:awake"),
        ({"tags": {"Name": "build", instance_sleep.GROUP_TAG: "g"}}, {}, "the Auto Scaling group g would replace it"),
        ({"root_device_type": "instance-store"}, {}, "its root is an instance store, which cannot be stopped"),
        ({}, {"period": 60}, "it has no detailed monitoring, so that its data come every 300 s"),
        ({"instance_lifecycle": "spot"}, {}, "its Spot request is not persistent"),
    ],
)
def test_an_instance_that_must_not_be_stopped_is_left_out_with_its_reason(
    differing: dict[str, Any], request_of: dict[str, Any], reason: str
) -> None:
    made = plan(instance(**differing), request=request_of)
    assert made["alarms"] == []
    (sentence,) = made["report"]
    assert sentence.startswith(f"{FIRST} (build) is left out: {reason}")


def test_stop_protection_and_one_time_spot_requests_are_asked_for_and_rule_out() -> None:
    spot, plain = instance(instance_lifecycle="spot"), instance(SECOND)
    made = plan(spot, plain)
    assert (made["spot"], made["candidates"]) == ([FIRST], [FIRST, SECOND])
    protected = [{"instance_id": SECOND, "attributes": {"disable_api_stop": {"value": True}}}]
    requests = [{"instance_id": FIRST, "type": "persistent"}]
    made = plan(spot, plain, details=protected, spot_requests=requests)
    assert [alarm["name"] for alarm in made["alarms"]] == [f"slipway-sleep/idle/{FIRST}"]
    assert f"{SECOND} (build) is left out: it has stop protection." in made["report"]


def test_detailed_monitoring_allows_short_periods() -> None:
    made = plan(instance(monitoring={"state": "enabled"}), request={"period": 60, "after": 600})
    assert made["alarms"][0]["evaluation_periods"] == 10


@pytest.mark.parametrize("partition", botocore.session.get_session().get_available_partitions())
def test_the_action_is_of_the_region_s_partition(partition: str) -> None:
    for region in botocore.session.get_session().get_available_regions("ec2", partition):
        (alarm,) = plan(instance(), request={"region": region})["alarms"]
        assert alarm["alarm_actions"] == [f"arn:{partition}:automate:{region}:ec2:stop"]


def test_an_alarm_that_is_as_wanted_is_not_written_again_and_others_of_the_set_go() -> None:
    (wanted,) = plan(instance())["alarms"]
    present = {
        "alarm_name": wanted["name"],
        "alarm_description": wanted["description"],
        "comparison_operator": wanted["comparison"],
        "dimensions": [],
        **{key: wanted[key] for key in ("threshold", "evaluation_periods", "alarm_actions", "treat_missing_data")},
        "metrics": list(reversed(wanted["metrics"])),
    }
    assert plan(instance(), alarms=[present])["alarms"] == []
    assert plan(instance(), alarms=[{**present, "threshold": 2.0}])["alarms"] == [wanted]
    assert plan(instance(), request={"cpu": 7.0}, alarms=[present])["alarms"][0]["state"] == "present"
    assert plan(instance(), request={"network": 0.0}, alarms=[present])["alarms"][0]["metric_name"] == "CPUUtilization"
    gone = {"alarm_name": "slipway-sleep/idle/i-00000000"}
    assert plan(instance(), alarms=[present, gone])["alarms"] == [{"name": gone["alarm_name"], "state": "absent"}]
    assert plan(request={"state": "absent"}, alarms=[present])["alarms"] == [
        {"name": wanted["name"], "state": "absent"}
    ]


def test_the_report_of_the_past_counts_what_all_metrics_agree_on() -> None:
    def history(*rows: str) -> dict[str, Any]:
        return {"start": START, "histories": list(rows)}

    request = {"period": 3600, "after": 7200}
    made = plan(instance(), request=request, history=history("0111101110-1", "1111111110-1", "1111111-1111"))
    assert made["report"] == [
        f"{FIRST} (build) would have been stopped, for 2.0 h while it was idle: 2026-11-25 03:00 to 2026-11-25 05:00 "
        "(2.0 h), all UTC.",
        "2.0 instance hours would have been saved in eu-central-1 since 2026-11-25 00:00 UTC.",
    ]
    made = plan(instance(), request=request, history=history("10", "11", "11"))
    assert made["report"][0] == f"{FIRST} (build) would not have been stopped: it was not idle for 120 minutes."
    made = plan(instance(), request=request, history=history("--", "--", "--"))
    assert made["report"][0] == f"{FIRST} (build) would not have been stopped: it has no data."


def test_only_the_named_are_selected_and_only_what_is_stopped_outside_a_group_is_started() -> None:
    sleeping: dict[str, Any] = {"state": {"name": "stopped"}}
    request = {"state": "awake", "instances": ["build", SECOND]}
    group = instance("i-00000000", tags={"Name": "build", instance_sleep.GROUP_TAG: "web"}, **sleeping)
    other = instance("i-00000001", tags={"Name": "other"}, **sleeping)
    made = plan(instance(**sleeping), instance(SECOND), group, other, request=request)
    assert (made["sleeping"], made["alarms"]) == ([FIRST], [])
    assert made["report"] == [
        f"{FIRST} (build) is stopped, and to be started.",
        f"{SECOND} (build) runs already.",
        "i-00000000 (build) is left out: the Auto Scaling group web starts it.",
    ]


def test_aws_is_asked_only_for_what_can_be_chosen() -> None:
    states = ["pending", "running", "stopping", "stopped"]
    assert plan()["filters"] == {"instance-state-name": states, "tag:Team": "web"}
    assert plan(request={"instances": ["build", FIRST]})["filters"] == {
        "instance-state-name": states,
        "tag:Team": "web",
    }
    assert plan(request={"tags": {}, "instances": [FIRST]})["filters"] == {
        "instance-state-name": states,
        "instance-id": [FIRST],
    }


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(set(REQUEST) - {"state"})),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2),
    )
)
def test_any_settings_are_accepted_or_reported(differing: dict[str, Any]) -> None:
    found = instance_sleep.problems(REQUEST | differing)
    assert all(found)
    if not found:
        plan(instance(), request=differing)
