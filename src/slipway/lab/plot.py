# SPDX-License-Identifier: Apache-2.0
"""The plot of the benchmark: the controller's cost of a host over the number of hosts."""

from html import escape

WIDTH, HEIGHT, MARGIN = 640, 320, 56
LEGEND = 110  # room for names at the right
COLOURS = ("#1c5d99", "#b0413e", "#5d7052", "#7a5195")
STYLE = "text{font:12px sans-serif;fill:#1c2733}.page{fill:#fff}.axis{stroke:#8795a1}polyline{fill:none;stroke-width:2}"

# Points of a line: number of hosts and seconds a host.
Series = dict[str, dict[int, float]]


def draw(series: Series) -> str:
    """Return the plot as SVG. Numbers of hosts are evenly spaced, since they grow by factors."""
    counts = sorted({count for points in series.values() for count in points})
    highest = max(seconds for points in series.values() for seconds in points.values())
    right, bottom = WIDTH - LEGEND, HEIGHT - MARGIN

    def x(count: int) -> float:
        return MARGIN + (right - MARGIN) * counts.index(count) / max(1, len(counts) - 1)

    def y(seconds: float) -> float:
        return bottom - (bottom - MARGIN / 2) * seconds / highest

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<line class="axis" x1="{MARGIN}" y1="{bottom}" x2="{right}" y2="{bottom}"/>',
        f'<text x="{MARGIN}" y="{HEIGHT - 12}">hosts of a run that changes nothing</text>',
        '<text x="8" y="16">seconds of CPU a host</text>',
        *(f'<text x="{x(count):.0f}" y="{bottom + 18}" text-anchor="middle">{count}</text>' for count in counts),
    ]
    for colour, (name, points) in zip(COLOURS, series.items(), strict=False):
        path = " ".join(f"{x(count):.0f},{y(seconds):.0f}" for count, seconds in sorted(points.items()))
        last = max(points)
        lines.append(f'<polyline points="{path}" stroke="{colour}"/>')
        lines += [
            f'<text x="{x(count):.0f}" y="{y(seconds) - 6:.0f}" text-anchor="middle">{seconds:.2f}</text>'
            for count, seconds in points.items()
        ]
        lines.append(f'<text x="{x(last) + 24:.0f}" y="{y(points[last]) + 4:.0f}">{escape(name)}</text>')
    return "\n".join([*lines, "</svg>", ""])
