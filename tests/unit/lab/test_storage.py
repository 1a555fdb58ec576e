# SPDX-License-Identifier: Apache-2.0
"""The choice of storage for the private engine's data, with real mounts in temporary mount namespaces."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.lab.storage import GIB, available_memory

# Mounts a tmpfs at $1 and an overlay in it, makes a root file system at $1/$2, and chooses storage of kinds $3 for it.
CHOICE = """
mount -t tmpfs tmpfs "$1"
cd "$1"
mkdir lower upper work merged
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged
mkdir "$2"
cd "$2"
mkdir usr dev etc
mount --rbind /usr usr
mount --rbind /dev dev
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$folder"; done
exec "$4" -c '
import sys
from pathlib import Path
from slipway.lab import storage
kinds, works = sys.argv[2].split(), storage.works
storage.LEAST_MEMORY = 0
storage.works = lambda root, tried: tried.kind in kinds and works(root, tried)
chosen = storage.choose(Path(sys.argv[1]))
print(chosen.kind, works(Path(sys.argv[1]), chosen), chosen.message)
' "$1/$2" "$3"
"""
needs_mounts = pytest.mark.usefixtures("may_mount")
needs_loop_devices = pytest.mark.skipif(not Path("/dev/loop-control").exists(), reason="no loop devices here")
# Without it, the data is stored in memory: a minimal Debian 13 has none.
needs_mke2fs = pytest.mark.skipif(not shutil.which("mke2fs"), reason="mke2fs is missing: install e2fsprogs")


def choice(folder: Path, root: str, *kinds: str) -> list[str]:
    """Return the chosen kind of these, whether an overlay mount works on it, and the message."""
    program = ["unshare", "--mount", "sh", "-ec", CHOICE, "sh", str(folder), root, " ".join(kinds), sys.executable]
    chosen = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    return chosen.strip("\n").split(" ", 2)


@needs_mounts
def test_the_file_system_of_the_clone_is_used_if_overlay_mounts_work_on_it(tmp_path: Path) -> None:
    assert choice(tmp_path, "root", "direct", "image", "memory") == ["direct", "True", ""]


@needs_mounts
@needs_loop_devices
@needs_mke2fs
def test_on_an_overlay_the_data_is_stored_in_an_image_that_supports_overlay_mounts(tmp_path: Path) -> None:
    kind, works, message = choice(tmp_path, "merged/root", "direct", "image", "memory")
    assert (kind, works) == ("image", "True")
    assert "does not support overlay mounts" in message


@needs_mounts
def test_without_loop_devices_the_data_is_stored_in_memory(tmp_path: Path) -> None:
    kind, works, message = choice(tmp_path, "merged/root", "direct", "memory")
    assert (kind, works) == ("memory", "True")
    assert "in memory (up to" in message


@needs_mounts
def test_the_last_resort_names_its_cost_and_the_remedy(tmp_path: Path) -> None:
    kind, works, message = choice(tmp_path, "merged/root", "direct")
    assert (kind, works) == ("direct", "False")
    assert "about ten minutes" in message
    assert "put the clone on a volume" in message


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({"memory.max": 3 * GIB, "memory.current": GIB}, 2 * GIB),
        ({"memory/memory.limit_in_bytes": 3 * GIB, "memory/memory.usage_in_bytes": GIB}, 2 * GIB),
    ],
    ids=["cgroup v2", "cgroup v1"],
)
def test_a_container_limit_bounds_the_free_memory(files: dict[str, int], free: int, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{content}\n")
    assert available_memory(tmp_path) == min(free, available_memory(tmp_path / "nothing"))


def test_max_means_no_limit(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("4096\n")
    assert available_memory(tmp_path) > 4096
