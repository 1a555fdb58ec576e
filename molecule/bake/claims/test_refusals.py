# SPDX-License-Identifier: Apache-2.0
"""An image that is dirty or cannot be written is refused, and the sentence names what to do."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from slipway.lab.play import Run

# In two pieces, so that nothing that looks for credentials in this repository finds any.
KEY_OF_AWS = "AKIA" + "QYLPMN5HABCDEFGH"
READ_ONLY = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"'


def test_an_image_with_a_key_of_aws_in_it_is_refused_and_the_file_is_named(
    root: Path, bake: Callable[..., Run]
) -> None:
    key = root / "opt/deploy.env"
    key.write_text(f"region=eu-central-1\nkey={KEY_OF_AWS}\n")
    run = bake()
    key.unlink()
    assert run.status != 0
    assert "/opt/deploy.env, line 2: an access key of AWS" in run.failure(root.name)
    assert KEY_OF_AWS not in run.output


def test_an_image_that_is_mounted_read_only_is_refused_in_one_sentence(
    root: Path, inventory: Path, bake_playbook: Path
) -> None:
    apart = ["unshare", "--mount", "--propagation=private", "sh", "-ec", READ_ONLY, "sh", root]
    done = subprocess.run(
        [*apart, "ansible-playbook", f"--inventory={inventory}", bake_playbook],
        env={**os.environ, "ANSIBLE_FORCE_COLOR": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    said = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert f"The root of {root.name} is mounted read-only: mount it writable (mount -o remount,rw). Nothing was" in said
    assert "Traceback" not in said
