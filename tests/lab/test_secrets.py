# SPDX-License-Identifier: Apache-2.0
"""Planted secrets are in no output, no diff and no journal, and in no file that others can read."""

import json
from typing import Any

import pytest

from slipway.lab.workbench import LabHost
from tests.support.planted_secrets import CHARACTERS, PLANTED, planted

TOKEN = "s3cret-t0ken"


def shown(text: str, variables: dict[str, Any]) -> str:
    """Return the output without the command line, which names the variables that the test has set."""
    return text.replace(json.dumps(variables), "")


def test_no_secret_of_any_module_is_in_the_journal_or_the_output(fresh_host: LabHost) -> None:
    """The real journal, of real runs; tests/unit/plugins/modules/test_secrets.py tries each character by itself."""
    variables = {"planted": f"s3cret-{CHARACTERS['all']}-t0ken"}
    tasks: list[dict[str, Any]] = []
    for name in PLANTED:
        module, parameters = planted(name, "")
        filled = json.loads(json.dumps(parameters).replace("s3cret--t0ken", "{{ planted }}"))
        tasks.append({f"slipway.platform.{module}": filled, "ignore_errors": True})
    begun = fresh_host.sh("date +%s")
    run = fresh_host.play(*tasks, options=("--check", "--diff", "-vvv"), variables=variables)
    assert len(list(run.results(fresh_host.name))) == len(PLANTED), run.output
    journal = fresh_host.journal("--all", "--output=json", f"--since=@{begun}")
    assert journal.count("Invoked with") == len(PLANTED)
    for half in ("s3cret", "t0ken"):
        assert half not in journal
        assert half not in shown(run.output, variables)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "repository": (
        {"docker_engine_repo_root": f"https://{TOKEN}@localhost:9/linux"},
        "@localhost:9/linux/centos/gpg cannot be fetched",
    ),
    "repository, behind a pin": (
        {"docker_engine_repo_root": f"https://me:{TOKEN}@localhost:9/linux", "docker_engine_version": "26.1"},
        "@localhost:9/linux/centos/9/x86_64/stable cannot be read",
    ),
    "repository whose credentials are not encoded": (
        {"docker_engine_repo_root": f"https://me:{TOKEN}/x@localhost:9/linux", "docker_engine_gpg_key": "/etc/passwd"},
        "percent-encode special characters",
    ),
    "key": ({"docker_engine_gpg_key": f"https://{TOKEN}:@localhost:9/gpg"}, "@localhost:9/gpg cannot be fetched"),
    "proxy": ({"docker_engine_proxy": {"https": f"me:{TOKEN}@proxy:3128"}}, "docker_engine_proxy.https must be"),
    "token while baking": (
        {"slipway_baking": True, "docker_engine_daemon_options": {"log-opts": {"splunk-token": TOKEN}}},
        "docker_engine_daemon_options has credentials in an address, or a token",
    ),
    "repository while baking": (
        {"slipway_baking": True, "docker_engine_repo_root": f"https://me:{TOKEN}@localhost:9/linux"},
        "docker_engine_repo_root has credentials in an address, or a token",
    ),
    "proxy while baking": (
        {"slipway_baking": True, "docker_engine_proxy": {"https": f"http://{TOKEN}@proxy:3128"}},
        "docker_engine_proxy has credentials in an address, or a token",
    ),
}


@pytest.fixture(scope="module")
def refusals(fresh_host: LabHost) -> dict[str, str]:
    """What docker_engine says of credentials where they would leak; nothing is written."""
    written = "find /etc -newer /etc/machine-id -type f | xargs sha256sum"
    before = fresh_host.sh(written)
    said = fresh_host.refusals("docker_engine", {case: variables for case, (variables, _) in REFUSED.items()})
    assert fresh_host.sh(written) == before
    return said


@pytest.mark.parametrize("case", REFUSED)
def test_credentials_where_they_would_leak_are_refused_untold(refusals: dict[str, str], case: str) -> None:
    assert REFUSED[case][1] in refusals[case]
    assert "othing was changed" in refusals[case]
    assert TOKEN not in refusals[case]


def test_a_refused_token_is_nowhere_in_the_output(fresh_host: LabHost) -> None:
    variables, _ = REFUSED["repository"]
    run = fresh_host.converge("-vvv", "--diff", **variables)
    assert run.status != 0
    assert "docker_package_repository" in run.output
    assert TOKEN not in shown(run.output, variables)


def test_a_proxy_for_logins_alone_is_validated_too(fresh_host: LabHost) -> None:
    variables = {
        "docker_registry_auth_logins": [{"username": "alice", "token": "wrong-token", "registry": "localhost:9"}],
        "docker_registry_auth_proxy": {"https": f"me:{TOKEN}@proxy:3128"},
    }
    role = {"ansible.builtin.import_role": {"name": "slipway.platform.docker_registry_auth"}}
    run = fresh_host.play(role, options=("-vvv",), variables=variables)
    assert "docker_registry_auth_proxy.https must be a proxy address" in run.failure(fresh_host.name)
    assert TOKEN not in shown(run.output, variables)
