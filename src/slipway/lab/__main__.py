# SPDX-License-Identifier: Apache-2.0
"""Command line of the lab: `python -m slipway.lab --help` lists the commands."""

import argparse
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docker.errors import APIError
from docker.models.containers import Container

from slipway.images.errors import ImageError
from slipway.lab import (
    disk,
    engine,
    hosts,
    images,
    inotify,
    inventory,
    locking,
    loopback_repository,
    machine_root,
    private_engine,
    proxy,
    status,
    systems,
)
from slipway.lab.errors import LabError
from slipway.lab.lab import Lab
from slipway.lab.paths import LAB, PROJECT
from slipway.lab.progress import say
from slipway.lab.ready import make_ready
from slipway.lab.setting import Setting, choose

LAB_INVENTORY = PROJECT / "inventory/lab/hosts.yml"


def main() -> int:
    """Run one command; print an error of the lab, the engine, a file or a program as one message and return 1."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.run(arguments) or 0)
    except (ImageError, LabError) as error:  # an ImageError is about dockerfiles/images.yml
        message = str(error)
    except (APIError, OSError, subprocess.CalledProcessError) as error:
        message = (
            disk.full("The lab", str(error), f"{disk.PLACES}, or for the data of the Docker engine")
            or f"The lab failed ({error}): fix the cause, or remove the lab with `make down`, then run again."
        )
    print(f"slipway: {message}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway.lab", description=__doc__)
    commands = parser.add_subparsers(required=True)

    prepare = commands.add_parser("prepare", help="start the engine and build the images, without hosts")
    prepare.set_defaults(run=_prepare)

    create = commands.add_parser("create", help="create hosts and everything that they need")
    create.add_argument("names", nargs="*", help="names of the hosts")
    create.add_argument("--count", help="instead of names: create this many hosts lab-1, lab-2, ...")
    create.add_argument(
        "--system", default=systems.DEFAULT.name, help="what the hosts stand in for: el9, el10, fedora43"
    )
    create.add_argument("--inventory", type=Path, default=LAB_INVENTORY, help="the inventory file to write")
    create.add_argument("--group", default="docker_hosts", help="the group of the hosts in the inventory")
    create.add_argument("--proxy", action="store_true", help="start the lab's proxy on the isolated network")
    where = create.add_mutually_exclusive_group()
    where.add_argument(
        "--isolated", action="store_true", help="put the hosts on the isolated network, without internet access"
    )
    where.add_argument(
        "--isolated-alias", metavar="ALIAS", help="also put the hosts on the isolated network, under this name"
    )
    create.set_defaults(run=_create)

    for name, help_text, run in (
        ("destroy", "remove hosts by name", _destroy),
        ("reboot", "reboot hosts by name and wait until they are up", _reboot),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("names", nargs="+")
        command.set_defaults(run=run)

    show = commands.add_parser("status", help="show the state of the hosts of `make up`")
    show.set_defaults(run=_status)

    root = commands.add_parser("create-root", help="create a folder with a machine's root file system, to bake")
    root.add_argument("folder", type=Path, help="a folder that does not exist yet")
    root.add_argument("--inventory", type=Path, required=True, help="the inventory file to write")
    root.add_argument(
        "--disk", action="store_true", help="mount a new disk, <parent>.raw, in the folder's parent first"
    )
    root.set_defaults(run=_create_root)

    gone = commands.add_parser("destroy-root", help="remove a folder of such folders and stop their package server")
    gone.add_argument("folder", type=Path)
    gone.set_defaults(run=_destroy_root)

    down = commands.add_parser("down", help="remove everything that the lab created")
    down.set_defaults(run=_down)
    return parser


def _setting() -> Setting:
    """Return the setting that LAB selects."""
    return choose(os.environ.get("LAB", "auto"))


def _ready(setting: Setting, system: systems.System = systems.DEFAULT) -> Lab:
    """Prepare the lab of the setting and, for tests that run in parallel, of LAB_PREFIX."""
    return make_ready(setting, os.environ.get("LAB_PREFIX", ""), system)


def _prepare(_: argparse.Namespace) -> None:
    _ready(_setting())


def _create(arguments: argparse.Namespace) -> None:
    names = arguments.names or [f"lab-{number + 1}" for number in range(_positive(arguments.count))]
    system = systems.named(arguments.system)
    setting = _setting()  # a mistake is told at once, though another command may hold the lock for minutes
    with locking.exclusive():
        lab = _ready(setting, system)
        if arguments.proxy:
            proxy.start(lab)
        hosts.create(lab, names, isolated=arguments.isolated, isolated_alias=arguments.isolated_alias)
    inventory.write(arguments.inventory, names, lab, arguments.group)


def _positive(count: str | None) -> int:
    if count and count.isdecimal() and int(count) > 0:
        return int(count)
    raise LabError(f"HOSTS={count} is not a number of hosts: use HOSTS=1 or more.")


def _destroy(arguments: argparse.Namespace) -> None:
    docker_engine = engine.find()
    if docker_engine:
        hosts.destroy(docker_engine.client, arguments.names)


def _reboot(arguments: argparse.Namespace) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(hosts.reboot, (host for host in _up() if host.name in arguments.names)))


def _status(_: argparse.Namespace) -> int:
    up = [host for host in _up() if str(host.name).startswith("lab-")]
    if not up:
        raise LabError("No lab host exists: run `make up`.")
    return 0 if status.show(up) else 1


def _up() -> list[Container]:
    docker_engine = engine.find()
    return hosts.existing(docker_engine.client) if docker_engine else []


def _create_root(arguments: argparse.Namespace) -> None:
    lab = _ready(_setting())
    machine_root.unpack(lab, arguments.folder, on_disk=arguments.disk)
    tree = loopback_repository.start(lab)
    inventory.write_root(arguments.inventory, arguments.folder, tree, images.fingerprint(lab.client, lab.images))


def _destroy_root(arguments: argparse.Namespace) -> None:
    machine_root.remove(arguments.folder)


@locking.exclusive()
def _down(_: argparse.Namespace) -> None:
    loopback_repository.stop()
    docker_engine = engine.find()
    if docker_engine:
        say(f"Removing the lab's hosts, network and images from {docker_engine.address}")
        hosts.destroy_all(docker_engine.client)
    private_engine.stop()
    inotify.restore_limit()
    LAB_INVENTORY.unlink(missing_ok=True)
    shutil.rmtree(LAB, ignore_errors=True)
    say("The lab is removed")


if __name__ == "__main__":
    sys.exit(main())
