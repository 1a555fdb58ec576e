# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Each line of the list of what must not ship is found, and sealed."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check, seal
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import Tree, TreeError

from tests.unit.plugins.module_utils.machine_image.conftest import found, plant, sealed

HOMES = ["root", "home/alice", "etc/skel"]
ARTEFACTS = [
    "etc/machine-id",
    "var/lib/dbus/machine-id",
    "etc/ssh/ssh_host_ed25519_key",
    "etc/ssh/ssh_host_ed25519_key.pub",
    "etc/hostname",
    "var/lib/cloud/instances/i-0abc/user-data.txt",
    "var/lib/cloud/seed/nocloud/meta-data",
    "var/log/cloud-init.log",
    "var/lib/slipway/firstboot/applied.json",
    "var/lib/dhclient/dhclient--eth0.lease",
    "var/lib/NetworkManager/internal-eth0.lease",
    "var/lib/NetworkManager/secret_key",
    "etc/NetworkManager/system-connections/eth0.nmconnection",
    "var/cache/dnf/baseos/repodata/repomd.xml",
    "var/lib/dnf/history.sqlite",
    "var/log/wtmp",
    "var/log/btmp",
    "var/log/lastlog",
    "var/log/secure",
    "var/log/messages",
    "var/log/audit/audit.log",
    "var/log/journal/0123/system.journal",
    "tmp/left/behind",
    "var/tmp/.hidden",
    "var/lib/systemd/coredump/core.bash.zst",
    "var/lib/systemd/random-seed",
    "var/lib/systemd/credential.secret",
    "etc/pip.conf",
    "etc/profile.d/proxy.sh",
    "etc/passwd-",
    "etc/shadow-",
    "root/anaconda-ks.cfg",
    "etc/docker/key.json",
    "var/lib/docker/engine-id",
    "var/lib/docker/swarm/docker-state.json",
    "var/lib/docker/network/files/local-kv.db",
    *(
        f"{home}/{file}"
        for home in HOMES
        for file in (
            ".ssh/authorized_keys",
            ".bash_history",
            ".python_history",
            ".docker/config.json",
            ".aws/credentials",
            ".ansible/tmp/x/AnsiballZ_setup.py",
            ".netrc",
            ".config/pip/pip.conf",
            ".pypirc",
        )
    ),
]


@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_an_artefact_is_found_and_sealed(root: Path, artefact: str) -> None:
    planted = plant(root, artefact)
    (path,) = [line.split(":")[0] for line in found(root)]
    assert f"/{artefact}".startswith(path)  # it, or a folder of nothing else
    assert sealed(root) == [path]
    assert not planted.exists() or planted.read_bytes() == b""
    assert found(root) == []
    assert sealed(root) == []


@pytest.mark.parametrize("file", ["etc/environment", "etc/dnf/dnf.conf", "home/alice/.curlrc", "root/.bashrc"])
@pytest.mark.parametrize("line", ["proxy=http://10.0.0.1:3128", "export HTTPS_PROXY=http://10.0.0.1:3128"])
def test_a_proxy_goes_and_the_lines_around_it_stay(root: Path, file: str, line: str) -> None:
    planted = plant(root, file, f"first=1\n{line}\n# proxy= is explained here\n")
    assert [sentence.split(":")[0] for sentence in found(root)] == [f"/{file}"]
    sealed(root)
    assert found(root) == []
    assert planted.read_text() == "first=1\n# proxy= is explained here\n"


def test_a_credential_helper_stays_named_and_a_login_beside_it_goes(root: Path) -> None:
    helpers = {"credHelpers": {"https://index.docker.io/v1/": "slipway"}}
    config = plant(root, "home/alice/.docker/config.json", json.dumps(helpers))
    assert found(root) == []
    config.write_text(json.dumps({**helpers, "auths": {"registry.internal": {"identitytoken": "4711"}}}))
    assert found(root) == ["/home/alice/.docker/config.json: a login at a registry"]
    sealed(root)
    assert json.loads(config.read_text()) == helpers
    assert found(root) == []


def test_every_violation_is_listed(root: Path) -> None:
    for artefact in ARTEFACTS:
        plant(root, artefact)
    assert len(found(root)) == len(ARTEFACTS), "one line each"
    sealed(root)
    assert found(root) == []


def test_a_machine_id_that_is_missing_or_uninitialized_is_a_violation(root: Path) -> None:
    machine_id = root / "etc/machine-id"
    machine_id.unlink()
    assert found(root) == ["/etc/machine-id: a machine-id that is no empty file"]
    sealed(root)
    assert machine_id.read_bytes() == b""
    machine_id.write_text("uninitialized\n")
    assert len(found(root)) == 1


def test_a_link_to_the_machine_id_may_ship(root: Path) -> None:
    (root / "var/lib/dbus").mkdir(parents=True)
    (root / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    assert found(root) == []


def test_a_missing_preset_is_a_violation(root: Path) -> None:
    (root / check.PRESET).unlink()
    assert [line.split(":")[0] for line in found(root)] == [f"/{check.PRESET}"]
    sealed(root)
    assert found(root) == []


def test_systemd_keeps_the_units_of_the_preset_enabled(root: Path) -> None:
    for name in ("docker.service", "other.service"):
        plant(root, f"usr/lib/systemd/system/{name}", "[Install]\nWantedBy=multi-user.target\n")
    plant(root, "usr/lib/systemd/system-preset/99-default.preset", "disable *\n")
    sealed(root)
    subprocess.run(["systemctl", f"--root={root}", "preset-all", "--preset-mode=full"], check=True, capture_output=True)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    assert [path.name for path in wants.iterdir()] == ["docker.service"]


def test_a_log_keeps_its_place(root: Path) -> None:
    log = plant(root, "var/log/audit/audit.log")
    log.chmod(0o600)
    before = log.stat()
    with log.open("a") as still_open:
        sealed(root)
        assert (log.stat().st_ino, log.stat().st_mode, log.stat().st_size) == (before.st_ino, before.st_mode, 0)
        assert os.fstat(still_open.fileno()).st_size == 0


def test_keys_of_named_users_stay(root: Path) -> None:
    kept, gone = plant(root, "home/alice/.ssh/authorized_keys"), plant(root, "root/.ssh/authorized_keys")
    assert sealed(root, ("alice",)) == ["/root/.ssh/authorized_keys"]
    assert kept.exists() and not gone.exists()
    assert found(root, keep_keys_of=["alice"]) == []


def test_the_engine_s_data_root_is_the_configured_one(root: Path) -> None:
    plant(root, "etc/docker/daemon.json", '{"data-root": "/srv/docker"}')
    plant(root, "srv/docker/engine-id")
    assert sealed(root) == ["/srv/docker/engine-id"]


@pytest.mark.parametrize("folder", [".docker", ".aws", ".ssh", ".config", ".ansible"])
def test_a_link_that_a_user_plants_leads_the_seal_nowhere(root: Path, folder: str) -> None:
    """To the system's files in the image, and to those of the machine that seals it."""
    outside = plant(root.parent, "outside/config.json")
    within = [plant(root, f"etc/planted/{name}") for name in ("config.json", "credentials", "authorized_keys")]
    for target in ("/etc/planted", str(outside.parent), "../../../outside"):
        link = root / "home/alice" / folder
        link.symlink_to(target)
        sealed(root)
        assert outside.exists() and all(path.exists() for path in within)
        assert found(root) == []
        link.unlink(missing_ok=True)


def test_a_link_in_a_temporary_folder_goes_and_its_target_stays(root: Path) -> None:
    outside = plant(root.parent, "outside/file")
    (root / "tmp/link").symlink_to(outside.parent)
    assert sealed(root) == ["/tmp/link"]
    assert outside.exists()


@pytest.mark.parametrize("target", ["/data/log", "../../data/log"])
def test_a_link_of_the_image_means_the_image(root: Path, target: str) -> None:
    outside = plant(root.parent, "data/log/messages", "of the machine that seals\n")
    inside = plant(root, "data/log/messages", "of the image\n")
    (root / "var/log").rename(root / "var/old")
    (root / "var/log").symlink_to(target)
    sealed(root)
    assert inside.read_text() == ""
    assert outside.read_text() == "of the machine that seals\n"


def test_what_is_no_operating_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match="has no etc/passwd: name the root of an operating system"):
        found(tmp_path)
    with pytest.raises(TreeError, match="does not exist"):
        found(tmp_path / "none")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_an_image_that_is_mounted_read_only_is_refused(root: Path) -> None:
    log = plant(root, "var/log/secure")
    subprocess.run(["mount", "--bind", root, root], check=True)
    try:
        subprocess.run(["mount", "--options", "remount,bind,ro", root], check=True)
        with pytest.raises(TreeError, match="is mounted read-only: mount it writable"):
            seal.refuse_read_only(Tree(str(root)))
        assert found(root), "the checker needs no more than to read"
    finally:
        subprocess.run(["umount", root], check=True)
    assert log.read_text()
