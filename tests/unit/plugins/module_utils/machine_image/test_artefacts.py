# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Each line of the list of what must not ship is found, and sealed."""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils import mount_table
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check, seal
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import Tree, TreeError

from tests.unit.plugins.module_utils.machine_image.conftest import (
    DISABLE_ALL,
    ENABLED,
    PASSWD,
    found,
    plant,
    sealed,
)

HOMES = ["root", "home/alice", "home/gone", "etc/skel"]  # gone has no account any more
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
    "etc/slipway/firstboot-instance.json",
    "var/lib/dhclient/dhclient--eth0.lease",
    "var/lib/NetworkManager/internal-eth0.lease",
    "var/lib/NetworkManager/secret_key",
    "etc/NetworkManager/system-connections/eth0.nmconnection",
    "etc/udev/rules.d/70-persistent-net.rules",
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
    "etc/xdg/pip/pip.conf",
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
            ".local/share/fish/fish_history",
            ".netrc",
            ".git-credentials",
            ".password-store/docker-credential-helpers/aHViCg==/alice.gpg",
            ".gnupg/private-keys-v1.d/0123.key",
            ".local/share/docker/engine-id",
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


PROXY = "=http://10.0.0.1:3128"
# Of each file: a line that sets a proxy.
PROXIES = {
    "etc/environment": f"HTTPS_PROXY{PROXY}",
    "etc/dnf/dnf.conf": f"proxy{PROXY}",
    "etc/systemd/system.conf.d/proxy.conf": f'DefaultEnvironment="http_proxy{PROXY}"',
    "etc/gitconfig": "\tproxy = http://10.0.0.1:3128",
    "root/.gitconfig": "\tproxy = http://10.0.0.1:3128",
    "home/alice/.curlrc": "proxy = http://10.0.0.1:3128",
}
PROXIES_IN_SHELL = {
    "etc/bashrc": f"export http_proxy{PROXY}",
    "etc/profile.d/corporate.sh": f"export HTTPS_PROXY='{PROXY[1:]}' no_proxy=localhost",
    "root/.bashrc": f"http_proxy{PROXY}; export http_proxy # of the bake",
    "home/alice/.zshrc": 'export https_proxy="$http_proxy"',
    "home/alice/.profile": f"ALL_PROXY{PROXY};",
}


@pytest.mark.parametrize(("file", "line"), PROXIES.items(), ids=PROXIES)
def test_a_proxy_goes_and_the_lines_around_it_stay(root: Path, file: str, line: str) -> None:
    planted = plant(root, file, f"first=1\n{line}\n# proxy= is explained here\n")
    assert [sentence.split(":")[0] for sentence in found(root)] == [f"/{file}"]
    sealed(root)
    assert found(root) == []
    assert planted.read_text() == "first=1\n# proxy= is explained here\n"


@pytest.mark.parametrize(("file", "line"), PROXIES_IN_SHELL.items(), ids=PROXIES_IN_SHELL)
def test_a_shell_still_reads_its_file_when_the_proxy_is_gone(root: Path, file: str, line: str) -> None:
    planted = plant(root, file, f"# proxy= is set here\nproxy on\nif true; then\n\t{line}\nfi\nleft=$((1 + 1))\n")
    assert [sentence.split(":")[0] for sentence in found(root)] == [f"/{file}"]
    sealed(root)
    assert found(root) == []
    assert planted.read_text() == "# proxy= is set here\nproxy on\nif true; then\n\t:\nfi\nleft=$((1 + 1))\n"
    subprocess.run(["bash", "-n", planted], check=True)


@pytest.mark.parametrize(
    "lines",
    [
        f"export http_proxy{PROXY} \\\n  PATH=/opt/bin",
        f"export PATH=/opt/bin \\\n  http_proxy{PROXY}",
        f"export http_proxy{PROXY} PATH=/opt/bin",
        f"http_proxy{PROXY} curl -O http://10.0.0.1/file",
        f"http_proxy{PROXY}; if true; then :; fi",
        "http_proxy=$(cat /etc/proxy)",
        'no_proxy="localhost\n10.0.0.1"',
    ],
)
def test_a_proxy_that_is_set_in_a_longer_command_is_refused(root: Path, lines: str) -> None:
    planted = plant(root, "root/.bashrc", f"{lines}\n")
    tree = Tree(str(root))
    refusal = r"root/\.bashrc, line [12] sets a proxy as part of a longer command: take it out by hand"
    with pytest.raises(TreeError, match=refusal):
        seal.refuse_longer_commands(tree, check.of_artefacts(tree))
    sealed(root)
    assert planted.read_text() == f"{lines}\n"
    assert len(found(root)) == 1


@pytest.mark.parametrize(
    "line", ["HWADDR=02:00:00:00:00:01", "UUID=5fb06bd0-0bb0-7ffb-45f1-d6edd65f3e03", "IPADDR=10.0.0.7"]
)
def test_a_connection_that_names_this_machine_goes_and_those_of_any_machine_stay(root: Path, line: str) -> None:
    scripts = "etc/sysconfig/network-scripts"
    plant(root, f"{scripts}/ifcfg-lo", "DEVICE=lo\nIPADDR=127.0.0.1\nNETMASK=255.0.0.0\n")
    plant(root, f"{scripts}/ifcfg-eth1", "DEVICE=eth1\nBOOTPROTO=dhcp\n")
    plant(root, f"{scripts}/ifcfg-eth0", f"DEVICE=eth0\n{line}\n")
    assert found(root) == [f"/{scripts}/ifcfg-eth0: a connection of this machine"]
    sealed(root)
    assert sorted(path.name for path in (root / scripts).iterdir()) == ["ifcfg-eth1", "ifcfg-lo"]
    assert found(root) == []


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


SYSTEM, ADMINISTRATOR = "usr/lib/systemd/system-preset", "etc/systemd/system-preset"


@pytest.mark.parametrize(
    ("presets", "disabling"),
    [
        ({}, DISABLE_ALL),
        ({seal.PRESET: "# enable docker.service\n"}, DISABLE_ALL),
        ({seal.PRESET: "enable docker.*\n"}, None),
        ({f"{SYSTEM}/10-docker.preset": "enable docker.service\n"}, None),
        ({f"{ADMINISTRATOR}/99-default-disable.preset": ""}, None),
        ({f"{ADMINISTRATOR}/05-site.preset": "disable d*.service\n", seal.PRESET: seal.preset([])}, "05-site.preset"),
        ({f"{SYSTEM}/10-docker.preset": "disable docker.service\n", seal.PRESET: seal.preset([])}, None),
        (
            {f"{SYSTEM}/10-docker.preset": "enable docker.service\n", seal.PRESET: "disable\tdocker.service\n"},
            seal.PRESET,
        ),
    ],
)
def test_presets_are_judged_as_systemd_applies_them(root: Path, presets: dict[str, str], disabling: str | None) -> None:
    (root / seal.PRESET).unlink()
    for path, text in presets.items():
        plant(root, path, text)
    listed = found(root)
    if disabling:
        (line,) = listed
        assert line.endswith(f"{disabling}: a first boot would disable docker.service by it")
    else:
        assert listed == []
    plant(root, "usr/lib/systemd/system/docker.service", "[Install]\nWantedBy=multi-user.target\n")
    subprocess.run(["systemctl", f"--root={root}", "preset-all", "--preset-mode=full"], check=True, capture_output=True)
    assert os.path.lexists(root / ENABLED) is not bool(disabling)


def test_a_unit_that_is_not_enabled_needs_no_preset(root: Path) -> None:
    (root / seal.PRESET).unlink()
    (root / ENABLED).unlink()
    assert found(root) == []


def test_units_of_a_site_stay_enabled_too() -> None:
    assert seal.preset(["app.service"]).endswith("enable slipway-metrics.timer\nenable app.service\n")


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


@pytest.mark.parametrize(
    ("artefact", "swapped"),
    [
        ("home/alice/.aws/credentials", "home/alice/.aws"),
        ("home/alice/.docker/config.json", "home/alice"),
        ("home/alice/.curlrc", "home/alice"),
        ("home/alice/.curlrc", "home/alice/.curlrc"),
        ("var/log/app/messages", "var/log/app"),
        ("home/alice/.ssh/authorized_keys/folder/file", "home/alice/.ssh"),
    ],
)
def test_a_link_that_is_put_there_after_the_listing_leads_the_seal_nowhere(
    root: Path, artefact: str, swapped: str
) -> None:
    """A user has the time between the listing and the removal to put a link where a folder was."""
    content = '{"proxy": "x"}\nproxy=http://10.0.0.1:3128\n'
    plant(root, artefact, content)
    tree = Tree(str(root))
    (violation,) = [each for each in check.of_artefacts(tree) if f"/{artefact}".startswith(tree.inside(each.path))]
    outside = root.parent / "outside"
    (root / swapped).rename(outside)
    (root / swapped).symlink_to(outside)
    before = {path: path.read_text() for path in [outside, *outside.rglob("*")] if path.is_file()}
    with pytest.raises(seal.SealError, match=r"cannot be sealed: (Not a directory|Too many levels of symbolic links)"):
        seal.amend(tree, violation)
    assert {path: path.read_text() for path in before} == before


@pytest.mark.parametrize("target", ["/data/log", "../../data/log"])
def test_a_link_of_the_image_means_the_image(root: Path, target: str) -> None:
    outside = plant(root.parent, "data/log/messages", "of the machine that seals\n")
    inside = plant(root, "data/log/messages", "of the image\n")
    (root / "var/log").rename(root / "var/old")
    (root / "var/log").symlink_to(target)
    sealed(root)
    assert inside.read_text() == ""
    assert outside.read_text() == "of the machine that seals\n"


def test_a_link_to_itself_hides_nothing(root: Path) -> None:
    for link in ("home/alice/.config", "home/alice/.aws", "home/bob"):
        (root / link).symlink_to(Path(link).name)
    (root / "etc/passwd").write_text(f"{PASSWD}bob:x:1001:1001::/home/bob:/bin/bash\n")
    assert sealed(root) == ["/home/alice/.aws"]
    assert found(root) == []


def test_a_name_of_any_bytes_is_listed_in_escapes_and_sealed(root: Path) -> None:
    for name in (b"caf\xe9", b"two\nlines", "café".encode()):
        (root / "tmp" / os.fsdecode(name)).touch()
    expected = [rf"/tmp/{name}: a temporary file" for name in ("café", r"caf\xe9", r"two\nlines")]
    assert found(root) == expected
    command = subprocess.run(["slipway-image-check", root], capture_output=True, check=False)
    assert (command.returncode, command.stdout.decode().splitlines()) == (1, expected), command.stderr
    sealed(root)
    assert found(root) == []


def test_folders_may_be_nested_more_deeply_than_functions_are_called(root: Path) -> None:
    keys = root / "home/alice/.ssh/authorized_keys.d"
    keys.mkdir(parents=True)
    subprocess.run(["sh", "-c", "for i in $(seq 250); do mkdir d; cd d; done; touch file"], cwd=keys, check=True)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 150)
    try:
        listed = found(root)
        sealed(root)
    finally:
        sys.setrecursionlimit(limit)
    assert [line.split(":")[0] for line in listed] == ["/home/alice/.ssh/authorized_keys.d"]
    assert not keys.exists()


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


@pytest.fixture
def outside(root: Path) -> Iterator[Path]:
    """A file of the machine that bakes, mounted in the image, and so is the folder that it is in."""
    outside = plant(root.parent, "outside/credentials")
    folders = [root / "home/alice/.aws", root / "var/lib/cloud/data/cache"]
    file = plant(root, "root/.netrc")
    for folder in folders:
        folder.mkdir(parents=True)
        subprocess.run(["mount", "--bind", outside.parent, folder], check=True)
    subprocess.run(["mount", "--bind", outside, file], check=True)
    yield outside
    subprocess.run(["umount", *folders, file], check=True)


WITHOUT_PROC = [
    "unshare",
    "--mount",
    "--propagation=private",
    "sh",
    "-ec",
    'mount -t tmpfs none /proc; exec "$@"',
    "sh",
]
REFUSAL = f"""
import sys
sys.path = {sys.path}
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check, seal
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import Tree
tree = Tree(sys.argv[1])
seal.refuse_mounted(tree, check.of_artefacts(tree))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_what_is_only_mounted_in_the_image_is_not_lost(root: Path, outside: Path) -> None:
    plant(root, "root/.bash_history")
    tree = Tree(str(root))
    all_three = (
        r"mounted at /home/alice/\.aws, /root/\.netrc, /var/lib/cloud/data/cache is not in the image, and would be"
    )
    with pytest.raises(TreeError, match=all_three):
        seal.refuse_mounted(tree, check.of_artefacts(tree))
    command = [*WITHOUT_PROC, sys.executable, "-c", REFUSAL, str(root)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "mounted at /home/alice/.aws is not in the image, and would be lost: unmount it, or mount /proc" in told
    assert outside.read_text() == "planted\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_the_files_of_a_kernel_are_not_looked_at_wherever_they_are_mounted(root: Path) -> None:
    jail = root / "srv/jail/sys"
    jail.mkdir(parents=True)
    subprocess.run(["mount", "-t", "sysfs", "none", jail], check=True)
    try:
        assert list(Tree(str(root)).walk(str(root / "srv/jail"))) == [str(jail)]
    finally:
        subprocess.run(["umount", jail], check=True)


@pytest.mark.parametrize(
    ("mount", "of_the_image"),
    [
        ("/ / - ext4 /dev/vda1 rw", True),
        ("/ /mnt/image - xfs /dev/loop0 rw", True),
        ("/ /mnt/image/boot/efi - vfat /dev/loop0p1 rw", True),
        ("/home /mnt/image/home - btrfs /dev/vda2 rw,subvolid=257,subvol=/home", True),
        ("/home/alice /mnt/image/home - btrfs /dev/vda2 rw,subvolid=257,subvol=/home", False),
        ("/var/cache/dnf /mnt/image/var/cache/dnf - ext4 /dev/vda1 rw", False),
        ("/ /mnt/image/home - nfs4 server:/home rw", False),
        ("/ /mnt/image/root/.aws - fuse.sshfs alice@server: rw", False),
        ("/ /mnt/image/srv/proc - proc proc rw", False),
        ("/ /mnt/image/tmp - tmpfs tmpfs rw", True),
        ("/token /mnt/image/root/.netrc - tmpfs tmpfs rw", False),
        (f"/var/lib/docker/containers/{'0a' * 32}/hostname /mnt/image/etc/hostname - ext4 /dev/vda1 rw", True),
        (f"/var/lib/docker/volumes/{'0a' * 32}/_data /mnt/image/var/lib/docker - ext4 /dev/vda1 rw", True),
        ("/var/lib/docker/volumes/dnf/_data /mnt/image/var/cache/dnf - ext4 /dev/vda1 rw", False),
    ],
)
def test_a_mount_is_of_the_image_or_from_outside(mount: str, of_the_image: bool) -> None:
    root, point, rest = mount.split(" ", 2)
    (parsed,) = mount_table.parse(f"31 22 0:26 {root} {point} rw {rest}\n")
    assert seal.is_of_the_image(parsed, "/mnt/image") is of_the_image
