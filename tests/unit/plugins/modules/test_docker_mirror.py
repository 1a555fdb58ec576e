# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The key that a mirror verifies by, and serves."""

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import openpgp
from ansible_collections.slipway.platform.plugins.module_utils.packages.repository_key import KeyFileError
from ansible_collections.slipway.platform.plugins.modules.docker_mirror import Mirror

from tests.support.key_files import hidden, packet

BODIES = [b"\x04" + bytes(4) + b"\x16\x05" + name for name in (b"pinned", b"foreign")]
PINNED, FOREIGN = map(packet, BODIES)
PIN = openpgp.fingerprint(BODIES[0])


def key(source_root: Path, received: bytes, **params: Any) -> bytes:
    (source_root / "centos").mkdir(exist_ok=True)
    (source_root / "centos/gpg").write_bytes(received)
    mirror = Mirror.__new__(Mirror)
    mirror.params = {"source_root": str(source_root), "gpg_key": None, "gpg_fingerprint": [PIN], "proxy": None}
    mirror.params.update(params)
    found: bytes = mirror.key("centos")
    return found


def test_the_key_is_served_in_canonical_form(tmp_path: Path) -> None:
    assert key(tmp_path, PINNED) == openpgp.canonical(PINNED, [PIN])


@pytest.mark.parametrize("own", [False, True], ids=["of the source", "by docker_mirror_gpg_key"])
@pytest.mark.parametrize("way", hidden(b"", b""))
def test_a_key_file_that_hides_a_second_key_is_refused(tmp_path: Path, way: str, own: bool) -> None:
    """Fault: the source of a mirror serves a key file with a hidden second key. Outcome: refused in one sentence."""
    received = hidden(PINNED, FOREIGN)[way]
    with pytest.raises(KeyFileError) as refused:
        key(tmp_path, received, **({"gpg_key": str(tmp_path / "centos/gpg")} if own else {}))
    assert str(refused.value).startswith(f"the key at {tmp_path}/centos/gpg ")
    assert str(refused.value).splitlines() == [str(refused.value)]
