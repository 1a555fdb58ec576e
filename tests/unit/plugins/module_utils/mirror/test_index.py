# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Metadata modelled on that of createrepo_c, which tests/lab runs itself."""

import gzip
import hashlib
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.mirror import index as mirror_index

PRIMARY = """<metadata xmlns="http://linux.duke.edu/metadata/common" packages="1"><package type="rpm"><name>a</name>
<checksum type="sha256" pkgid="YES">{}</checksum><location href="Packages/a.rpm"/></package></metadata>"""
REPOMD = """<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision><data type="primary">
<checksum type="sha256">{}</checksum><location href="repodata/p.xml.gz"/></data></repomd>"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for folder in ("Packages", "repodata"):
        (tmp_path / folder).mkdir()
    (tmp_path / "Packages/a.rpm").write_bytes(b"a package")
    primary = gzip.compress(PRIMARY.format(hashlib.sha256(b"a package").hexdigest()).encode())
    (tmp_path / "repodata/p.xml.gz").write_bytes(primary)
    (tmp_path / "repodata/repomd.xml").write_text(REPOMD.format(hashlib.sha256(primary).hexdigest()))
    return tmp_path


def fits(repository: Path) -> bool:
    packages = [str(path) for path in (repository / "Packages").iterdir()]
    return bool(mirror_index.fits(str(repository), packages))


def test_matching_metadata_is_accepted(repository: Path) -> None:
    assert fits(repository)


def test_a_package_with_different_content_is_detected(repository: Path) -> None:
    (repository / "Packages/a.rpm").write_bytes(b"b package")
    assert not fits(repository)


def test_a_package_missing_from_the_metadata_is_detected(repository: Path) -> None:
    (repository / "Packages/b.rpm").write_bytes(b"")
    assert not fits(repository)


@pytest.mark.parametrize("file", ["repodata/repomd.xml", "repodata/p.xml.gz"])
@pytest.mark.parametrize("content", [None, b"", b"half", b"<repomd/>"])
def test_broken_metadata_is_detected(repository: Path, file: str, content: bytes | None) -> None:
    (repository / file).unlink()
    if content is not None:
        (repository / file).write_bytes(content)
    assert not fits(repository)
