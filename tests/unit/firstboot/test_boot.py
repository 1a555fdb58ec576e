# SPDX-License-Identifier: Apache-2.0
"""What an instance finds at boot, as far as it takes no machine to see; the rest is in tests/lab/test_readiness.py."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from slipway_firstboot import boot, credentials, network, playbook, ready, settings, waiting
from slipway_firstboot.errors import StepError

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
"""
DEFAULT = "ens5\t00000000\t01001FAC\t0003\t0\t0\t512\t00000000\t0\t0\t0\n"
REJECTED = DEFAULT.replace("ens5", "*").replace("0003", "0201")
NONE_6 = f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo\n"
DEFAULT_6 = f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 28} 00000400 00000001 00000000 00450003     ens5\n"


def test_a_default_route_is_one_that_leads_somewhere() -> None:
    """A bridge of the engine has a route, and IPv6 a default one that rejects, on a machine without any network."""
    assert network.interface_of(ROUTES + DEFAULT) == "ens5"
    assert network.interface_of(ROUTES + REJECTED) is None
    assert network.interface_of("") is None
    assert network.interface_of_6(NONE_6 + DEFAULT_6) == "ens5"
    assert network.interface_of_6(NONE_6) is None


def test_an_address_that_begins_to_answer_while_it_is_waited_for_is_there() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(StepError, match=f"after 0 s, {address} does not answer"):
            network.wait([address], 0)
        threading.Timer(0.2, server.listen).start()
        assert network.wait([address], 30) == f"{address} answers"


@pytest.mark.parametrize("address", ["registry.example.com", ":443", "host:port"])
def test_what_is_no_address_fails_at_once(address: str) -> None:
    with pytest.raises(StepError, match="is no address: write host:port"):
        network.wait([address], 60)


def test_an_instance_overrides_what_it_may_and_nothing_else(tmp_path: Path) -> None:
    image, instance = tmp_path / "image.json", tmp_path / "instance.json"
    image.write_text('{"wait_for": [], "pull_checkout": "main"}')
    assert settings.read(str(image), str(instance)) == {"wait_for": [], "pull_checkout": "main"}
    instance.write_text('{"pull_checkout": "staging"}')
    assert settings.read(str(image), str(instance))["pull_checkout"] == "staging"
    for refused in ('{"pull_url": "x"}', '{"wait_for": "x"}', "[]", "{"):
        instance.write_text(refused)
        with pytest.raises(StepError, match=str(instance)):
            settings.read(str(image), str(instance))


def test_a_command_that_does_not_end_is_ended_with_all_that_it_started() -> None:
    with pytest.raises(StepError, match="has not ended after 1 s"):
        playbook.run(["sh", "-c", "sleep 600 & echo begun; wait"], dict(os.environ), 1)


def test_a_boot_that_is_stopped_says_failed(tmp_path: Path) -> None:
    image = tmp_path / "image.json"
    image.write_text('{"wait_for": ["127.0.0.1:9"], "wait_seconds": 60, "credential_helper": "", "pull_url": ""}')
    report = tmp_path / boot.REPORT
    arguments = [str(image), "/none", str(tmp_path), str(tmp_path)]
    program = f"import sys\nfrom slipway_firstboot import boot\nsys.exit(boot.main(*{arguments}))"
    process = subprocess.Popen([sys.executable, "-c", program], env={"PYTHONPATH": os.pathsep.join(sys.path)})
    waiting.until(lambda: waits_for_the_network(report), 30)
    process.terminate()
    assert process.wait(30) == 1
    assert "network (it was stopped" in ready.account(str(report))


def waits_for_the_network(report: Path) -> None:
    if not report.exists() or '"network"' not in report.read_text():
        raise waiting.NotYetError("the boot waits for no network yet")


def test_a_boot_with_a_fault_of_its_own_says_failed(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    image = tmp_path / "image.json"
    image.write_text("{}")
    try:
        with pytest.raises(KeyError):
            boot.main(str(image), "/none", str(tmp_path), str(tmp_path))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert json.loads((tmp_path / boot.REPORT).read_text())["state"] == "failed"


def test_a_report_that_is_missing_is_told(tmp_path: Path) -> None:
    assert "has not begun" in ready.account(str(tmp_path / "none"))


def test_cloud_init_waits_longer_than_a_first_boot_may_take() -> None:
    roles = Path(__file__).parents[3] / "roles"
    firstboot, user_data = (
        yaml.safe_load((roles / role / "defaults/main.yml").read_text()) for role in ("docker_firstboot", "user_data")
    )
    waits = 3 * firstboot["docker_firstboot_wait_seconds"] + credentials.LAST_LOOK_SECONDS
    assert user_data["user_data_ready_seconds"] > waits + firstboot["docker_firstboot_pull_seconds"]
