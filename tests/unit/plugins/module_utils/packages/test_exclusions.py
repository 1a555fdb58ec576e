# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The formats of dnf.conf and of version locks are those of dnf 4.23 and dnf5 5.4."""

from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.packages import exclusions

NAMES = ["containerd.io", "docker-ce", "docker-ce-cli"]
LIST = (
    "# Added locks on Mon Nov  2 2026\ndocker-ce-3:20.10.24-1.el9.*\n!docker-ce-cli-1:26.1.4-1.el9.*\nkernel-0:5.14.*\n"
)
TOML = 'version = "1.0"\n\n[[packages]]\nname = "docker-ce"\n[[packages.conditions]]\nkey = "evr"\nvalue = "3:20.10"\n'


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(exclusions, "DNF_CONFIG", str(tmp_path / "dnf.conf"))
    monkeypatch.setattr(exclusions, "DROP_INS", (str(tmp_path / "libdnf5.conf.d/*.conf"),))
    locks = [(str(tmp_path / Path(path).name), entry) for path, entry in exclusions.LOCKS]
    monkeypatch.setattr(exclusions, "LOCKS", locks)
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "clause"),
    [
        ("exclude=docker*", "exclude=docker* in {} hides docker-ce and docker-ce-cli"),
        ("excludepkgs = kernel*, docker-ce", "excludepkgs=kernel*,docker-ce in {} hides docker-ce"),
        ("exclude=kernel*\n  containerd*\nbest=1", "exclude=kernel*,containerd* in {} hides containerd.io"),
        (
            "includepkgs=kernel* docker-ce-26.1* docker-ce-cli*",
            "includepkgs=kernel*,docker-ce-26.1*,docker-ce-cli* in {} hides containerd.io",
        ),
    ],
)
def test_a_setting_that_hides_packages_is_named_with_its_file(etc: Path, settings: str, clause: str) -> None:
    """Fault: an exclude or includepkgs of the host hides the engine's packages. Outcome: refused with the entry and its
    file, before anything is changed.
    """
    (etc / "dnf.conf").write_text(f"[main]\ngpgcheck=1\n{settings}\n[other]\nexclude=containerd.io\n")
    assert exclusions.hidden(NAMES) == [clause.format(etc / "dnf.conf")]


@pytest.mark.parametrize(
    "settings", ["", "exclude=", "exclude=docker-ce-20.10*", "#exclude=docker*", "includepkgs=docker* containerd.io"]
)
def test_other_settings_hide_nothing(etc: Path, settings: str) -> None:
    (etc / "dnf.conf").write_text(f"[main]\n{settings}\n[other]\nexclude=docker*\n")
    assert exclusions.hidden(NAMES) == []
    assert exclusions.remedy(NAMES) == ""


def test_drop_ins_of_dnf5_are_read(etc: Path) -> None:
    (etc / "libdnf5.conf.d").mkdir()
    (etc / "libdnf5.conf.d/20-hold.conf").write_text("[main]\nexcludepkgs=docker-ce\n")
    assert "20-hold.conf hides docker-ce" in exclusions.remedy(NAMES)


def test_version_locks_are_named_with_their_file(etc: Path) -> None:
    (etc / "versionlock.list").write_text(LIST)
    (etc / "versionlock.toml").write_text(TOML)
    assert exclusions.locks(NAMES) == [
        f"docker-ce-3:20.10.24-1.el9.* in {etc}/versionlock.list locks its version",
        f"docker-ce-cli-1:26.1.4-1.el9.* in {etc}/versionlock.list locks its version",
        f"docker-ce in {etc}/versionlock.toml locks its version",
    ]
    assert exclusions.locks(["containerd.io"]) == []
    assert exclusions.remedy(["docker-ce-cli"]).endswith("locks its version: remove the entry, or the packages from it")
