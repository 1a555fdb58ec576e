# SPDX-License-Identifier: Apache-2.0
"""An image with secrets or on a read-only mount is rejected, with the remedy."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from slipway.lab.play import Run

# Split, so that no scanner for credentials finds it in this repository.
AWS_KEY = "AKIA" + "QYLPMN5HABCDEFGH"
READ_ONLY = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"'


def test_an_image_with_an_aws_key_is_rejected_with_the_file(
    root: Path, inventory: Path, seal: Callable[[Path], Run]
) -> None:
    """Fault: a credential is left in an image when the bake ends. Outcome: the bake fails and names each file."""
    key = root / "opt/deploy.env"
    key.write_text(f"region=eu-central-1\nkey={AWS_KEY}\n")
    run = seal(inventory)
    key.unlink()
    assert run.status != 0
    assert "/opt/deploy.env, line 2: an AWS access key" in run.failure(root.name)
    assert AWS_KEY not in run.output


def test_an_image_that_is_mounted_read_only_is_rejected_in_one_sentence(
    root: Path, inventory: Path, bake_playbook: Path
) -> None:
    """Fault: an image that is mounted read-only. Outcome: refused; nothing changes."""
    in_namespace = ["unshare", "--mount", "--propagation=private", "sh", "-ec", READ_ONLY, "sh", root]
    done = subprocess.run(
        [*in_namespace, "ansible-playbook", f"--inventory={inventory}", bake_playbook],
        env={**os.environ, "ANSIBLE_FORCE_COLOR": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    said = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert (
        f"The root of {root.name} is mounted read-only: remount it read-write (mount -o remount,rw). Nothing was"
        in said
    )
    assert "Traceback" not in said
