# SPDX-License-Identifier: Apache-2.0
"""Command line of the lab: python -m slipway.lab <command>, where --help lists the commands."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from docker.models.containers import Container

from slipway.lab import (
    engine,
    hosts,
    images,
    inventory,
    loopback_repository,
    machine_root,
    private_engine,
    proxy,
    status,
)
from slipway.lab.errors import LabError
from slipway.lab.paths import LAB, PROJECT
from slipway.lab.progress import say
from slipway.lab.ready import make_ready

LAB_INVENTORY = PROJECT / "inventory/lab/hosts.yml"


def main() -> int:
    """Run one command; a LabError is one message and exit status 1."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.run(arguments) or 0)
    except LabError as error:
        print(f"slipway: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway.lab", description=__doc__)
    commands = parser.add_subparsers(required=True)

    prepare = commands.add_parser("prepare", help="have the engine and the images ready, without a host")
    prepare.set_defaults(run=_prepare)

    create = commands.add_parser("create", help="make hosts, and whatever they need")
    create.add_argument("names", nargs="*", help="names of the hosts")
    create.add_argument("--count", help="make this many hosts lab-1, lab-2, ... instead")
    create.add_argument("--inventory", type=Path, default=LAB_INVENTORY, help="the inventory file to write")
    create.add_argument("--group", default="docker_hosts", help="the group of the hosts in the inventory")
    create.add_argument("--proxy", action="store_true", help="have the lab's proxy on the isolated network")
    where = create.add_mutually_exclusive_group()
    where.add_argument("--isolated", action="store_true", help="on the isolated network, where nothing leads out")
    where.add_argument("--isolated-alias", metavar="ALIAS", help="on the isolated network too, under this name")
    create.set_defaults(run=_create)

    for name, help_text, run in (
        ("destroy", "remove hosts by name", _destroy),
        ("reboot", "restart hosts by name and wait until they have booted", _reboot),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("names", nargs="+")
        command.set_defaults(run=run)

    show = commands.add_parser("status", help="show what is true on the hosts of `make up`")
    show.set_defaults(run=_status)

    root = commands.add_parser("create-root", help="make a folder with a machine's root file system, to be baked")
    root.add_argument("folder", type=Path, help="a folder that does not exist yet")
    root.add_argument("--inventory", type=Path, required=True, help="the inventory file to write")
    root.set_defaults(run=_create_root)

    gone = commands.add_parser("destroy-root", help="remove such a folder, and what it was baked from")
    gone.add_argument("folder", type=Path)
    gone.set_defaults(run=_destroy_root)

    down = commands.add_parser("down", help="remove everything that the lab made")
    down.set_defaults(run=_down)
    return parser


def _prepare(_: argparse.Namespace) -> None:
    make_ready(os.environ.get("LAB", "auto"))


def _create(arguments: argparse.Namespace) -> None:
    names = arguments.names or [f"lab-{number + 1}" for number in range(_positive(arguments.count))]
    carrier, made_of = make_ready(os.environ.get("LAB", "auto"))
    if arguments.proxy:
        proxy.start(carrier.client, made_of.repository)
    where = {"isolated": arguments.isolated, "isolated_alias": arguments.isolated_alias}
    hosts.create(carrier.client, made_of, names, **where)
    inventory.write(arguments.inventory, names, carrier, made_of, arguments.group)


def _positive(count: str | None) -> int:
    if count and count.isdecimal() and int(count) > 0:
        return int(count)
    raise LabError(f"HOSTS={count} is not a number of hosts: use HOSTS=1 or more.")


def _destroy(arguments: argparse.Namespace) -> None:
    carrier = engine.find()
    if carrier:
        hosts.destroy(carrier.client, arguments.names)


def _reboot(arguments: argparse.Namespace) -> None:
    for host in _up():
        if host.name in arguments.names:
            hosts.reboot(host)


def _status(_: argparse.Namespace) -> int:
    up = [host for host in _up() if str(host.name).startswith("lab-")]
    if not up:
        raise LabError("There is no lab host: run `make up`.")
    return 0 if status.show(up) else 1


def _up() -> list[Container]:
    carrier = engine.find()
    return hosts.existing(carrier.client) if carrier else []


def _create_root(arguments: argparse.Namespace) -> None:
    carrier, made_of = make_ready(os.environ.get("LAB", "auto"))
    machine_root.unpack(carrier.client, made_of, arguments.folder)
    tree = loopback_repository.start(carrier.client, made_of)
    inventory.write_root(arguments.inventory, arguments.folder, tree, images.fingerprint(carrier.client, made_of))


def _destroy_root(arguments: argparse.Namespace) -> None:
    loopback_repository.stop()
    machine_root.remove(arguments.folder)


def _down(_: argparse.Namespace) -> None:
    loopback_repository.stop()
    carrier = engine.find()
    if carrier:
        say(f"Removing the lab's hosts, network and images from {carrier.address}")
        hosts.destroy_all(carrier.client)
    private_engine.stop()
    LAB_INVENTORY.unlink(missing_ok=True)
    shutil.rmtree(LAB, ignore_errors=True)
    say("Nothing of the lab is left")


if __name__ == "__main__":
    sys.exit(main())
