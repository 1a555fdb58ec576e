# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""The files are modelled on what kernels and depmod write; they were not recorded on real hosts."""

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.preflight import kernels

# /proc/modules of a host with a running engine.
LOADED = """\
xt_conntrack 12288 1 - Live 0x0000000000000000
xt_addrtype 12288 2 - Live 0x0000000000000000
nft_compat 24576 4 - Live 0x0000000000000000
"""
NOT_LOADED = "nft_compat 24576 4 - Live 0x0000000000000000\nxt_addrtype_like 12288 0 - Live 0x0000000000000000\n"
# modules.dep of EL 9, where kernel-modules-core has the module, and of EL 10 without and with kernel-modules-extra.
EL9 = """\
kernel/net/netfilter/xt_addrtype.ko.xz:
kernel/net/netfilter/xt_conntrack.ko.xz: kernel/net/netfilter/nf_conntrack.ko.xz
"""
EL10 = """\
kernel/net/netfilter/nft_compat.ko.xz:
kernel/net/netfilter/xt_conntrack.ko.xz: kernel/net/netfilter/nf_conntrack.ko.xz
"""
EL10_EXTRA = EL10 + "extra/net/netfilter/xt_addrtype.ko.xz: kernel/net/netfilter/x_tables.ko.xz\n"
UNCOMPRESSED = "kernel/net/netfilter/xt_addrtype.ko: kernel/net/netfilter/x_tables.ko\n"
BUILT_IN = EL10 + "kernel/net/netfilter/xt_addrtype.ko\n"
ONLY_NEEDED_BY_ANOTHER = "extra/other.ko.xz: kernel/net/netfilter/xt_addrtype.ko.xz\n"
OLD, RUNNING, NEW = (f"6.12.0-{build}.el10.x86_64" for build in (9, 55, 124))


@pytest.fixture
def system(tmp_path: Path) -> Any:
    """Make a folder of kernels of modules.dep by release, and return what lacks the module."""

    def of(installed: dict[str, str], baking: bool = False, loaded: str = NOT_LOADED) -> list[tuple[str, bool]]:
        (tmp_path / "loaded").write_text(loaded)
        for release, text in installed.items():
            (tmp_path / "modules" / release).mkdir(parents=True, exist_ok=True)
            (tmp_path / "modules" / release / "modules.dep").write_text(text)
        found = kernels.lacking(RUNNING, baking, str(tmp_path / "modules"), str(tmp_path / "loaded"))
        return [(lack.kernel, lack.decisive) for lack in found]

    return of


@pytest.mark.parametrize("text", [LOADED, EL9, EL10_EXTRA, UNCOMPRESSED, BUILT_IN])
def test_a_module_is_found_loaded_built_in_or_on_disk(text: str) -> None:
    assert kernels.lists_module(text, "xt_addrtype")


@pytest.mark.parametrize("text", ["", NOT_LOADED, EL10, ONLY_NEEDED_BY_ANOTHER])
def test_a_module_that_is_only_mentioned_is_not_found(text: str) -> None:
    assert not kernels.lists_module(text, "xt_addrtype")


def test_a_module_that_is_built_in_is_not_in_modules_dep(tmp_path: Path) -> None:
    assert kernels.has_module(str(tmp_path)) is None
    (tmp_path / "modules.dep").write_text(EL10)
    assert kernels.has_module(str(tmp_path)) is False
    (tmp_path / "modules.builtin").write_text(BUILT_IN)
    assert kernels.has_module(str(tmp_path)) is True


def test_the_running_kernel_and_the_newest_one_are_looked_at(system: Any) -> None:
    """Fault: a kernel without xt_addrtype (EL 10), the running one or that of the next boot. Outcome: its
    kernel-modules-extra comes with the engine, in the same transaction.
    """
    assert system({OLD: EL10, RUNNING: EL10_EXTRA, NEW: EL10_EXTRA}) == []
    assert system({OLD: EL10, RUNNING: EL10, NEW: EL10_EXTRA}) == [(RUNNING, True)]
    assert system({OLD: EL10, RUNNING: EL10, NEW: EL10}) == [(NEW, False), (RUNNING, True)]
    assert system({OLD: EL10, RUNNING: EL10, NEW: EL10}, loaded=LOADED) == [(NEW, False)]


def test_every_kernel_of_an_image_is_looked_at(system: Any) -> None:
    """Fault: an image of EL 10 whose kernels lack xt_addrtype. Outcome: their kernel-modules-extra is installed while
    baking; the build host's kernel does not count.
    """
    installed = {OLD: EL10_EXTRA, RUNNING: EL10, NEW: EL10}
    assert system(installed, baking=True, loaded=LOADED) == [(NEW, True), (RUNNING, False)]


def test_invisible_modules_are_not_reported(system: Any) -> None:
    assert system({}) == []
    assert system({}, baking=True) == []
    for loaded in (LOADED, NOT_LOADED):
        assert system({NEW: EL10}, loaded=loaded) == [], "a container with a kernel of its own"


@pytest.mark.parametrize(
    ("kernel", "package"),
    [
        (RUNNING, "kernel-modules-extra-6.12.0-55.el10"),
        ("6.12.0-55.el10.aarch64+64k", "kernel-64k-modules-extra-6.12.0-55.el10"),
        ("6.12.0-55.el10.x86_64+rt", "kernel-rt-modules-extra-6.12.0-55.el10"),
        ("6.12.0-100.28.2.el10uek.x86_64", "kernel-uek-modules-extra-6.12.0-100.28.2.el10uek"),
    ],
)
def test_the_package_of_a_kernel_has_its_build(kernel: str, package: str) -> None:
    assert kernels.package_of(kernel) == package


def test_a_kernel_that_no_repository_has_the_package_for_is_reported_with_the_remedies() -> None:
    sentence = kernels.message(kernels.Lack(RUNNING, kernels.package_of(RUNNING), decisive=True))
    for words in (
        f"kernel {RUNNING} has no module xt_addrtype",
        "no enabled repository has kernel-modules-extra-6.12.0-55.el10",
        "run dnf update",
        "firewall-backend: nftables",
        "without swarm, with net.ipv4.ip_forward=1",
    ):
        assert words in sentence
    other = kernels.message(kernels.Lack(NEW, kernels.package_of(NEW), decisive=False))
    assert "which is installed too" in other
    assert "remove this kernel" in other
