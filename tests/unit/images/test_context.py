# SPDX-License-Identifier: Apache-2.0
"""What is sent to the engine, and the key of it."""

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
from tests.tiny_images import tiny

STEERING = {context.DOCKERFILE, context.IGNORE}
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
        return {member.name: member for member in tar if member.name not in STEERING}


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


def test_the_dockerfile_is_sent_and_excluded_from_what_it_copies(project: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(sent(project))) as tar:
        texts = {member.name: tar.extractfile(member) for member in tar}
        found = {name: file.read().decode() for name, file in texts.items() if file}
    assert found[context.DOCKERFILE] == "FROM scratch\n"
    assert set(found[context.IGNORE].split()) == STEERING


def test_the_archive_does_not_tell_when_where_and_by_whom_it_was_made(project: Path, tmp_path: Path) -> None:
    before = sent(project, "service.py", "run.sh", "data")
    os.utime(project / "app/service.py", (1, 1))
    (project / "app/service.py").chmod(0o600)
    os.chown(project / "app/run.sh", 1234, 1234)
    (project / "app/data/__pycache__").mkdir()
    (project / "app/data/__pycache__/rows.pyc").touch()
    os.link(project / "app/service.py", project / "app/linked-elsewhere")
    assert sent(project, "data", "run.sh", "service.py", "service.py") == before


def test_hard_links_are_sent_as_files(project: Path) -> None:
    os.link(project / "app/service.py", project / "app/service2.py")
    assert all(member.isfile() for member in members(sent(project, "service.py", "service2.py")).values())


def test_what_the_build_sees_of_a_file_is_its_mode_for_git(project: Path) -> None:
    modes = {name: member.mode for name, member in members(sent(project, "run.sh", "service.py")).items()}
    assert modes == {"run.sh": 0o755, "service.py": 0o644}


def test_a_missing_file_is_named_with_its_folder(project: Path) -> None:
    assert refusal(project, "servce.py").startswith(f"app: the context includes servce.py, and {project}/app has none")


@pytest.mark.parametrize("leads_to", ["../secret", "/etc/passwd", "../../../etc/passwd"])
def test_a_link_out_of_the_folder_is_refused(project: Path, leads_to: str) -> None:
    (project / "app/data/link").symlink_to(leads_to if leads_to.startswith("/") else f"../{leads_to}")
    assert f"{project}/app/data/link leads to" in refusal(project, "data")


def test_an_absolute_link_leads_elsewhere_in_the_image_and_is_refused(project: Path) -> None:
    (project / "app/link").symlink_to(project / "app/service.py")
    assert "make the link a relative one" in refusal(project, "link")


def test_a_file_beside_the_folder_is_refused(project: Path) -> None:
    assert "out of the context" in refusal(project, "../secret")


def test_a_relative_link_within_the_folder_stays_a_link(project: Path) -> None:
    (project / "app/link").symlink_to("service.py")
    assert members(sent(project, "link"))["link"].linkname == "service.py"


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


MADE_WITH: dict[str, str | None] = {"BASE": "sha256:1", "network": None, "version": "1"}


@pytest.mark.parametrize("name", MADE_WITH)
def test_the_key_changes_with_whatever_the_image_is_made_with(name: str) -> None:
    assert content_key(b"archive", MADE_WITH) != content_key(b"archive", {**MADE_WITH, name: "other"})


def test_the_key_changes_with_content_mode_and_dockerfile(project: Path) -> None:
    keys = {content_key(sent(project, "service.py"), MADE_WITH)}
    (project / "app/service.py").chmod(0o755)
    keys.add(content_key(sent(project, "service.py"), MADE_WITH))
    (project / "app/service.py").write_text("changed")
    keys.add(content_key(sent(project, "service.py"), MADE_WITH))
    image = tiny("app", context=Context("app", ("service.py",)))
    keys.add(content_key(context.archive(image, "FROM other\n", project), MADE_WITH))
    assert len(keys) == 4


def test_no_two_sets_of_files_have_the_same_key_by_their_borders(project: Path) -> None:
    (project / "app/a").write_text("b")
    (project / "app/ab").write_text("")
    assert content_key(sent(project, "a"), MADE_WITH) != content_key(sent(project, "ab"), MADE_WITH)
