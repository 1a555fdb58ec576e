# SPDX-License-Identifier: Apache-2.0
"""The engine's data, containerd's included, are where the inventory wants them: on disks that can hold them."""

import json
from collections.abc import Callable

import pytest

from slipway.lab.workbench import LabHost, Workbench

pytestmark = pytest.mark.slow
ROOT = "/data/docker"
CONTAINERD = f"{ROOT}/containerd/daemon"
DEFAULT = "/var/lib/docker"
DROP_IN = "/etc/systemd/system/containerd.service.d/slipway.conf"
LOAD = "docker load --quiet --input /usr/share/slipway/hello.tar"
SLEEPER = f"{LOAD} > /dev/null; docker run --detach --restart always --entrypoint /bin/busybox slipway/hello sleep 600"
# mkfs refuses ftype=0 beside checksums, but old disks have it; the kernel mounts what has lost the bit of the feature.
XFS_WITHOUT_FTYPE = (
    "mkfs.xfs -q {0}; old=$(xfs_db -r -c 'sb 0' -c 'print features_incompat' {0});"
    "xfs_db -x -c 'sb 0' -c \"write -d features_incompat $(( ${{old##* }} & ~1 ))\" {0} > /dev/null"
)


def mount_disk(host: LabHost, point: str, mkfs: str, options: str = "loop") -> None:
    """Mount a disk of the host's own, a file."""
    image = f"/var/{point.strip('/').replace('/', '-')}.img"
    host.sh(
        "test -e /dev/loop-control || mknod /dev/loop-control c 10 237;"
        "for i in $(seq 0 31); do test -e /dev/loop$i || mknod /dev/loop$i b 7 $i; done;"
        f"truncate --size=400M {image}; {mkfs.format(image)}; mkdir -p {point}; mount -o {options} {image} {point}"
    )


def docker_root(host: LabHost) -> str:
    return host.sh("docker info --format '{{.DockerRootDir}}'")


def containerd_root(host: LabHost) -> str:
    """Return the file system path in which the containerd that runs has its database open."""
    return host.sh(
        "ls -l /proc/$(pidof containerd)/fd | grep --only-matching '/.*/io.containerd.metadata' | xargs dirname"
    )


def state(host: LabHost) -> str:
    """Return the processes, the configuration, and the containers that run."""
    return host.sh(
        "exec 2>&1; pgrep --list-name dockerd || true; pgrep --list-name containerd || true;"
        "cat /etc/docker/daemon.json || true;"
        f"ls {DROP_IN} || true; rpm --query docker-ce || true; docker ps --quiet --no-trunc || true"
    )


@pytest.fixture(scope="module")
def unfit_host(workbench: Workbench) -> LabHost:
    """A host without an engine, and with places that cannot hold an engine's data."""
    host = workbench.make("test-unfit")
    mount_disk(host, "/mnt/readonly", "mkfs.ext4 -q {}", options="loop,ro")
    mount_disk(host, "/mnt/noexec", "mkfs.ext4 -q {}", options="loop,noexec")
    mount_disk(host, "/mnt/old", XFS_WITHOUT_FTYPE)
    host.sh("mkdir /mnt/memory; mount -t tmpfs none /mnt/memory; touch /mnt/file")
    return host


@pytest.fixture
def host(workbench: Workbench) -> LabHost:
    """A host with a disk at /data, and no engine yet."""
    host = workbench.make("test-storage")
    mount_disk(host, "/data", "mkfs.xfs -q {}")
    return host


@pytest.fixture
def converge(host: LabHost) -> Callable[..., list[str]]:
    """Converge the host, which must succeed; return what changed."""

    def run(*options: str, **variables: object) -> list[str]:
        done = host.converge(*options, **variables)
        assert done.status == 0, done.output
        return done.changed(host.name)

    return run


@pytest.mark.parametrize(
    ("root", "words"),
    [
        ("data/docker", "not an absolute path"),
        ("/srv", "is a system directory"),
        ("/mnt/file", "not a directory"),
        ("/mnt/memory/docker", "tmpfs"),
        ("/mnt/readonly/docker", "mounted read-only"),
        ("/mnt/noexec/docker", "noexec"),
        ("/mnt/old/docker", "mkfs.xfs -n ftype=1"),
        ("/mnt/docker", "overlay"),
    ],
)
def test_a_place_that_cannot_hold_the_data_is_refused(unfit_host: LabHost, root: str, words: str) -> None:
    """Fault: a data root that is relative, a file, on tmpfs, overlay, a read-only or noexec mount, or on xfs with
    ftype=0. Outcome: refused with the remedy; nothing changes.
    """
    before = state(unfit_host)
    run = unfit_host.converge(docker_engine_data_root=root)
    assert run.status != 0
    message = run.failure(unfit_host.name)
    assert words in message
    assert "docker_engine_data_root: " in message
    assert "nothing was changed" in message
    assert state(unfit_host) == before


def test_the_option_of_dockerd_is_refused_because_it_moves_half_of_the_data(fresh_host: LabHost) -> None:
    run = fresh_host.converge(docker_engine_daemon_options={"data-root": ROOT})
    assert run.status != 0
    assert "use docker_engine_data_root, which moves containerd's data too" in run.failure(fresh_host.name)


def test_the_first_install_has_all_data_on_the_disk(host: LabHost, converge: Callable[..., list[str]]) -> None:
    """With containerd's image store, where the layers are containerd's."""
    variables = {
        "docker_engine_data_root": ROOT,
        "docker_engine_daemon_options": {"features": {"containerd-snapshotter": True}},
    }
    converge(**variables)
    assert (docker_root(host), containerd_root(host)) == (ROOT, CONTAINERD)
    assert "Hello" in host.sh(f"{LOAD}; docker run --rm slipway/hello")
    assert host.sh(f"ls {CONTAINERD}/io.containerd.content.v1.content/blobs/sha256")
    assert host.sh(f"find {DEFAULT} /var/lib/containerd -type f") == ""
    assert host.journal("--unit=docker.service", "--output=cat").count("Starting docker.service") == 1

    again = host.converge(**variables)
    assert again.changed(host.name) == []
    of_engine = [name for name in again.module_invocations(host.name) if "docker_engine" in name]
    assert len(of_engine) == 2, of_engine


def test_an_empty_engine_moves_there_and_back(host: LabHost, converge: Callable[..., list[str]]) -> None:
    converge()
    predicted = converge("--check", "--diff", docker_engine_data_root=ROOT)
    assert (docker_root(host), containerd_root(host)) == (DEFAULT, "/var/lib/containerd")
    assert set(predicted) <= set(converge(docker_engine_data_root=ROOT))
    assert (docker_root(host), containerd_root(host)) == (ROOT, CONTAINERD)
    assert converge(docker_engine_data_root=ROOT) == []
    converge()
    assert (docker_root(host), containerd_root(host)) == (DEFAULT, "/var/lib/containerd")
    assert host.run("ls", DROP_IN)[0] != 0


def test_data_are_left_behind_only_when_told_to(host: LabHost, converge: Callable[..., list[str]]) -> None:
    """Fault: a new data root while the old one holds data. Outcome: refused with both ways out; when told to leave the
    data, containers stop with their engine.

    And no container is left behind running, which live-restore would do.
    """
    converge()
    container = host.sh(SLEEPER)
    before = state(host)
    run = host.converge(docker_engine_data_root=ROOT)
    assert run.status != 0
    assert f"{DEFAULT} holds images and containers" in run.failure(host.name)
    assert "docker_engine_data_root_leave_data" in run.failure(host.name)
    assert state(host) == before

    converge(docker_engine_data_root=ROOT, docker_engine_data_root_leave_data=True)
    assert (docker_root(host), containerd_root(host)) == (ROOT, CONTAINERD)
    assert host.run("pgrep", "containerd-shim")[0] == 1, "a container has outlived its engine"
    assert host.sh("docker ps --all --quiet") == ""
    assert "true" in host.sh("docker info --format '{{.LiveRestoreEnabled}}'")

    converge()
    assert docker_root(host) == DEFAULT
    assert host.sh("docker ps --quiet --no-trunc") == container


def test_data_go_along_as_the_refusal_says(host: LabHost, converge: Callable[..., list[str]]) -> None:
    converge()
    container = host.sh(SLEEPER)
    advice = host.converge(docker_engine_data_root=ROOT).failure(host.name).partition("copy (")[2].partition(")")[0]
    host.sh(f"docker stop {container}; systemctl stop docker.socket docker.service containerd.service; {advice}")
    converge(docker_engine_data_root=ROOT, docker_engine_data_root_leave_data=True)
    assert docker_root(host) == ROOT
    assert host.sh("docker ps --all --quiet --no-trunc") == container
    assert converge(docker_engine_data_root=ROOT) == []


def test_an_engine_that_was_moved_by_hand_does_not_lose_containerd_s_data(
    host: LabHost, converge: Callable[..., list[str]]
) -> None:
    """data-root moves the engine alone; with containerd's image store, the images stayed at /var/lib/containerd."""
    variables = {"docker_engine_daemon_options": {"features": {"containerd-snapshotter": True}}}
    converge(**variables)
    options = json.dumps({"data-root": ROOT, "features": {"containerd-snapshotter": True}})
    host.sh(f"echo '{options}' > /etc/docker/daemon.json; systemctl restart docker.service; {LOAD}")
    assert (docker_root(host), containerd_root(host)) == (ROOT, "/var/lib/containerd")
    run = host.converge(**variables, docker_engine_data_root=ROOT)
    assert run.status != 0
    assert "/var/lib/containerd holds images" in run.failure(host.name)
    assert (docker_root(host), containerd_root(host)) == (ROOT, "/var/lib/containerd")


def test_an_engine_that_does_not_start_there_comes_back(host: LabHost, converge: Callable[..., list[str]]) -> None:
    """Fault: the engine does not start at its new data root. Outcome: the previous files and both previous roots are
    back.

    The port is taken, which the proof beside the live engine cannot see.
    """
    converge()
    before = host.sh("cat /etc/docker/daemon.json")
    host.sh("systemd-run --unit=squatter python3 -m http.server 2375 --bind 127.0.0.1")
    host.sh("until curl --silent --fail --output /dev/null http://127.0.0.1:2375; do sleep 0.1; done")
    run = host.converge(
        docker_engine_data_root=ROOT, docker_engine_daemon_options={"hosts": ["fd://", "tcp://127.0.0.1:2375"]}
    )
    assert run.status != 0
    assert "previous configuration was restored and the engine answers again" in run.failure(host.name)
    assert host.sh("cat /etc/docker/daemon.json") == before
    assert host.run("ls", DROP_IN)[0] != 0
    assert (docker_root(host), containerd_root(host)) == (DEFAULT, "/var/lib/containerd")


def test_a_default_root_behind_a_link_is_used_and_purged(host: LabHost, converge: Callable[..., list[str]]) -> None:
    """Fault: `/var/lib/docker` is a symbolic link, to a disk or to nowhere. Outcome: the data are on the disk, and a
    purge deletes them; a link to nowhere is refused before anything is installed.
    """
    host.sh(f"umount {DEFAULT}; rmdir {DEFAULT}; ln -s /data/engine {DEFAULT}")
    failure = host.converge().failure(host.name)
    assert f"{DEFAULT} is a symbolic link to /data/engine, which does not exist" in failure
    assert host.run("rpm", "--query", "docker-ce")[0] == 1
    host.sh("mkdir /data/engine")
    converge()
    assert docker_root(host) == "/data/engine"
    host.sh(LOAD)
    assert converge(docker_engine_daemon_options={"debug": True})
    converge(docker_engine_state="absent", docker_engine_purge_data=True)
    assert host.sh(f"ls -A /data/engine; readlink {DEFAULT}") == "/data/engine"


def test_users_are_mapped_on_a_disk_that_is_in_use(host: LabHost, converge: Callable[..., list[str]]) -> None:
    """Fault: `userns-remap` with a data root that is a mount in use. Outcome: validated, and accepted."""
    host.sh("for file in /etc/subuid /etc/subgid; do sed -i /alice/d $file; echo alice:300000:65536 >>$file; done")
    converge()
    converge(docker_engine_daemon_options={"userns-remap": "alice"})
    assert docker_root(host) == f"{DEFAULT}/300000.300000"
    assert host.sh(f"{LOAD}; docker create slipway/hello")


def test_removal_and_purge_take_both_roots_from_the_disk_and_leave_the_disk(
    host: LabHost, converge: Callable[..., list[str]]
) -> None:
    variables = {"docker_engine_data_root": ROOT, "docker_engine_prune": {"schedule": "weekly"}}
    converge(**variables)
    host.sh(SLEEPER)
    converge(docker_engine_state="absent", docker_engine_purge_data=True, **variables)
    assert host.sh("ls -A /data") == ""
    assert host.sh("findmnt --noheadings --output FSTYPE /data") == "xfs"
    assert host.run("systemctl", "cat", "docker-prune.timer")[0] != 0
    assert host.run("ls", DROP_IN)[0] != 0
    assert converge(docker_engine_state="absent", docker_engine_purge_data=True, **variables) == []
