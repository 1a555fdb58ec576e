# SPDX-License-Identifier: Apache-2.0
"""Claims about the content of an image."""

import re

import pytest
from docker.models.images import Image as EngineImage
from testinfra.host import Host

from slipway.images import provenance
from slipway.images.image import Image
from slipway.images.provenance import OCI
from slipway.images.verify import Subject

# A command of each repository's images and the start of its output; {version} is that of the image.
TOOLS = {
    "base": ("tini --version", "tini version"),
    "systemd": ("systemctl --version", "systemd "),
    "python": ("python -V", "Python {version}."),
    "node": ("node --version", "v{version}."),
    "java": ("java -version", 'openjdk version "{version}.'),
    "app": ("python -V", "Python "),
    "toolbox": ("ansible-playbook --version", "ansible-playbook [core "),
}
CACHES = ("/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum", "/root/.cache/pip")
LABELS = {f"{OCI}.revision": r"[0-9a-f]{40}(-dirty)?", f"{OCI}.created": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"}


def test_it_runs_as_the_user_of_the_matrix(image: Image, host: Host) -> None:
    assert host.check_output("id -u") == str(image.user.uid)
    assert host.check_output("id -un") == image.user.name


def test_it_is_not_root_without_a_reason(image: Image, built: EngineImage) -> None:
    user = built.attrs["Config"]["User"].partition(":")[0]
    assert user not in ("", "0", "root") or image.user.root_because


def test_its_tool_has_the_version_of_the_image(image: Image, host: Host) -> None:
    if image.repository not in TOOLS:
        pytest.skip(f"TOOLS has no command for {image.repository}")
    command, printed = TOOLS[image.repository]
    done = host.run(command)
    assert done.rc == 0, done.stderr
    assert (done.stdout + done.stderr).startswith(printed.format(version=image.version))


def test_its_locale_is_utf_8(host: Host) -> None:
    assert host.check_output("locale charmap") == "UTF-8"


def test_its_labels_state_its_source(image: Image, built: EngineImage) -> None:
    assert image.labels.items() <= built.labels.items()
    assert built.labels[f"{OCI}.version"] == image.version
    assert built.labels[f"{OCI}.base.name"]
    for name in provenance.labels():  # empty without git
        assert re.fullmatch(LABELS[name], built.labels[name])


def test_package_caches_are_empty(root: Host) -> None:
    found = root.run(f"find {' '.join(CACHES)} -type f")  # absent ones are fine
    assert found.stdout == ""


def test_no_file_is_setuid_unless_the_matrix_lists_it(image: Image, root: Host) -> None:
    found = root.check_output("find / -xdev -type f -perm /6000")
    assert set(found.splitlines()) <= set(image.setuid)


def test_nothing_but_sticky_folders_is_world_writable(root: Host) -> None:
    assert root.check_output(r"find / -xdev \( -type f -o -type d ! -perm -1000 \) -perm -0002") == ""


def test_it_stays_within_its_size_budget(image: Image, subject: Subject) -> None:
    assert subject.built.added <= image.size_budget
