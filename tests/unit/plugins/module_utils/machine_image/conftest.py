# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A small operating system, and the checker and the seal as they come to a host."""

from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check, seal
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import Tree

ENABLED = "etc/systemd/system/multi-user.target.wants/docker.service"
DISABLE_ALL = "usr/lib/systemd/system-preset/99-default-disable.preset"
PASSWD = (
    "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\nnobody:x:65534:65534::/:/sbin/nologin\n"
)


def plant(root: Path, path: str, content: str = "planted\n") -> Path:
    """Write a file of the image, with its folders."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def found(root: Path, **options: object) -> list[str]:
    """Return what the checker says."""
    return [check.sentence(violation) for violation in check.of_path(str(root), **options)]


def sealed(root: Path, keep_keys_of: tuple[str, ...] = ()) -> list[str]:
    """Seal the image; return the paths that were changed."""
    tree = Tree(str(root))
    violations = check.of_artefacts(tree, keep_keys_of)
    for violation in violations:
        seal.amend(tree, violation)
    seal.write_preset(tree, [])
    return [tree.inside(violation.path) for violation in violations]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root file system that may ship."""
    root = tmp_path / "root"
    plant(root, "etc/passwd", PASSWD)
    plant(root, "etc/os-release", "ID=centos\n")
    plant(root, "etc/machine-id", "")
    plant(root, "var/log/messages", "")
    plant(root, "home/alice/.bashrc", "alias ll='ls -l'\n")
    (root / ENABLED).parent.mkdir(parents=True)
    (root / ENABLED).symlink_to("/usr/lib/systemd/system/docker.service")
    plant(root, DISABLE_ALL, "disable *\n")
    plant(root, seal.PRESET, seal.preset([]))
    (root / "tmp").mkdir()
    assert found(root) == []
    return root
