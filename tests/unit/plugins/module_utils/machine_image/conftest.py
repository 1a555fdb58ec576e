# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""A minimal operating system, and functions to check and seal it."""

import os
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import Tree
from ansible_collections.slipway.platform.plugins.module_utils.sealing import seal

from tests.support.presets import DISABLE_ALL

ENABLED = "etc/systemd/system/multi-user.target.wants/docker.service"
PASSWD = (
    "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\nnobody:x:65534:65534::/:/sbin/nologin\n"
)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of files")


def plant(root: Path, path: str, content: str = "planted\n") -> Path:
    """Write a file in the image, creating parent directories."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def found(root: Path, **options: object) -> list[str]:
    """Return the messages of the checker."""
    return [check.describe(violation) for violation in check.check_path(str(root), **options)]


def sealed(root: Path, keep_keys_of: tuple[str, ...] = (), keep_passwords_of: tuple[str, ...] = ()) -> list[str]:
    """Seal the image; return the paths that were changed."""
    tree = Tree(str(root))
    violations = check.artefact_violations(tree, keep_keys_of, keep_passwords_of)
    for violation in violations:
        seal.fix(tree, violation, keep_passwords_of)
    seal.write_preset(tree, [])
    return [tree.inside(violation.path) for violation in violations]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root file system without violations, as test_a_minimal_system_has_no_violations says."""
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
    return root
