# SPDX-License-Identifier: Apache-2.0
"""The policies of docs/iam, beside the calls of AWS that moto has recorded."""

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import pytest

from slipway.lab.paths import PROJECT

FOLDER = PROJECT / "docs/iam"
# What a policy calls the services that sign their requests by another name.
SERVICES = {"monitoring": "cloudwatch"}
# Needs no permission.
FREE = {"sts:GetCallerIdentity"}


def policy(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return content


def for_moto(name: str) -> str:
    """A policy as moto understands it: it asks for all resources, and names services as signatures do."""
    statements = [{**statement, "Resource": "*"} for statement in policy(name)["Statement"]]
    text = json.dumps({**policy(name), "Statement": statements})
    for signed, named in SERVICES.items():
        text = text.replace(f"{named}:Put", f"{signed}:Put")
    return text


def actions(name: str) -> set[str]:
    """The actions that a policy allows, as it writes them."""
    listed = [statement["Action"] for statement in policy(name)["Statement"]]
    return {action for entry in listed for action in ([entry] if isinstance(entry, str) else entry)}


def require_all_calls(request: pytest.FixtureRequest) -> None:
    """Skip the test where others of its file are left out, whose calls would be missing."""
    chosen = {item.name.partition("[")[0] for item in request.session.items if item.path == request.path}
    if chosen < {name for name in vars(request.module) if name.startswith("test_")}:
        pytest.skip("without the other tests of this file, calls are missing")


def denied(name: str, calls: Iterable[tuple[str, str]]) -> set[str]:
    """The calls, as service and action, that a policy does not allow."""
    asked = {f"{SERVICES.get(service, service)}:{action}" for service, action in calls} - FREE
    return {call for call in asked if not any(fnmatchcase(call, allowed) for allowed in actions(name))}


def unused(name: str, calls: Iterable[tuple[str, str]]) -> set[str]:
    """The actions that a policy allows and nobody has called."""
    asked = {f"{SERVICES.get(service, service)}:{action}" for service, action in calls}
    return {allowed for allowed in actions(name) if not any(fnmatchcase(call, allowed) for call in asked)}
