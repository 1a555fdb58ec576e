# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.images import build_context
from ansible_collections.slipway.platform.plugins.module_utils.registry.names import HUB_KEY

from tests.support.exchanged_files import ended_after, exchanged

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of files")
USER = 65534
SECRET = b"what only root may read"


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


def test_times_do_not_change_key_or_archive(folder: Path) -> None:
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
def test_anything_that_may_change_the_image_changes_the_key(folder: Path, change: Callable[[Path], object]) -> None:
    (folder / "data/file").chmod(0o644)
    key = build_context.content_key(str(folder))
    change(folder)
    assert build_context.content_key(str(folder)) != key


def test_the_archive_holds_the_folder_owned_by_root(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive(folder))) as tar:
        assert tar.getnames() == ["Dockerfile", "data", "link", "data/file"]
        assert {(member.uid, member.gid, member.mtime) for member in tar.getmembers()} == {(0, 0, 0)}
        assert tar.getmember("link").linkname == "data/file"
        content = tar.extractfile("data/file")
        assert content
        assert content.read() == b"content"


def test_an_invalid_build_context_is_rejected(folder: Path) -> None:
    build_context.require_folder(str(folder))
    for path, reason in ((f"{folder}/absent", "does not exist"), (f"{folder}/data", "Dockerfile")):
        with pytest.raises(build_context.ContextError, match=reason):
            build_context.require_folder(path)
    (folder / ".dockerignore").touch()
    with pytest.raises(build_context.ContextError, match="dockerignore, which is not supported"):
        build_context.require_folder(str(folder))


def test_registries_of_base_images_are_found(folder: Path) -> None:
    lines = (
        "FROM --platform=linux/amd64 r.example.com:5000/a:1 AS one",
        "RUN echo FROM x.example.com/a",
        "from alpine",
    )
    (folder / "Dockerfile").write_text("\n".join([*lines, "FROM $BASE", "FROM y.example.com/a:$TAG"]))
    assert build_context.base_registries(str(folder)) == {"r.example.com:5000", HUB_KEY}


@pytest.mark.parametrize(
    "text", ["# not continued \\\nFROM r.example.com/a", "FROM \\\n  # of r.example.com\n  r.example.com/a\n"]
)
def test_a_comment_hides_no_base_image(folder: Path, text: str) -> None:
    (folder / "Dockerfile").write_text(text)
    assert build_context.base_registries(str(folder)) == {"r.example.com"}


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch\n",
        "from Scratch as one\nFROM one\nFROM ONE AS two",
        "FROM r.example.com/a AS base\r\nFROM base\r\n",
        "FROM \\\n  r.example.com/a \\\n AS base\nFROM base",
    ],
)
def test_scratch_and_stages_are_of_no_registry(folder: Path, text: str) -> None:
    """Fault: the default credential helper is missing, and an image is built FROM scratch. Outcome: it is built."""
    (folder / "Dockerfile").write_bytes(text.encode())
    assert build_context.base_registries(str(folder)) <= {"r.example.com"}
    assert bool(build_context.base_registries(str(folder))) == ("r.example.com" in text)


def test_a_pipe_in_the_folder_is_rejected(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(build_context.ContextError, match="pipe is not a file"):
        build_context.content_key(str(folder))


@pytest.fixture
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A valid build context that only root can read."""
    secret = tmp_path_factory.mktemp("secret")
    for name in ("file", "Dockerfile"):
        (secret / name).write_bytes(SECRET)
        (secret / name).chmod(0o600)
    return secret


@pytest.mark.parametrize("name", ["data/file", "data", "Dockerfile"])
def test_a_link_that_replaces_a_file_during_the_read_is_not_followed(folder: Path, secret: Path, name: str) -> None:
    """Fault: a user replaces a file, the build folder or its path by a link while root builds. Outcome: refused;
    nothing outside the folder is read.
    """
    target = secret if name == "data" else secret / "file"
    written = io.BytesIO()
    with (
        pytest.raises(build_context.ContextError, match="cannot be read"),
        exchanged(folder / name, lambda path: path.symlink_to(target)),
    ):
        build_context.write_archive(str(folder), written)
    assert SECRET not in written.getvalue()


@pytest.mark.parametrize("name", ["data/file", "data"])
def test_a_pipe_that_replaces_a_file_during_the_read_does_not_block(folder: Path, name: str) -> None:
    """Fault: a user replaces a file of a build folder by a pipe while root builds. Outcome: refused; nothing hangs."""
    with pytest.raises(build_context.ContextError, match="cannot be read"), exchanged(folder / name, os.mkfifo):
        build_context.content_key(str(folder))


def test_reading_the_dockerfile_neither_blocks_nor_leaves_the_folder(folder: Path, secret: Path) -> None:
    for action in (os.mkfifo, lambda path: path.symlink_to(secret / "file")):
        with pytest.raises(build_context.ContextError), exchanged(folder / "Dockerfile", action):
            build_context.base_registries(str(folder))
        (folder / "Dockerfile.before").rename(folder / "Dockerfile")
    (folder / "Dockerfile").unlink()
    (folder / "Dockerfile").symlink_to(secret / "Dockerfile")
    with pytest.raises(build_context.ContextError, match="has no usable Dockerfile"):
        build_context.require_folder(str(folder))


def test_the_dockerfile_may_be_a_link_within_the_folder(folder: Path) -> None:
    (folder / "Dockerfile").rename(folder / "data/Dockerfile.site")
    (folder / "Dockerfile").symlink_to("data/Dockerfile.site")
    (folder / "data/Dockerfile.site").write_text("FROM r.example.com/a\n")
    build_context.require_folder(str(folder))
    assert build_context.base_registries(str(folder)) == {"r.example.com"}


@as_root
@pytest.mark.parametrize(("owner", "mode"), [(USER, 0o755), (0, 0o757), (0, 0o1777)])
def test_links_created_by_other_users_are_not_followed(folder: Path, secret: Path, owner: int, mode: int) -> None:
    """Fault: a user replaces a file, the build folder or its path by a link while root builds. Outcome: refused;
    nothing outside the folder is read.

    Links at the folder's own path, and above it.
    """
    home = folder / "home"
    home.mkdir()
    (home / "app").symlink_to(secret)
    (home / "above").symlink_to(secret.parent)
    build_context.content_key(str(home / "app"))
    os.chown(home, owner, owner)
    home.chmod(mode)
    for path in (home / "app", home / "above" / secret.name):
        with pytest.raises(build_context.ContextError, match="is a link that another user may have created"):
            build_context.content_key(str(path))
        with pytest.raises(build_context.ContextError, match="is a link that another user may have created"):
            build_context.require_folder(str(path))


@as_root
def test_a_root_only_file_that_a_user_may_have_placed_is_rejected(folder: Path) -> None:
    """A user who can write to the directory of such a file can move or link it, without being able to read it."""
    data, file = folder / "data", folder / "data/file"
    os.chown(data, USER, USER)
    build_context.content_key(str(folder))
    file.chmod(0o600)
    with pytest.raises(build_context.ContextError, match="data/file is readable by root only"):
        build_context.content_key(str(folder))
    os.chown(file, USER, USER)
    build_context.content_key(str(folder))
    os.chown(data, 0, 0)
    data.chmod(0o777)
    os.chown(file, 0, 0)
    build_context.content_key(str(folder))
    os.link(file, data / "again")
    with pytest.raises(build_context.ContextError, match="data/again is readable by root only"):
        build_context.content_key(str(folder))


def test_an_oversized_file_is_rejected(folder: Path) -> None:
    with (folder / "data/file").open("wb") as stream:
        stream.truncate(1 << 40)
    with ended_after(10), pytest.raises(build_context.ContextError, match="holds more than 16 GiB"):
        build_context.content_key(str(folder))


def test_the_archive_has_the_key_of_its_content(folder: Path) -> None:
    key = build_context.content_key(str(folder))
    written = io.BytesIO()
    assert build_context.write_archive(str(folder), written) == key
    (folder / "data/file").write_text("something else")
    assert build_context.write_archive(str(folder), written) != key
