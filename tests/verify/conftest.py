# SPDX-License-Identifier: Apache-2.0
"""Claims about hosts: `pytest --hosts=ansible://docker_hosts tests/verify`, on the lab or on a live fleet."""

import json
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from testinfra.host import Host

# A stand-in host carries an image, since it reaches no registry; other hosts pull hello-world.
CARRIED_IMAGE = "/usr/share/slipway/hello.tar"
OUTCOMES = {"passed": "holds", "failed": "does not hold", "skipped": "not applicable"}
# By host, a line per item.
REPORT = pytest.StashKey[dict[str, list[str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--cis-report",
        action="store_true",
        help="ask hosts of every profile for the items of the CIS Docker Benchmark, and print a line for each, by host",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = {}


def is_audit(config: pytest.Config) -> bool:
    return bool(config.getoption("cis_report", False))


@pytest.fixture(scope="module", autouse=True)
def reach_the_lab(host: Host) -> Iterator[None]:
    """Set DOCKER_HOST to the engine in the inventory, since testinfra's docker backend passes no --host."""
    arguments = host.ansible.get_variables().get("ansible_docker_extra_args", "")
    with pytest.MonkeyPatch.context() as environment:
        if arguments.startswith("--host="):
            environment.setenv("DOCKER_HOST", arguments.removeprefix("--host="))
        yield


@pytest.fixture(scope="module")
def variable(host: Host) -> Callable[[str, Any], Any]:
    """Look up an inventory variable by name, with a default; Ansible resolves templates."""
    variables = host.ansible.get_variables()

    def value(name: str, default: Any) -> Any:
        found = variables.get(name, default)
        if isinstance(found, str) and "{{" in found:
            return host.ansible("ansible.builtin.debug", f"var={name}")[name]
        return found

    return value


@pytest.fixture(scope="module")
def image(host: Host) -> str:
    """The name of a small image that the host can run."""
    if not host.file(CARRIED_IMAGE).exists:
        return "hello-world"
    host.check_output("docker load --quiet --input %s", CARRIED_IMAGE)
    return "slipway/hello"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Attach the journal of the engine to a failed claim, and keep the outcome of an item of the benchmark."""
    report = yield
    host = getattr(item, "funcargs", {}).get("host")
    if host is None:
        return report
    named = dict(report.user_properties).get("item")
    if named and (report.when == "call" or report.outcome != "passed"):
        number, title = named
        line = f"{number:6} {OUTCOMES[report.outcome]:14} {title}" + (f": {why(report)}" if why(report) else "")
        item.config.stash[REPORT].setdefault(host.backend.get_hostname(), []).append(line)
    elif report.when == "call" and report.failed:
        journal = host.run("journalctl --unit=docker.service --lines=30 --no-pager --output=cat")
        report.sections.append(("journal of docker.service", journal.stdout))
    return report


def why(report: pytest.TestReport) -> str:
    """Return the reason of a skip or a failure in one line."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr or "").strip().rpartition("\n")[2].removeprefix("Failed: ")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if is_audit(session.config):
        json.dump(session.config.stash[REPORT], sys.stdout)
