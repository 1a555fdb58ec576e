# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""What becomes of the result of a host that was asked, as several releases of ansible-core tell it."""

from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils import report_hosts, report_model

FIX = report_model.Fix("web-1")


def host(answer: dict[str, Any] | None, login: Any = None, **variables: Any) -> dict[str, Any]:
    results = {"docker_engine_report": answer, "__slipway_report_logins": login}
    found: dict[str, Any] = report_hosts.of_host("web-1", results, variables, {"web-1": {"at": 7}}, FIX)
    return found


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "It was not asked: an earlier task failed."),
        ({"unreachable": True, "msg": "Task failed: no route"}, "It does not answer: no route"),
        ({"unreachable": True}, "It does not answer: no reason is known"),
        (
            {"failed": True, "msg": "Task failed: Timed out after 25 second(s).", "timedout": {"period": 25}},
            "It does not answer: it was given up after 25 seconds.",
        ),
        (
            {
                "failed": True,
                "msg": "The docker_host_report action failed to execute in the expected time frame (25) and",
            },
            "It does not answer: it was given up after 25 seconds.",
        ),
        ({"failed": True, "msg": "Error was X, original message: Y, original message: it is wrong"}, "it is wrong"),
        ({"failed": True, "msg": "Missing sudo password"}, "Missing sudo password"),
        ({"failed": True, "report": {}, "msg": "broken"}, "broken"),
    ],
)
def test_a_host_without_facts_has_the_reason(answer: Any, reason: str) -> None:
    assert host(answer)["reason"] == reason


def test_what_is_wanted_is_the_inventory_s_or_the_roles_default() -> None:
    found = host({"report": {"x": {}}}, docker_access_members="alice, bob", docker_engine_version="29.7")
    assert found["wanted"]["access_members"] == ["alice", "bob"]
    assert found["wanted"]["engine_version"] == "29.7"
    assert found["wanted"]["access_socket_mode"] == "0660"
    assert found["wanted"]["engine_service_enabled"] is True


def test_variables_that_cannot_be_read_are_the_reason() -> None:
    assert (
        "docker_access_exclusive cannot be used"
        in host({"report": {"x": {}}}, docker_access_exclusive="maybe")["reason"]
    )


def test_of_a_login_only_what_the_page_shows_is_kept() -> None:
    """Its registered result holds the parameters, which no_log covers elsewhere."""
    login = {
        "logins": [{"user": "a", "registry": "r", "verified": True, "changed": False, "ends": 9, "more": 1}],
        "invocation": {},
    }
    found = host({"report": {"x": {}}}, login)["facts"]["logins"]["facts"]
    assert found == {"logins": [{"user": "a", "registry": "r", "verified": True, "changed": False, "ends": 9}]}
    assert host({"report": {"x": {}}}, {"msg": "revoked", "invocation": {}})["facts"]["logins"]["facts"] == {
        "msg": "revoked"
    }
    late = host({"report": {"x": {}}}, {"failed": True, "msg": "Task failed: Timed out after 25 second(s)."})
    assert late["facts"]["logins"] == {"facts": None, "error": "the registries did not answer within 25 seconds"}
    for not_asked in (None, {"skipped": True}):
        assert host({"report": {"x": {}}}, not_asked)["facts"]["logins"]["facts"] is None


def test_the_record_of_the_last_run_is_a_fact() -> None:
    assert host({"report": {"x": {}}})["facts"]["run"]["facts"] == {"at": 7}


@pytest.mark.parametrize("report", ["text", [1], {"packages": "text"}, {"packages": None}])
def test_an_answer_of_another_form_is_the_row_of_its_host_alone(report: Any) -> None:
    """A host that is not ours any more may send anything, and must not hide the others."""
    built = report_model.build([host({"report": report, "seconds": "NaN"})], {}, {})
    assert "has another form" in built["hosts"][0]["reason"]


@pytest.mark.parametrize("seconds", ["x", [1], float("nan"), float("inf"), -1, None])
def test_a_time_that_is_none_counts_as_nothing(seconds: Any) -> None:
    assert host({"report": {"x": {}}, "seconds": seconds})["seconds"] == 0


def test_logins_of_another_form_are_left_out() -> None:
    for logins in (7, ["x"]):
        assert host({"report": {"x": {}}}, {"logins": logins})["facts"]["logins"]["facts"] == {"logins": []}
