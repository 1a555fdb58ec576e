# SPDX-License-Identifier: Apache-2.0
"""The AWS services of an instance, on a lab host."""

import io
import tarfile
from pathlib import Path

from slipway.lab.paths import PROJECT
from slipway.lab.workbench import LabHost

STAND_IN = PROJECT / "tests/support/stand_in_aws.py"
SIGNER = PROJECT / "roles/instance_agent/files/slipway_agent"
PORT = 8169
ADDRESS = f"http://127.0.0.1:{PORT}"
FOLDER = "/run/stand-in-aws"


def surround(host: LabHost) -> None:
    """Start the stand-in for AWS. It is gone after a reboot."""
    if host.run("systemctl", "is-active", "stand-in-aws.service")[0] == 0:
        return
    host.container.put_archive("/mnt", archive([STAND_IN, SIGNER]))  # the engine cannot write into a tmpfs
    host.sh(f"mkdir -m 700 {FOLDER}; mv /mnt/* {FOLDER}")
    host.sh(f"systemd-run --unit=stand-in-aws python3 {FOLDER}/{STAND_IN.name} {PORT} {FOLDER}")
    host.sh(f"timeout 20 sh -c 'until curl --silent --output /dev/null {ADDRESS}/; do :; done'")


def archive(paths: list[Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        for path in paths:
            tar.add(path, path.name)
    return buffer.getvalue()
