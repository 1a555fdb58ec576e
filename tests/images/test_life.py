# SPDX-License-Identifier: Apache-2.0
"""Claims about the start and the stop of an unmodified image."""

import time
from collections.abc import Callable

import pytest
import requests
from docker.models.containers import Container

from slipway.images.image import Image

HEALTHY_SECONDS = 90
STOP_SECONDS = 5
KILLED = 128 + 9


def wait_until_healthy(container: Container) -> None:
    deadline = time.monotonic() + HEALTHY_SECONDS
    while True:
        container.reload()
        state = container.attrs["State"]
        if state.get("Health", {}).get("Status") == "healthy":
            return
        assert state.get("Health", {}).get("Status") != "unhealthy", f"not healthy: {state['Health']['Log'][-1:]}"
        assert state["Running"], (
            f"the container exited with status {state['ExitCode']}: {container.logs(tail=20).decode()}"
        )
        assert time.monotonic() < deadline, f"not healthy within {HEALTHY_SECONDS} s: {state['Health']['Log'][-1:]}"
        time.sleep(0.2)


def exit_code(container: Container) -> int | None:
    """Return the exit code of a container, or None if it still runs after ten seconds."""
    try:
        return int(container.wait(timeout=10)["StatusCode"])
    except (requests.ConnectionError, requests.Timeout):
        return None


def test_a_service_becomes_healthy_and_stops_on_its_stop_signal(image: Image, start: Callable[[], Container]) -> None:
    if not image.healthcheck.command:
        pytest.skip(f"no health check: {image.healthcheck.none_because}")
    container = start()
    wait_until_healthy(container)
    container.stop(timeout=STOP_SECONDS)
    assert exit_code(container) != KILLED


def test_a_command_succeeds_or_stops_on_its_stop_signal(image: Image, start: Callable[[], Container]) -> None:
    if image.healthcheck.command:
        pytest.skip("a service has its own claim")
    container = start()
    code = exit_code(container)
    if code is None:
        container.stop(timeout=STOP_SECONDS)
        assert exit_code(container) != KILLED
    else:
        assert code == 0, container.logs(tail=20).decode()
