# SPDX-License-Identifier: Apache-2.0
"""The picture of the packages of plugins/module_utils, drawn from the table that their test holds."""

import ast
from html import escape
from pathlib import Path

TABLE = Path("tests/unit/plugins/test_rooms.py")
WIDTH, HEIGHT, GAP = 264, 54, 18
STYLE = (
    "rect{fill:#eaf1f8;stroke:#44617b}.page{fill:#fff;stroke:none}"
    "text{font:12px sans-serif;text-anchor:middle;fill:#44617b}.name{font-size:15px;font-weight:bold;fill:#1c2733}"
)

Table = dict[str, set[str]]


def read(project: Path) -> Table:
    """Return which packages each package may import."""
    for node in ast.parse((project / TABLE).read_text()).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "MAY_IMPORT":
            assert isinstance(node.value, ast.Dict)
            return {
                ast.literal_eval(key): set() if isinstance(value, ast.Call) else ast.literal_eval(value)
                for key, value in zip(node.value.keys, node.value.values, strict=True)
                if key is not None
            }
    raise LookupError(f"{TABLE} has no table MAY_IMPORT")


def levels(table: Table) -> list[list[str]]:
    """Return the packages from the lowest level up; each stands right above the highest one that it may import."""
    level: dict[str, int] = {}
    for name, below in table.items():
        level[name] = 1 + max((level[other] for other in below), default=-1)
    return [[name for name in table if level[name] == number] for number in range(max(level.values()) + 1)]


def draw(table: Table) -> str:
    """Return the picture as SVG: what a package may import is written in its box, and stands below it."""
    rows = levels(table)
    width = max(len(row) for row in rows) * (WIDTH + GAP) + GAP
    height = len(rows) * (HEIGHT + GAP) + GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
    ]
    for number, row in enumerate(rows):
        left = (width - len(row) * (WIDTH + GAP) + GAP) // 2
        top = height - (number + 1) * (HEIGHT + GAP)
        for column, name in enumerate(row):
            x = left + column * (WIDTH + GAP)
            middle = x + WIDTH // 2
            below = ", ".join(other for other in table if other in table[name]) or "imports no other"
            lines.append(f'<rect x="{x}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="5"/>')
            lines.append(f'<text class="name" x="{middle}" y="{top + 23}">{escape(name)}</text>')
            lines.append(f'<text x="{middle}" y="{top + 42}">{escape(below)}</text>')
    return "\n".join([*lines, "</svg>", ""])
