# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Settings of metrics and alarms with which CloudWatch would refuse all metrics, or that crashed the check."""

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import metric_alarms
from hypothesis import given, settings
from hypothesis import strategies as st

GOOD: dict[str, Any] = {
    "wanted": [{"metric": "mem_used_percent", "above": 85, "periods": "3"}],
    "provider": "script",
    "mounts": ["/", "/srv"],
    "agent_rpm": {},
    "region": "eu-central-1",
    "identity": {"InstanceId": "i-1", "AutoScalingGroupName": "web"},
    "endpoint": "",
    "namespace": "CWAgent",
    "ignored": ["tmpfs", "fuse.*"],
}


def problems(**wrong: Any) -> list[str]:
    found: list[str] = metric_alarms.problems(**{**GOOD, **wrong})
    return found


def test_valid_settings_have_no_problem() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"mounts": ["/srv/ä"]},
            r"host_metrics_mounts has '/srv/\xe4', which CloudWatch does not accept as a dimension",
        ),
        ({"mounts": ["/" + "x" * 1024]}, "which CloudWatch does not accept as a dimension"),
        ({"mounts": [7]}, "entry 1 of host_metrics_mounts is the number"),
        ({"mounts": None}, "host_metrics_mounts is not a list"),
        ({"namespace": "AWS/EC2"}, "host_metrics_namespace is not a namespace that CloudWatch accepts"),
        ({"namespace": ":x"}, "host_metrics_namespace is not a namespace"),
        ({"namespace": "ä"}, "host_metrics_namespace is not a namespace"),
        ({"namespace": ""}, "host_metrics_namespace is not a namespace"),
        ({"ignored": [True]}, "entry 1 of host_metrics_ignored_file_systems is the boolean true"),
        ({"wanted": None}, "host_metrics_alarms is not a list"),
        ({"wanted": [7]}, "alarm 1 of host_metrics_alarms is not a mapping"),
        ({"wanted": [{"metric": None, "above": 1}]}, "metric of alarm 1 of host_metrics_alarms is empty"),
        ({"wanted": [{"metric": "x", "above": "much"}]}, "above of alarm 1 of host_metrics_alarms is not a number"),
        (
            {"wanted": [{"metric": "x", "above": float("nan")}]},
            "above of alarm 1 of host_metrics_alarms is not a number",
        ),
        (
            {"wanted": [{"metric": "x", "above": 1, "periods": "few"}]},
            "periods of alarm 1 of host_metrics_alarms is not a",
        ),
        ({"wanted": [{"metric": "x", "above": 1, "by": "Host"}]}, "by of alarm 1 of host_metrics_alarms is invalid"),
        ({"agent_rpm": "x.rpm"}, "host_metrics_agent_rpm is not a mapping"),
        (
            {"agent_rpm": {"url": "https://me:s3cret@example.com/a.rpm", "checksum": "sha256:" + 64 * "0"}},
            "host_metrics_agent_rpm.url contains credentials",
        ),
    ],
)
def test_each_problem_is_one_sentence(wrong: dict[str, Any], words: str) -> None:
    (sentence,) = problems(**wrong)
    assert words in sentence
    assert "s3cret" not in sentence


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metric", "above", "below", "by", "periods", "state", "url", "checksum"]), below
        )
    ),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(set(GOOD) - {"identity"})), ANYTHING))
def test_any_settings_are_accepted_or_reported(differing: dict[str, Any]) -> None:
    for sentence in problems(**differing):
        assert sentence.endswith(".")
