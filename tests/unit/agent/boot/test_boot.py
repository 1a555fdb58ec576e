# SPDX-License-Identifier: Apache-2.0
"""The steps of a boot, as far as they need no machine; tests/lab/test_readiness.py has the rest."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from slipway_agent.boot import commands, credentials, main, network, ready, report, settings, waiting
from slipway_agent.boot.errors import StepError

from tests.support import yaml_files

pytestmark = pytest.mark.program

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""
DEFAULT = "ens5\t00000000\t01001FAC\t0003\t0\t0\t512\t00000000\t0\t0\t0\n"
REJECTED = DEFAULT.replace("ens5", "*").replace("0003", "0201")
NONE_6 = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo\n"
DEFAULT_6 = f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 28} 00000400 00000001 00000000 00450003     ens5\n"


def test_a_default_route_that_rejects_packets_does_not_count() -> None:
    """Without a network there is a route of the engine's bridge, and an IPv6 default route that rejects packets."""
    assert network.interface_of(ROUTES + DEFAULT) == "ens5"
    assert network.interface_of(ROUTES + REJECTED) is None
    assert network.interface_of("") is None
    assert network.interface_of_6(NONE_6 + DEFAULT_6) == "ens5"
    assert network.interface_of_6(NONE_6) is None


def test_an_address_that_starts_to_respond_during_the_wait_is_reached() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(StepError, match=f"after 0 s, {address} does not respond"):
            network.wait([address], 0)
        threading.Timer(0.2, server.listen).start()
        assert network.wait([address], 30) == f"connected to {address}"


def test_an_instance_overrides_only_the_settings_that_it_may(tmp_path: Path) -> None:
    image, instance = tmp_path / "image.json", tmp_path / "instance.json"
    image.write_text('{"wait_for": [], "pull_checkout": "main"}')
    assert settings.read(str(image), str(instance)) == {"wait_for": [], "pull_checkout": "main"}
    instance.write_text('{"pull_checkout": "staging"}')
    assert settings.read(str(image), str(instance))["pull_checkout"] == "staging"
    for refused in ('{"pull_url": "x"}', '{"wait_for": "x"}', "[]", "{", "[" * 20_000):
        instance.write_text(refused)
        with pytest.raises(StepError, match=str(instance)):
            settings.read(str(image), str(instance))


def test_a_command_that_exceeds_its_time_is_killed_with_its_children() -> None:
    with pytest.raises(StepError, match="did not finish within 1 s"):
        commands.run(["sh", "-c", "sleep 600 & echo begun; wait"], commands.Deadline(1), dict(os.environ))


def test_a_process_that_left_the_session_with_the_output_open_delays_nothing() -> None:
    begun = time.monotonic()
    with pytest.raises(StepError, match="did not finish within 1 s"):
        commands.run(["sh", "-c", "setsid sleep 20 & wait"], commands.Deadline(1), dict(os.environ))
    assert time.monotonic() - begun < 15


def test_a_process_that_a_command_leaves_behind_is_not_waited_for() -> None:
    """It has left the process group that is killed, and keeps the pipe to the journal open."""
    began = time.monotonic()
    variables = dict(os.environ)
    with pytest.raises(StepError, match="did not finish within 1 s"):
        commands.run(["sh", "-c", "setsid sleep 15 & sleep 600"], commands.Deadline(1), variables, captured=False)
    done = commands.run(["sh", "-c", "setsid sleep 15 & exit 3"], commands.Deadline(60), variables, captured=False)
    assert (done.status, time.monotonic() - began < 10) == (3, True)


def test_a_boot_that_is_stopped_reports_failure(tmp_path: Path) -> None:
    image = tmp_path / "image.json"
    image.write_text('{"wait_for": ["127.0.0.1:9"], "wait_seconds": 60, "credential_helper": "", "pull_url": ""}')
    path = tmp_path / report.NAME
    arguments = [str(image), "/none", str(tmp_path), str(tmp_path)]
    program = f"import sys\nfrom slipway_agent.boot import main\nsys.exit(main.main(*{arguments}))"
    process = subprocess.Popen([sys.executable, "-c", program], env={"PYTHONPATH": os.pathsep.join(sys.path)})
    waiting.until(lambda: waits_for_the_network(path), 30)
    process.terminate()
    assert process.wait(30) == 1
    assert "network (stopped" in ready.account(str(path))


def test_a_detail_cannot_control_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / report.NAME
    path.write_text(json.dumps({"steps": [{"step": "playbook", "detail": "remote: \x1b[2J\u202e no"}]}))
    assert ready.account(str(path)) == "playbook (remote: ?[2J? no)"


def waits_for_the_network(path: Path) -> None:
    if not path.exists() or '"network"' not in path.read_text():
        raise waiting.NotYetError("the boot waits for no network yet")


def test_an_internal_error_is_reported_as_failure(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    image = tmp_path / "image.json"
    image.write_text("{}")
    try:
        with pytest.raises(KeyError):
            main.main(str(image), "/none", str(tmp_path), str(tmp_path))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert json.loads((tmp_path / report.NAME).read_text())["state"] == "failed"


def test_a_missing_report_is_named(tmp_path: Path) -> None:
    assert "has not started" in ready.account(str(tmp_path / "none"))


def test_cloud_init_waits_longer_than_a_first_boot_may_take() -> None:
    roles = Path(__file__).parents[4] / "roles"
    firstboot, user_data = (
        yaml_files.read(roles / role / "defaults/main.yml") for role in ("docker_firstboot", "user_data")
    )
    waits = 3 * firstboot["docker_firstboot_wait_seconds"] + credentials.LAST_LOOK_SECONDS
    assert user_data["user_data_ready_seconds"] > waits + firstboot["docker_firstboot_pull_seconds"]
