# SPDX-License-Identifier: Apache-2.0
# Copyright: Slipway contributors
"""Every artefact in the list of what must not ship is found and sealed."""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.slipway.platform.plugins.module_utils.host import mounts
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import Tree, TreeError
from ansible_collections.slipway.platform.plugins.module_utils.sealing import seal

from tests.support.presets import CASES
from tests.unit.plugins.module_utils.machine_image.conftest import (
    ENABLED,
    PASSWD,
    found,
    plant,
    sealed,
)

HOMES = ["root", "home/alice", "home/gone", "etc/skel"]  # the account of gone was deleted
ARTEFACTS = [
    "etc/machine-id",
    "var/lib/dbus/machine-id",
    "etc/ssh/ssh_host_ed25519_key",
    "etc/ssh/ssh_host_ed25519_key.pub",
    "etc/ssh/site_host_rsa_key",
    "etc/hostname",
    "var/lib/cloud/instances/i-0abc/user-data.txt",
    "var/lib/cloud/seed/nocloud/meta-data",
    "var/log/cloud-init.log",
    "etc/systemd/network/10-cloud-init-ens5.network",
    "etc/netplan/50-cloud-init.yaml",
    "etc/network/interfaces.d/50-cloud-init",
    "etc/NetworkManager/conf.d/99-cloud-init.conf",
    "etc/NetworkManager/conf.d/30-cloud-init-ip6-addr-gen-mode.conf",
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
    "etc/shadow~",
    "etc/shadow.bak-2026",
    "etc/gshadow.orig",
    "etc/.shadow.swp",
    "etc/security/opasswd",
    "etc/security/opasswd.old",
    "etc/security/nopasswd",
    "root/anaconda-ks.cfg",
    "root/initial-setup-ks.cfg",
    "root/install.log.syslog",
    "root/anaconda-post.log",
    "etc/docker/key.json",
    "etc/iscsi/initiatorname.iscsi",
    "etc/nvme/hostnqn",
    "etc/nvme/hostid",
    "var/lib/iscsi/nodes/iqn.2026-01.test/10.0.0.7,3260,1/default",
    "etc/lvm/devices/system.devices",
    "etc/krb5.keytab",
    "var/lib/sss/db/cache_corp.internal.ldb",
    "var/lib/sss/mc/passwd",
    "var/lib/sss/secrets/secrets.ldb",
    "var/lib/samba/private/secrets.tdb",
    "etc/pki/consumer/key.pem",
    "etc/insights-client/machine-id",
    "var/lib/ecs/data/agent.db",
    "var/lib/amazon/ssm/Vault/Store/RegistrationKey",
    "var/lib/yum/uuid",
    "var/account/pacct",
    "var/lib/faillock/alice",
    "var/lib/dhcpd/dhcpd.leases",
    "var/lib/dhcpd/dhcpd6.leases",
    "var/lib/kea/kea-leases4.csv",
    "var/named/data/named.run.0",
    "var/kerberos/krb5kdc/kadm5.keytab",
    "var/lib/samba/lock/brlock.tdb",
    "etc/sysconfig/rhn/osad-auth.conf",
    "etc/sysconfig/hw-uuid",
    "etc/smolt/hw-uuid",
    "var/lib/dovecot/instances",
    "var/lib/fprint/alice/driver/0",
    "etc/munge/munge.key",
    "etc/puppetlabs/puppet/ssl/private_keys/node.pem",
    "var/lib/puppet/clientbucket/0/1/contents",
    "opt/puppetlabs/puppet/cache/state/last_run_report.yaml",
    "etc/salt/pki/minion/minion.pem",
    "etc/kubernetes/admin.conf",
    "etc/rancher/k3s/k3s.yaml",
    "var/spool/mail/root",
    "var/spool/at/a0000101c1a2b3",
    "var/spool/at/=0000201c1a2b4",
    "var/spool/at/spool/a0000101c1a2b3",
    "var/spool/cron/atjobs/a0000101c1a2b3",
    "var/spool/postfix/deferred/A/A0B1C2",
    "var/spool/postfix/maildrop/A0B1C3",
    "var/spool/clientmqueue/df1",
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
            ".kube/cache/http/0123",
            ".config/gcloud/credentials.db",
            ".azure/accessTokens.json",
            ".config/gh/hosts.yml",
            ".terraform.d/credentials.tfrc.json",
            ".cargo/credentials.toml",
            ".config/containers/auth.json",
        )
    ),
]


def test_a_minimal_system_has_no_violations(root: Path) -> None:
    assert found(root) == sealed(root) == []


@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_an_artefact_is_found_and_sealed(root: Path, artefact: str) -> None:
    planted = plant(root, artefact)
    (path,) = [line.split(":")[0] for line in found(root)]
    assert f"/{artefact}".startswith(path)  # the artefact or a directory above it
    assert sealed(root) == [path]
    assert not planted.exists() or planted.read_bytes() == b""
    assert found(root) == []
    assert sealed(root) == []


PROXY = "=http://10.0.0.1:3128"
# For each file, a line that sets a proxy.
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
def test_a_proxy_is_removed_and_the_lines_around_it_stay(root: Path, file: str, line: str) -> None:
    planted = plant(root, file, f"first=1\n{line}\n# proxy= is explained here\n")
    assert [sentence.split(":")[0] for sentence in found(root)] == [f"/{file}"]
    sealed(root)
    assert found(root) == []
    assert planted.read_text() == "first=1\n# proxy= is explained here\n"


@pytest.mark.parametrize(("file", "line"), PROXIES_IN_SHELL.items(), ids=PROXIES_IN_SHELL)
def test_a_shell_script_stays_valid_without_the_proxy(root: Path, file: str, line: str) -> None:
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
def test_a_proxy_within_a_longer_command_is_refused(root: Path, lines: str) -> None:
    """Fault: a shell's file sets a proxy as part of a longer command. Outcome: refused with the place; no change."""
    planted = plant(root, "root/.bashrc", f"{lines}\n")
    tree = Tree(str(root))
    refusal = r"root/\.bashrc, line [12] sets a proxy as part of a longer command: remove it by hand"
    with pytest.raises(TreeError, match=refusal):
        seal.refuse_longer_commands(tree, check.artefact_violations(tree))
    sealed(root)
    assert planted.read_text() == f"{lines}\n"
    assert len(found(root)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "HOSTNAME=build.corp",
        "DHCP_HOSTNAME=build",
        "HWADDR=02:00:00:00:00:01",
        "UUID=5fb06bd0-0bb0-7ffb-45f1-d6edd65f3e03",
        "IPADDR=10.0.0.7",
    ],
)
def test_connections_specific_to_this_machine_are_removed_and_others_stay(root: Path, line: str) -> None:
    scripts = "etc/sysconfig/network-scripts"
    plant(root, f"{scripts}/ifcfg-lo", "DEVICE=lo\nIPADDR=127.0.0.1\nNETMASK=255.0.0.0\n")
    plant(root, f"{scripts}/ifcfg-eth1", "DEVICE=eth1\nBOOTPROTO=dhcp\n")
    plant(root, f"{scripts}/ifcfg-eth0", f"DEVICE=eth0\n{line}\n")
    assert found(root) == [f"/{scripts}/ifcfg-eth0: a network connection of this machine"]
    sealed(root)
    assert sorted(path.name for path in (root / scripts).iterdir()) == ["ifcfg-eth1", "ifcfg-lo"]
    assert found(root) == []


def test_credential_helpers_stay_and_logins_beside_them_are_removed(root: Path) -> None:
    helpers = {"credHelpers": {"https://index.docker.io/v1/": "slipway"}}
    config = plant(root, "home/alice/.docker/config.json", json.dumps(helpers))
    assert found(root) == []
    config.write_text(json.dumps({**helpers, "auths": {"registry.internal": {"identitytoken": "4711"}}}))
    assert found(root) == ["/home/alice/.docker/config.json: a registry login"]
    sealed(root)
    assert json.loads(config.read_text()) == helpers
    assert found(root) == []


@pytest.mark.parametrize("name", [".env", "terraform.tfstate", "rclone.conf", ".pgpass", "kubeconfig"])
def test_a_file_that_is_known_for_secrets_is_found_by_its_name(root: Path, name: str) -> None:
    plant(root, f"opt/app/{name}", "whatever: it has\n")
    plant(root, f"usr/share/app/{name}", "an example\n")
    plant(root, f"srv/empty/{name}", "")
    (line,) = found(root)
    assert line.startswith(f"/opt/app/{name}: ")
    assert found(root, allowed=[f"/opt/app/{name}"]) == []
    plant(root, f"usr/local/app/{name}", "whatever: no package installs there\n")
    assert [line.partition(": ")[0] for line in found(root)] == [f"/opt/app/{name}", f"/usr/local/app/{name}"]


@pytest.mark.parametrize("name", ["http.keytab", "team.kdbx", "server.p12", "client.pfx"])
def test_a_file_of_keys_is_found_by_the_end_of_its_name(root: Path, name: str) -> None:
    plant(root, f"srv/app/{name}", "\5\2 a key")
    plant(root, f"usr/share/app/{name}", "an example\n")
    (line,) = found(root)
    assert line.startswith(f"/srv/app/{name}: ")
    assert found(root, allowed=["/srv/app/*"]) == []


@pytest.mark.parametrize("path", ["var/spool/at/.SEQ", "etc/passwd.conf", "etc/ssh/ssh_known_hosts"])
def test_what_only_resembles_an_artefact_stays(root: Path, path: str) -> None:
    plant(root, path)
    for folder in ("at/spool", "postfix/maildrop"):  # the packages install these, and need them
        (root / "var/spool" / folder).mkdir(parents=True)
    assert found(root) == sealed(root) == []
    assert (root / "var/spool/at/spool").is_dir()


def test_every_violation_is_listed(root: Path) -> None:
    for artefact in ARTEFACTS:
        plant(root, artefact)
    assert len(found(root)) == len(ARTEFACTS), "one line each"
    sealed(root)
    assert found(root) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may write what is read-only")
def test_a_machine_id_that_is_missing_or_uninitialized_is_a_violation(root: Path) -> None:
    machine_id = root / "etc/machine-id"
    machine_id.unlink()
    assert found(root) == ["/etc/machine-id: a machine-id that is not an empty file"]
    sealed(root)
    assert machine_id.read_bytes() == b""
    machine_id.write_text("uninitialized\n")
    assert len(found(root)) == 1


def test_a_link_to_the_machine_id_is_allowed(root: Path) -> None:
    (root / "var/lib/dbus").mkdir(parents=True)
    (root / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
    assert found(root) == []


@pytest.mark.parametrize(("presets", "disabling"), CASES)
def test_a_preset_that_disables_the_engine_is_found(root: Path, presets: dict[str, str], disabling: str | None) -> None:
    (root / seal.PRESET).unlink()
    for path, text in presets.items():
        plant(root, path, text)
    listed = found(root)
    if disabling:
        (line,) = listed
        assert line.endswith(f"{disabling}: disables docker.service at the first boot")
    else:
        assert listed == []


def test_a_unit_that_is_not_enabled_needs_no_preset(root: Path) -> None:
    (root / seal.PRESET).unlink()
    (root / ENABLED).unlink()
    assert found(root) == []


def test_additional_units_stay_enabled_too() -> None:
    assert seal.preset(["app.service"]).endswith("enable slipway-metrics.timer\nenable app.service\n")


def test_a_log_is_emptied_in_place(root: Path) -> None:
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


def test_the_configured_data_root_is_sealed(root: Path) -> None:
    plant(root, "etc/docker/daemon.json", '{"data-root": "/srv/docker"}')
    plant(root, "srv/docker/engine-id")
    assert sealed(root) == ["/srv/docker/engine-id"]


@pytest.mark.parametrize("folder", [".docker", ".aws", ".ssh", ".config", ".ansible"])
def test_the_seal_follows_no_link_planted_by_a_user(root: Path, folder: str) -> None:
    """Whether it points to system files in the image or to files of the machine that seals it."""
    outside = plant(root.parent, "outside/config.json")
    within = [plant(root, f"etc/planted/{name}") for name in ("config.json", "credentials", "authorized_keys")]
    for target in ("/etc/planted", str(outside.parent), "../../../outside"):
        link = root / "home/alice" / folder
        link.symlink_to(target)
        sealed(root)
        assert outside.exists() and all(path.exists() for path in within)
        assert found(root) == []
        link.unlink(missing_ok=True)


def test_a_link_in_a_temporary_directory_is_removed_and_its_target_stays(root: Path) -> None:
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
def test_the_seal_follows_no_link_created_after_the_listing(root: Path, artefact: str, swapped: str) -> None:
    """Fault: a user puts a link where a folder was while the seal runs. Outcome: the link is not followed; the seal
    fails.

    Between the listing and the removal, a user can replace a directory by a link.
    """
    content = '{"proxy": "x"}\nproxy=http://10.0.0.1:3128\n'
    plant(root, artefact, content)
    tree = Tree(str(root))
    (violation,) = [
        each for each in check.artefact_violations(tree) if f"/{artefact}".startswith(tree.inside(each.path))
    ]
    outside = root.parent / "outside"
    (root / swapped).rename(outside)
    (root / swapped).symlink_to(outside)
    before = {path: path.read_text() for path in [outside, *outside.rglob("*")] if path.is_file()}
    with pytest.raises(seal.SealError, match=r"cannot be sealed: (Not a directory|Too many levels of symbolic links)"):
        seal.fix(tree, violation)
    assert {path: path.read_text() for path in before} == before


@pytest.mark.parametrize("target", ["/data/log", "../../data/log"])
def test_a_link_in_the_image_is_resolved_within_the_image(root: Path, target: str) -> None:
    outside = plant(root.parent, "data/log/messages", "of the machine that seals\n")
    inside = plant(root, "data/log/messages", "of the image\n")
    (root / "var/log").rename(root / "var/old")
    (root / "var/log").symlink_to(target)
    sealed(root)
    assert inside.read_text() == ""
    assert outside.read_text() == "of the machine that seals\n"


def test_a_link_loop_hides_nothing(root: Path) -> None:
    for link in ("home/alice/.config", "home/alice/.aws", "home/bob"):
        (root / link).symlink_to(Path(link).name)
    (root / "etc/passwd").write_text(f"{PASSWD}bob:x:1001:1001::/home/bob:/bin/bash\n")
    assert sealed(root) == ["/home/alice/.aws"]
    assert found(root) == []


def test_unprintable_file_names_are_escaped_and_sealed(root: Path) -> None:
    for name in (b"caf\xe9", b"two\nlines", "café".encode()):
        (root / "tmp" / os.fsdecode(name)).touch()
    expected = [rf"/tmp/{name}: a temporary file" for name in ("café", r"caf\xe9", r"two\nlines")]
    assert found(root) == expected
    command = subprocess.run(["slipway-machine-image-check", root], capture_output=True, check=False)
    assert (command.returncode, command.stdout.decode().splitlines()) == (1, expected), command.stderr
    sealed(root)
    assert found(root) == []


def test_directories_may_be_nested_deeper_than_the_recursion_limit(root: Path) -> None:
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


def test_a_directory_without_an_operating_system_is_refused(tmp_path: Path) -> None:
    """Fault: a folder that holds no operating system. Outcome: refused; nothing changes."""
    with pytest.raises(TreeError, match="has no etc/passwd: give the root directory of an operating system"):
        found(tmp_path)
    with pytest.raises(TreeError, match="does not exist"):
        found(tmp_path / "none")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_read_only_image_is_refused(root: Path) -> None:
    """Fault: an image that is mounted read-only. Outcome: refused; nothing changes."""
    log = plant(root, "var/log/secure")
    subprocess.run(["mount", "--bind", root, root], check=True)
    try:
        subprocess.run(["mount", "--options", "remount,bind,ro", root], check=True)
        with pytest.raises(TreeError, match="is mounted read-only: remount it writable"):
            seal.refuse_read_only(Tree(str(root)))
        assert found(root), "the checker only needs to read"
    finally:
        subprocess.run(["umount", root], check=True)
    assert log.read_text()


@pytest.fixture
def outside(root: Path) -> Iterator[Path]:
    """A file of the build host that is mounted in the image, as is its directory."""
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
from ansible_collections.slipway.platform.plugins.module_utils.machine_image import check
from ansible_collections.slipway.platform.plugins.module_utils.sealing import seal
from ansible_collections.slipway.platform.plugins.module_utils.machine_image.tree import Tree
tree = Tree(sys.argv[1])
seal.refuse_mounted(tree, check.artefact_violations(tree))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_files_on_mounts_outside_the_image_are_not_deleted(root: Path, outside: Path) -> None:
    """Fault: a path to delete is a mount point. Outcome: refused with the path; nothing changes."""
    plant(root, "root/.bash_history")
    tree = Tree(str(root))
    all_three = r"on mounts outside the image \(/home/alice/\.aws, /root/\.netrc, /var/lib/cloud/data/cache\): unmount"
    with pytest.raises(TreeError, match=all_three):
        seal.refuse_mounted(tree, check.artefact_violations(tree))
    command = [*WITHOUT_PROC, sys.executable, "-c", REFUSAL, str(root)]
    message = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "on mounts outside the image (/home/alice/.aws): unmount them, or mount /proc" in message
    assert outside.read_text() == "planted\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_kernel_file_systems_are_skipped_wherever_they_are_mounted(root: Path) -> None:
    jail = root / "srv/jail/sys"
    jail.mkdir(parents=True)
    subprocess.run(["mount", "-t", "sysfs", "none", jail], check=True)
    try:
        assert list(Tree(str(root)).walk(str(root / "srv/jail"))) == [str(jail)]
    finally:
        subprocess.run(["umount", jail], check=True)


@pytest.mark.parametrize(
    ("mount", "belongs"),
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
def test_mounts_of_the_image_and_from_outside_are_distinguished(mount: str, belongs: bool) -> None:
    root, point, rest = mount.split(" ", 2)
    (parsed,) = mounts.parse(f"31 22 0:26 {root} {point} rw {rest}\n")
    assert seal.belongs_to_image(parsed, "/mnt/image") is belongs
