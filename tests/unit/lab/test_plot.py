# SPDX-License-Identifier: Apache-2.0
"""The plot of the benchmark is a picture with every number that was measured."""

from xml.etree import ElementTree

from slipway.lab import plot

SERIES: plot.Series = {"site.yml": {1: 6.0, 5: 2.0, 50: 1.5}, "<yardstick>": {1: 9.0, 5: 4.0, 50: 3.0}}
SVG = "{http://www.w3.org/2000/svg}"


def test_each_line_is_named_and_has_a_point_for_each_number_of_hosts() -> None:
    picture = ElementTree.fromstring(plot.draw(SERIES))
    lines = [line.attrib["points"].split() for line in picture.iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [3, 3]
    texts = {text.text for text in picture.iter(f"{SVG}text")}
    assert {"site.yml", "<yardstick>", "1", "5", "50", "6.00", "1.50", "9.00"} <= texts


def test_more_seconds_are_higher_and_more_hosts_further_right() -> None:
    (first, *_, last), (higher, *_) = (
        [tuple(map(int, point.split(","))) for point in line.attrib["points"].split()]
        for line in ElementTree.fromstring(plot.draw(SERIES)).iter(f"{SVG}polyline")
    )
    assert last[0] > first[0]
    assert higher[1] < first[1] < last[1]
