# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.plugin_utils.own_instance import own_instance

from tests.support.stand_in_aws import INSTANCE, Aws

NOBODY = "127.0.0.1:9"


@pytest.fixture
def metadata() -> Iterator[Aws]:
    """A metadata service that answers only requests with a token."""
    server = Aws(0, None)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def address_of(server: Aws) -> str:
    return server.address.removeprefix("http://")


def machine(root: Path, **firmware: str) -> str:
    folder = root / "sys/class/dmi/id"
    folder.mkdir(parents=True)
    for name, text in firmware.items():
        (folder / name).write_text(text + "\n")
    return str(root)


def test_outside_ec2_nobody_is_asked(tmp_path: Path, metadata: Aws) -> None:
    assert own_instance(str(tmp_path), address_of(metadata)) == ""
    assert own_instance(machine(tmp_path, sys_vendor="QEMU", board_asset_tag="i-9"), address_of(metadata)) == ""
    assert metadata.requests.total() == 0


def test_the_firmware_names_the_instance_also_where_no_metadata_can_be_read(tmp_path: Path) -> None:
    root = machine(tmp_path, sys_vendor="Amazon EC2", board_asset_tag="i-0af01c0123456789a")
    assert own_instance(root, NOBODY) == "i-0af01c0123456789a"


def test_on_xen_the_metadata_name_it(tmp_path: Path, metadata: Aws) -> None:
    root = machine(tmp_path, sys_vendor="Xen", bios_version="4.11.amazon")
    assert own_instance(root, address_of(metadata)) == INSTANCE
    assert own_instance(root, NOBODY) == "unknown"
