# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import build_context
from ansible_collections.slipway.platform.plugins.module_utils.registry_names import HUB_KEY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/file").write_text("content")
    (tmp_path / "link").symlink_to("data/file")
    return tmp_path


def archive(folder: Path) -> bytes:
    target = io.BytesIO()
    build_context.write_archive(str(folder), target)
    return target.getvalue()


def test_neither_owners_nor_times_count(folder: Path) -> None:
    key, packed = build_context.content_key(str(folder)), archive(folder)
    os.utime(folder / "data/file", (1, 1))
    assert build_context.content_key(str(folder)) == key
    assert archive(folder) == packed


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "data/file").write_text("contenT"),
        lambda folder: (folder / "data/file").chmod(0o755),
        lambda folder: (folder / "data/file").rename(folder / "data/other"),
        lambda folder: (folder / "data/empty").mkdir(),
        lambda folder: ((folder / "link").unlink(), (folder / "link").symlink_to("data")),
    ],
    ids=["content", "mode", "name", "empty folder", "link"],
)
def test_whatever_could_make_another_image_makes_another_key(folder: Path, change: Callable[[Path], object]) -> None:
    (folder / "data/file").chmod(0o644)
    key = build_context.content_key(str(folder))
    change(folder)
    assert build_context.content_key(str(folder)) != key


def test_the_archive_holds_the_folder_as_root_s(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive(folder))) as tar:
        assert tar.getnames() == ["Dockerfile", "data", "link", "data/file"]
        assert {(member.uid, member.gid, member.mtime) for member in tar.getmembers()} == {(0, 0, 0)}
        assert tar.getmember("link").linkname == "data/file"
        content = tar.extractfile("data/file")
        assert content
        assert content.read() == b"content"


def test_a_folder_that_nothing_can_be_built_from_is_refused(folder: Path) -> None:
    build_context.require_folder(str(folder))
    for path, reason in ((f"{folder}/absent", "does not exist"), (f"{folder}/data", "Dockerfile")):
        with pytest.raises(build_context.ContextError, match=reason):
            build_context.require_folder(path)
    (folder / ".dockerignore").touch()
    with pytest.raises(build_context.ContextError, match="dockerignore, which is not read"):
        build_context.require_folder(str(folder))


def test_registries_of_base_images_are_known(folder: Path) -> None:
    lines = (
        "FROM --platform=linux/amd64 r.example.com:5000/a:1 AS one",
        "RUN echo FROM x.example.com/a",
        "from alpine",
    )
    (folder / "Dockerfile").write_text("\n".join([*lines, "FROM $BASE", "FROM y.example.com/a:$TAG"]))
    assert build_context.base_registries(str(folder)) == {"r.example.com:5000", HUB_KEY}


def test_a_pipe_in_the_folder_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(build_context.ContextError, match="pipe is neither"):
        build_context.content_key(str(folder))
