# SPDX-License-Identifier: Apache-2.0
"""The results of a build as a table."""

import io
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from slipway.images.build import Outcome, State
from slipway.images.image import Image
from slipway.images.recipe import Built

PAGE_WIDTH = 400  # characters, so that no row wraps


def table(outcomes: Iterable[Outcome], description: str) -> Table:
    """Return a table with a row per image; the title describes the supply."""
    result = Table("image", "tag", "size", "adds to its base", "layers", "seconds", "id", title=f"From {description}")
    for outcome in outcomes:
        image, built = outcome.image, outcome.built
        size = (decimal(built.size), _added(image, built), str(built.layers)) if built else ("", "", "")
        short_id = built.id.removeprefix("sha256:")[:12] if built else ""
        result.add_row(image.name, image.local_tags[0], *size, _seconds(outcome), short_id)
    return result


def markdown(outcomes: Iterable[Outcome], description: str) -> str:
    """Return the same as a Markdown page."""
    page = table(outcomes, description)
    page.title, page.box = None, box.MARKDOWN
    text = io.StringIO()
    Console(file=text, width=PAGE_WIDTH).print(page)
    rows = "\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip())
    return f"# Sizes and build times\n\nWritten by `slipway-images build --report`, from {description}.\n\n{rows}\n"


def _added(image: Image, built: Built) -> str:
    over = " (over)" if built.added > image.size_budget else ""
    return f"{decimal(built.added)} of {decimal(image.size_budget)}{over}"


def _seconds(outcome: Outcome) -> str:
    match outcome.state:
        case State.BUILT:
            return f"{outcome.seconds:.1f}"
        case State.SKIPPED:
            return f"skipped: {outcome.reason}"
        case state:
            return str(state)
