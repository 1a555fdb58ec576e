# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A user who replaces files during a check or a seal, or has huge files, can neither block nor mislead it."""

import contextlib
import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import artefacts, check
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import Tree, TreeError
from ansible_collections.slipway.platform.plugins.module_utils.sealing import seal

from tests.support.exchanged_files import ended_after, exchanged, exchanged_at
from tests.unit.plugins.module_utils.machine_image.conftest import as_root, found, plant, sealed

USER = 65534
PROXY = "proxy = http://10.0.0.1:3128\n"


@pytest.mark.parametrize(
    "name", [".curlrc", ".bashrc", ".docker/config.json", "notes"], ids=["proxy", "shell", "helpers", "credentials"]
)
@pytest.mark.parametrize("action", [os.mkfifo, lambda path: path.symlink_to("/dev/null")], ids=["pipe", "link"])
def test_the_checker_neither_blocks_on_pipes_nor_follows_links(
    root: Path, name: str, action: Callable[[Path], object]
) -> None:
    planted = plant(root, f"home/alice/{name}", "{}")
    with pytest.raises(TreeError, match=f"{name} cannot be read"), exchanged(planted, action):
        found(root)


def test_the_checker_lists_no_directory_outside_the_tree(root: Path) -> None:
    outside = plant(root.parent, "outside/.netrc", "machine a login b password c0rrect").parent
    (root / "home/alice/folder").mkdir()
    with exchanged(root / "home/alice/folder", lambda path: path.symlink_to(outside)):
        assert found(root) == []


@pytest.mark.parametrize("name", ["etc/docker/daemon.json", "etc/systemd/system-preset/00-a.preset", "etc/shadow"])
def test_a_pipe_in_the_image_does_not_block_the_checker(root: Path, name: str) -> None:
    """Fault: a user puts a pipe where the seal or the checker reads. Outcome: named; nothing hangs."""
    plant(root, name).unlink()
    os.mkfifo(root / name)
    with ended_after(10), contextlib.suppress(TreeError):
        found(root)


def test_a_pipe_in_place_of_a_raw_image_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "disk.raw")
    with ended_after(10), pytest.raises(TreeError, match="is neither a raw disk"):
        found(tmp_path / "disk.raw")


@pytest.mark.parametrize("name", [".bashrc", ".gitconfig"])
def test_a_huge_file_is_reported_and_not_read(root: Path, name: str, little_memory: None) -> None:
    """Fault: a user puts a file of gigabytes where the seal or the checker reads. Outcome: named, and not read."""
    with plant(root, f"home/alice/{name}").open("r+b") as stream:
        stream.truncate(8 << 30)
    refusal = f"home/alice/{name} cannot be read: it is larger than 1024 KiB: fix or remove it"
    with ended_after(30), pytest.raises(TreeError, match=refusal):
        found(root)


def test_a_huge_config_json_is_removed(root: Path, little_memory: None) -> None:
    config = plant(root, "home/alice/.docker/config.json")
    with config.open("r+b") as stream:
        stream.truncate(8 << 30)
    with ended_after(30):
        assert sealed(root) == ["/home/alice/.docker/config.json"]
    assert not config.exists()


@pytest.mark.parametrize("name", [".curlrc", ".docker/config.json", ".bashrc"])
def test_the_seal_does_not_block_on_pipes(root: Path, name: str) -> None:
    """Fault: a user puts a pipe where the seal or the checker reads. Outcome: named; nothing hangs."""
    planted = plant(root, f"home/alice/{name}", "http_proxy=http://10.0.0.1:3128\n")
    tree = Tree(str(root))
    (violation,) = check.artefact_violations(tree)
    with pytest.raises((seal.SealError, TreeError), match="not a regular file"), exchanged(planted, os.mkfifo):
        seal.refuse_longer_commands(tree, [violation])
        seal.fix(tree, violation)


@as_root
@pytest.mark.parametrize("name", [".curlrc", ".docker/config.json"])
def test_a_system_file_hard_linked_into_a_home_is_not_changed(root: Path, name: str) -> None:
    """If the kernel lets users hard-link files that they do not own, they could have them changed this way."""
    system = plant(root, "etc/system.conf", PROXY)
    link = plant(root, f"home/alice/{name}")
    link.unlink()
    os.link(system, link)
    os.chown(link.parent, USER, USER)
    with pytest.raises(seal.SealError, match="it is a hard link to another user's file"):
        sealed(root)
    assert system.read_text() == PROXY


def test_replacing_the_root_does_not_redirect_the_seal(root: Path) -> None:
    """If its parent directory belongs to a user, they can put another tree in its place: the machine's own."""
    tree = Tree(str(root))
    plant(root, "root/.netrc")
    violations = check.artefact_violations(tree)
    other = root.rename(root.with_name("before")).with_name("root")
    machine = plant(other, "root/.netrc")
    for violation in violations:
        seal.fix(tree, violation)
    assert machine.exists()
    assert not (root.with_name("before") / "root/.netrc").exists()


@as_root
def test_a_link_created_by_a_user_is_refused_as_root(root: Path) -> None:
    home = root.parent / "of-a-user"
    home.mkdir()
    (home / "image").symlink_to(root)
    Tree(str(home / "image"))
    os.chown(home, USER, USER)
    with pytest.raises(TreeError, match="image is a link that another user may have created"):
        Tree(str(home / "image"))


@pytest.mark.parametrize("name", [".aws/credentials", ".docker/config.json"])
def test_at_no_moment_can_a_link_lead_the_seal_out_of_the_image(root: Path, name: str) -> None:
    """The directory is replaced at each step of the listing and the sealing in turn."""
    home, outside = root / "home/alice", plant(root.parent, f"outside/{name}", "of the machine that seals\n")
    planted, folder = home / name, home / Path(name).parent
    (artefact,) = [each for each in artefacts.HOME if {name, f"{folder.name}/**"} & set(each.patterns)]
    for moment in itertools.count():
        plant(home, name)
        tree = Tree(str(root))
        with exchanged_at(moment, folder, outside.parent) as reached, contextlib.suppress(TreeError, seal.SealError):
            for violation in check.violations_below(tree, str(home), artefact):
                seal.fix(tree, violation)
        assert outside.read_text() == "of the machine that seals\n", f"at moment {moment}"
        if not reached:
            break
        folder.unlink(missing_ok=True)
        (home / f"{folder.name}.before").rename(folder)
    assert moment > 10
    assert not planted.exists(), "without interference, it is removed"
