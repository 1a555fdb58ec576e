# SPDX-License-Identifier: Apache-2.0
"""The build context sent to the engine, and its content key."""

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.images import context
from slipway.images.content_key import content_key
from slipway.images.errors import ImageError
from slipway.images.image import Context
from tests.support.tiny_images import tiny

CONTROL_FILES = {context.DOCKERFILE, context.IGNORE}
NAMES = st.text("ab.-_ äß", min_size=1, max_size=8).filter(lambda name: name.strip(".") == name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app/data/deep").mkdir(parents=True)
    for name in ("service.py", "run.sh", "data/deep/rows.csv", "not-sent"):
        (tmp_path / "app" / name).write_text(name)
    (tmp_path / "app/run.sh").chmod(0o744)
    (tmp_path / "secret").write_text("secret")
    return tmp_path


def sent(project: Path, *include: str) -> bytes:
    return context.archive(tiny("app", context=Context("app", include)), "FROM scratch\n", project)


def members(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: member for member in tar if member.name not in CONTROL_FILES}


def refusal(project: Path, *include: str) -> str:
    with pytest.raises(ImageError) as refused:
        sent(project, *include)
    return str(refused.value)


def test_only_what_is_included_is_sent(project: Path) -> None:
    assert list(members(sent(project, "service.py", "data"))) == [
        "data",
        "data/deep",
        "data/deep/rows.csv",
        "service.py",
    ]
    assert members(context.archive(tiny("base"), "FROM scratch\n", project)) == {}


def test_the_dockerfile_is_sent_and_excluded_from_copies(project: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(sent(project))) as tar:
        texts = {member.name: tar.extractfile(member) for member in tar}
        found = {name: file.read().decode() for name, file in texts.items() if file}
    assert found[context.DOCKERFILE] == "FROM scratch\n"
    assert set(found[context.IGNORE].split()) == CONTROL_FILES


def test_the_archive_does_not_depend_on_time_or_leftovers(project: Path) -> None:
    before = sent(project, "service.py", "run.sh", "data")
    os.utime(project / "app/service.py", (1, 1))
    (project / "app/service.py").chmod(0o600)
    (project / "app/data/__pycache__").mkdir()
    (project / "app/data/__pycache__/rows.pyc").touch()
    os.link(project / "app/service.py", project / "app/linked-elsewhere")
    assert sent(project, "data", "run.sh", "service.py", "service.py") == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of files")
def test_the_archive_does_not_depend_on_the_owner(project: Path) -> None:
    before = sent(project, "run.sh")
    os.chown(project / "app/run.sh", 1234, 1234)
    assert sent(project, "run.sh") == before


def test_hard_links_are_sent_as_files(project: Path) -> None:
    os.link(project / "app/service.py", project / "app/service2.py")
    assert all(member.isfile() for member in members(sent(project, "service.py", "service2.py")).values())


def test_files_have_the_mode_that_git_stores(project: Path) -> None:
    modes = {name: member.mode for name, member in members(sent(project, "run.sh", "service.py")).items()}
    assert modes == {"run.sh": 0o755, "service.py": 0o644}


def test_a_missing_file_is_named_with_its_folder(project: Path) -> None:
    assert refusal(project, "servce.py").startswith(
        f"app: the context includes servce.py, which does not exist in {project}/app"
    )


@pytest.mark.parametrize("leads_to", ["../secret", "/etc/passwd", "../../../etc/passwd"])
def test_a_link_out_of_the_folder_is_rejected(project: Path, leads_to: str) -> None:
    (project / "app/data/link").symlink_to(leads_to if leads_to.startswith("/") else f"../{leads_to}")
    assert f"{project}/app/data/link resolves to" in refusal(project, "data")


def test_an_absolute_link_is_rejected(project: Path) -> None:
    (project / "app/link").symlink_to(project / "app/service.py")
    assert "use a relative link" in refusal(project, "link")


@pytest.mark.parametrize("link", ["app", "app/data"])
def test_a_context_that_is_a_link_out_of_the_project_is_rejected(tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "project"
    (elsewhere / Path(link).parent).mkdir(parents=True)
    (elsewhere / link).symlink_to("/etc")
    image = tiny("app", context=Context(link, ("passwd",)))
    with pytest.raises(ImageError, match=f"app: the context {link} resolves to /etc, outside the project"):
        context.archive(image, "FROM scratch\n", elsewhere)


def test_a_link_to_another_folder_of_the_project_is_followed(project: Path) -> None:
    (project / "linked").symlink_to("app")
    image = tiny("app", context=Context("linked", ("service.py",)))
    assert list(members(context.archive(image, "FROM scratch\n", project))) == ["service.py"]


def test_a_file_outside_the_folder_is_rejected(project: Path) -> None:
    assert "outside the context" in refusal(project, "../secret")


def test_a_relative_link_within_the_folder_stays_a_link(project: Path) -> None:
    (project / "app/link").symlink_to("service.py")
    assert members(sent(project, "link"))["link"].linkname == "service.py"


@pytest.mark.parametrize("name", [b"caf\xe9.txt", b"\xff" * 120])
def test_a_file_name_that_is_no_utf_8_is_sent_as_it_is(project: Path, name: bytes) -> None:
    """Fault: a build folder has a file whose name is not UTF-8. Outcome: the file is in the image under its name."""
    data = os.fsencode(project / "app/data")
    Path(os.fsdecode(data + b"/" + name)).write_text("content")
    Path(os.fsdecode(data + b"/link")).symlink_to(os.fsdecode(name))
    archive = sent(project, "data")
    # The engine reads a name of pax as UTF-8, whatever hdrcharset says.
    assert b"hdrcharset" not in archive
    found = members(archive)
    assert found["data/" + os.fsdecode(name)].size == len("content")
    assert found["data/link"].linkname == os.fsdecode(name)


def test_other_names_do_not_change_the_format(project: Path) -> None:
    """The format is part of the content key."""
    (project / "app/data/ä").touch()
    assert b"path=data/\xc3\xa4" in sent(project, "data")


def test_a_link_that_leads_to_itself_is_named(project: Path) -> None:
    (project / "app/data/loop").symlink_to("loop")
    assert refusal(project, "data") == f"app: {project}/app/data/loop is a link that leads to itself: remove it."


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_an_unreadable_file_is_named(project: Path) -> None:
    (project / "app/service.py").chmod(0)
    assert f"the context file {project}/app/service.py cannot be read" in refusal(project, "service.py")


@given(st.dictionaries(NAMES, st.binary(max_size=40), max_size=6))
def test_the_order_of_files_and_of_the_list_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    archives = set()
    for order in (list(files), list(reversed(files))):
        folder = tmp_path_factory.mktemp("project") / "app"
        folder.mkdir()
        for name in order:
            (folder / name).write_bytes(files[name])
        archives.add(sent(folder.parent, *reversed(order)))
    assert len(archives) == 1


INPUTS: dict[str, str | None] = {"BASE": "sha256:1", "network": None, "version": "1"}


@pytest.mark.parametrize("name", INPUTS)
def test_the_key_changes_with_every_other_input(name: str) -> None:
    assert content_key(b"archive", INPUTS) != content_key(b"archive", {**INPUTS, name: "other"})


def test_the_key_changes_with_content_mode_and_dockerfile(project: Path) -> None:
    keys = {content_key(sent(project, "service.py"), INPUTS)}
    (project / "app/service.py").chmod(0o755)
    keys.add(content_key(sent(project, "service.py"), INPUTS))
    (project / "app/service.py").write_text("changed")
    keys.add(content_key(sent(project, "service.py"), INPUTS))
    image = tiny("app", context=Context("app", ("service.py",)))
    keys.add(content_key(context.archive(image, "FROM other\n", project), INPUTS))
    assert len(keys) == 4


def test_moving_bytes_between_name_and_content_changes_the_key(project: Path) -> None:
    (project / "app/a").write_text("b")
    (project / "app/ab").write_text("")
    assert content_key(sent(project, "a"), INPUTS) != content_key(sent(project, "ab"), INPUTS)
