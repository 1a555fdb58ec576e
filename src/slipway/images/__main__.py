# SPDX-License-Identifier: Apache-2.0
"""Command line of the images: slipway-images list | render | lint | build | test | push | bake-file | ..."""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from rich.table import Table

from slipway.images import bake, build, digests, lint, matrix, provenance, push, render, verify
from slipway.images.build_environment import BuildEnvironment
from slipway.images.errors import ImageError
from slipway.images.image import NAMESPACE
from slipway.images.table import markdown, table
from slipway.lab import engine, image_supply
from slipway.lab.engine import Engine
from slipway.lab.errors import LabError
from slipway.lab.progress import console
from slipway.lab.setting import Setting, choose
from slipway.printable import printable

INTERRUPTED = 128 + 2  # 128 + SIGINT, as a shell reports it


def main() -> int:
    """Run one command; print an error as one message and return 1."""
    arguments = _parser().parse_args()
    try:
        arguments.run(arguments)
    except (ImageError, LabError, OSError) as error:  # an OSError names the file
        print(f"slipway-images: {printable(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("slipway-images: Interrupted; unfinished images are unchanged.", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)  # not sys.exit: threads would wait for their builds, which the engine cancels anyway
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway-images", description=__doc__)
    commands = parser.add_subparsers(required=True)

    commands.add_parser("list", help="show the images of the matrix").set_defaults(run=_list)

    rendering = commands.add_parser("render", help="write the Dockerfiles")
    rendering.add_argument("--check", action="store_true", help="write nothing; fail with a diff if a file is stale")
    rendering.set_defaults(run=_render)

    commands.add_parser("lint", help="check the Dockerfiles with hadolint").set_defaults(run=_lint)

    building = commands.add_parser("build", help="build changed images and their bases")
    _add_names(building)
    building.add_argument("--force", action="store_true", help="pull bases and rebuild unchanged images, without cache")
    building.add_argument("--report", type=Path, metavar="FILE", help="also write the result table as Markdown")
    building.set_defaults(run=_build)

    testing = commands.add_parser("test", help="run the claims of tests/images against built images")
    _add_names(testing)
    _add_allow_unpinned(testing)
    testing.set_defaults(run=_test)

    pushing = commands.add_parser("push", help="publish built images")
    _add_names(pushing)
    pushing.add_argument("--registry", metavar="HOST[:PORT][/PATH]", required=True, help="publish to this registry")
    _add_allow_unpinned(pushing)
    pushing.add_argument("--overwrite", action="store_true", help="replace the content of immutable tags")
    pushing.set_defaults(run=_push)

    baking = commands.add_parser("bake-file", help="write a docker-bake.json for `docker buildx bake`")
    baking.add_argument("--registry", metavar="HOST[:PORT][/PATH]", help="prefix of the tags, for `bake --push`")
    baking.add_argument("--output", type=Path, help="write to this file instead of stdout")
    baking.set_defaults(run=_bake_file)

    pinning = commands.add_parser("refresh-digests", help="pin base images to their current digests")
    pinning.set_defaults(run=_refresh_digests)
    return parser


def _add_names(command: argparse.ArgumentParser) -> None:
    command.add_argument("names", nargs="*", metavar="NAME", help="images (see `list`); default: all")


def _add_allow_unpinned(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--allow-unpinned", action="store_true", help="accept base images without a digest in digests.json"
    )


def _list(_: argparse.Namespace) -> None:
    listing = Table("image", "tags", "base", "description")
    for image in matrix.without_lab(matrix.load()).values():
        listing.add_row(image.name, "\n".join(image.local_tags), image.base_reference, image.description)
    console.print(listing)


def _render(arguments: argparse.Namespace) -> None:
    images = matrix.load().values()
    if not arguments.check:
        changes = render.write(images)
        for path in changes.written:
            _say(f"rendered {path}")
        for path in changes.removed:
            _say(f"removed {path}: the matrix has no such image")
        return
    difference = render.stale(images)
    if difference:
        raise ImageError(f"Rendered files are stale: run `slipway-images render` and commit the result.\n{difference}")


def _lint(_: argparse.Namespace) -> None:
    problems = lint.problems(matrix.load().values())
    if problems:
        raise ImageError("hadolint reports problems: fix the matrix or the template.\n" + "\n".join(problems))


def _build(arguments: argparse.Namespace) -> None:
    environment = _build_environment()
    outcomes = build.build(environment, arguments.names, force=arguments.force)
    console.print(table(outcomes, environment.supply.description))
    if arguments.report:
        arguments.report.write_text(markdown(outcomes, environment.supply.description))
    build.raise_failures(outcomes)


def _test(arguments: argparse.Namespace) -> None:
    verify.verify(_build_environment(), arguments.names, allow_unpinned=arguments.allow_unpinned)


def _push(arguments: argparse.Namespace) -> None:
    pushed = push.push(
        _build_environment(),
        arguments.registry,
        arguments.names,
        overwrite=arguments.overwrite,
        allow_unpinned=arguments.allow_unpinned,
    )
    for reference, digest in pushed.items():
        _say(f"{reference} is {digest}")


def _bake_file(arguments: argparse.Namespace) -> None:
    text = bake.bake_file(
        matrix.without_lab(matrix.load()),
        partial(render.render, buildkit=True),
        provenance.labels(),
        arguments.registry or NAMESPACE,
    )
    if arguments.output:
        arguments.output.write_text(text)
    else:
        print(text, end="")


def _refresh_digests(_: argparse.Namespace) -> None:
    docker_engine, _setting = _engine()
    for reference, digest in digests.refresh(docker_engine.client, matrix.without_lab(matrix.load()).values()).items():
        _say(f"{reference} is {digest}")


def _build_environment() -> BuildEnvironment:
    docker_engine, setting = _engine()
    return BuildEnvironment(
        matrix.without_lab(matrix.load()),
        docker_engine,
        image_supply.prepare(docker_engine, setting),
        render.render,
        _say,
    )


def _engine() -> tuple[Engine, Setting]:
    setting = choose(os.environ.get("LAB", "auto"))
    return engine.find_or_start(setting), setting


def _say(text: str) -> None:
    console.print(f"[images] {printable(text)}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
