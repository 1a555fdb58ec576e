# SPDX-License-Identifier: Apache-2.0
"""Claims about hosts: `pytest --hosts=ansible://docker_hosts tests/verify`, on the lab or on a live fleet."""

from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from testinfra.host import Host

# A stand-in host carries an image, since it reaches no registry; other hosts pull hello-world.
CARRIED_IMAGE = "/usr/share/slipway/hello.tar"


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
    """Attach the journal of the engine to a failed claim."""
    report = yield
    host = getattr(item, "funcargs", {}).get("host")
    if report.when == "call" and report.failed and host is not None:
        journal = host.run("journalctl --unit=docker.service --lines=30 --no-pager --output=cat")
        report.sections.append(("journal of docker.service", journal.stdout))
    return report
