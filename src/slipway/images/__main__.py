# SPDX-License-Identifier: Apache-2.0
"""Command line of the images: slipway-images list | render | lint | build | test | push | bake-file | ..."""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from rich.table import Table

from slipway.images import bake, build, digests, lint, matrix, provenance, push, render, verify
from slipway.images.errors import ImageError
from slipway.images.table import markdown, table
from slipway.images.workshop import Workshop
from slipway.lab import engine, image_supply
from slipway.lab.engine import Engine
from slipway.lab.errors import LabError
from slipway.lab.progress import console
from slipway.lab.setting import Setting, choose

INTERRUPTED = 128 + 2  # as a shell reports it


def main() -> int:
    """Run one command; an ImageError or a LabError is one message and exit status 1."""
    arguments = _parser().parse_args()
    try:
        arguments.run(arguments)
    except (ImageError, LabError) as error:
        print(f"slipway-images: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("slipway-images: Interrupted; what was not finished is as it was.", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)  # at once: the engine ends the builds whose client is gone, threads would wait for them
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway-images", description=__doc__)
    commands = parser.add_subparsers(required=True)

    commands.add_parser("list", help="show the images of the matrix").set_defaults(run=_list)

    rendering = commands.add_parser("render", help="write the Dockerfiles")
    rendering.add_argument("--check", action="store_true", help="write nothing, and fail with a diff where they differ")
    rendering.set_defaults(run=_render)

    commands.add_parser("lint", help="have hadolint look at the Dockerfiles").set_defaults(run=_lint)

    building = commands.add_parser("build", help="build images, and what they stand on, where something changed")
    _add_names(building)
    building.add_argument("--force", action="store_true", help="pull bases and build unchanged images too, uncached")
    building.add_argument("--report", type=Path, metavar="FILE", help="write the table of the end as Markdown too")
    building.set_defaults(run=_build)

    testing = commands.add_parser("test", help="try the claims of tests/images on built images")
    _add_names(testing)
    testing.set_defaults(run=_test)

    pushing = commands.add_parser("push", help="publish built images")
    _add_names(pushing)
    pushing.add_argument("--registry", metavar="HOST[:PORT][/PATH]", help="where to, instead of Docker Hub")
    pushing.add_argument("--overwrite", action="store_true", help="let tags change their content that never should")
    pushing.set_defaults(run=_push)

    baking = commands.add_parser("bake-file", help="write a docker-bake.json for `docker buildx bake`")
    baking.add_argument("--output", type=Path, help="the file, instead of the screen")
    baking.set_defaults(run=_bake_file)

    pinning = commands.add_parser("refresh-digests", help="pin registries' bases to the digests that they have today")
    pinning.set_defaults(run=_refresh_digests)
    return parser


def _add_names(command: argparse.ArgumentParser) -> None:
    command.add_argument("names", nargs="*", metavar="NAME", help="images of `list`; all where there is none")


def _list(_: argparse.Namespace) -> None:
    listing = Table("image", "tags", "stands on", "description")
    for image in matrix.without_lab(matrix.load()).values():
        listing.add_row(image.name, "\n".join(image.local_tags), image.base_reference, image.description)
    console.print(listing)


def _render(arguments: argparse.Namespace) -> None:
    images = matrix.load().values()
    if not arguments.check:
        for path in render.write(images):
            _say(f"rendered {path}")
        return
    difference = render.stale(images)
    if difference:
        raise ImageError(f"Stale, run `slipway-images render` and commit what it writes:\n{difference}")


def _lint(_: argparse.Namespace) -> None:
    problems = lint.problems(matrix.load().values())
    if problems:
        raise ImageError("hadolint finds fault, mend the matrix or the template:\n" + "\n".join(problems))


def _build(arguments: argparse.Namespace) -> None:
    workshop = _workshop()
    outcomes = build.build(workshop, arguments.names, force=arguments.force)
    console.print(table(outcomes, workshop.supply.description))
    if arguments.report:
        arguments.report.write_text(markdown(outcomes, workshop.supply.description))
    build.refuse_failures(outcomes)


def _test(arguments: argparse.Namespace) -> None:
    verify.verify(_workshop(), arguments.names)


def _push(arguments: argparse.Namespace) -> None:
    pushed = push.push(_workshop(), arguments.names, prefix=arguments.registry, overwrite=arguments.overwrite)
    for reference, digest in pushed.items():
        _say(f"{reference} is {digest}")


def _bake_file(arguments: argparse.Namespace) -> None:
    text = bake.bake_file(matrix.without_lab(matrix.load()), partial(render.render, buildkit=True), provenance.labels())
    if arguments.output:
        arguments.output.write_text(text)
    else:
        print(text, end="")


def _refresh_digests(_: argparse.Namespace) -> None:
    carrier, _setting = _engine()
    for reference, digest in digests.refresh(carrier.client, matrix.without_lab(matrix.load()).values()).items():
        _say(f"{reference} is {digest}")


def _workshop() -> Workshop:
    carrier, setting = _engine()
    return Workshop(
        matrix.without_lab(matrix.load()), carrier, image_supply.prepare(carrier.client, setting), render.render, _say
    )


def _engine() -> tuple[Engine, Setting]:
    setting = choose(os.environ.get("LAB", "auto"))
    return engine.find_or_start(setting), setting


def _say(text: str) -> None:
    console.print(f"[images] {text}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
