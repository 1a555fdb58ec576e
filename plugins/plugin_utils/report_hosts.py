# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Gather what is known of each host of the play: its answers, and the values of the roles' variables for it."""

import re

from ansible_collections.slipway.platform.plugins.plugin_utils import role_arguments

# Results of the tasks of roles/docker_engine/tasks/report.yml and roles/slipway_report/tasks/collect.yml.
ANSWERS, LOGINS = "docker_engine_report", "__slipway_report_logins"
# How ansible-core begins its sentences: 2.19 and newer, and before that about templates within templates.
PREFIX, ORIGINAL = "Task failed: ", "original message: "
LONGEST_ANSWER = 86400  # seconds; a host may claim anything
TIMED_OUT = re.compile(r"(?:Timed out after |in the expected time frame \()([0-9]+)")
# Public variables, without docker_.
WANTED = (
    "access_exclusive",
    "access_members",
    "access_socket_group",
    "access_socket_group_shared",
    "access_socket_mode",
    "engine_package",
    "engine_service_enabled",
    "engine_service_state",
    "engine_state",
    "engine_version",
)


def gather(task_vars, record, fix):
    """Return the hosts as report_model.build takes them. fix(name) returns the commands of a host."""
    names = task_vars.get("ansible_play_hosts_all") or []
    known = task_vars["hostvars"]
    return [of_host(name, known.raw_get(name), known[name], record, fix(name)) for name in names]


def of_host(name, results, variables, record, fix):
    """Return one host. results: its variables as they are, since a result is no template; variables: their values."""
    answer = results.get(ANSWERS) or {}
    report, seconds = answer.get("report"), answer.get("seconds")
    host = {
        "name": name,
        "groups": [group for group in variables.get("group_names") or [] if group != "ungrouped"],
        "reason": reason_of(answer),
        "facts": dict(report) if is_report(report) else {},
        "seconds": seconds if isinstance(seconds, (int, float)) and 0 <= seconds < LONGEST_ANSWER else 0,
        "wanted": {},
        "fix": fix,
    }
    if not host["reason"]:
        login = results.get(LOGINS)
        asked = login is not None and not login.get("skipped")
        unanswered = login_error(login) if asked else ""
        told = login_of(login) if asked and not unanswered else None
        host["facts"]["logins"] = {"facts": told, "error": unanswered}
        host["facts"]["run"] = {"facts": record.get(name), "error": ""}
        try:
            host["wanted"] = wanted(variables)
        except Exception as error:  # a template of the inventory may fail in any way
            host["reason"] = f"Its variables cannot be read: {' '.join(str(error).split())}"
    return host


def login_of(login):
    """Return what the page needs of docker_login's result, which no_log covers otherwise."""
    if login.get("logins") is None:
        return {"msg": login.get("msg", "")}
    keys = ("user", "registry", "verified", "changed", "ends")
    logins = login["logins"] if isinstance(login["logins"], list) else []
    return {"logins": [{key: item.get(key) for key in keys} for item in logins if isinstance(item, dict)]}


def login_error(login):
    """Return why nothing is known of the logins, "" if docker_login has answered."""
    late = TIMED_OUT.search(str(login.get("msg") or ""))
    if late:
        return f"the registries did not answer within {late.group(1)} seconds"
    return "the host was lost on the way" if login.get("unreachable") else ""


def wanted(variables):
    names = {name: f"docker_{name}" for name in WANTED}
    return {
        short: role_arguments.typed(variables.get(name, role_arguments.default(name)), name)
        for short, name in names.items()
    }


def is_report(report):
    """Return whether it has the form of docker_host_report's; a host that is not ours any more may send anything."""
    return isinstance(report, dict) and all(isinstance(part, dict) for part in report.values())


def reason_of(answer):
    """Return the sentence about a host without facts, "" if it has some."""
    if answer.get("report") and not answer.get("failed"):
        return "" if is_report(answer["report"]) else "Its answer has another form than a report: look at the host."
    reason = str(answer.get("msg") or "").rpartition(ORIGINAL)[2]
    reason = reason[len(PREFIX) :] if reason.startswith(PREFIX) else reason
    late = TIMED_OUT.search(reason)
    if late:
        return f"It does not answer: it was given up after {late.group(1)} seconds."
    if answer.get("unreachable"):
        return f"It does not answer: {reason or 'no reason is known'}"
    return reason or "It was not asked: an earlier task failed."
