"""Plots are whole XML with a title and their numbers told, whatever these are; ink stands out by day and by night."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest

from tuning.evaluation.plots import COLOURS, Bar, Change, Series, bars, curves, scatter

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<script>alert('1')</script> & \"q\" \x00\x1b \ud83d"
PAPERS = ("#fbfaf8", "#ffffff", "#171614", "#211f1d")  # of the pages, by day and by night


def parsed(svg: str) -> ElementTree.Element:
    found = ElementTree.fromstring(svg)
    assert found.get("role") == "img"
    named = str(found.get("aria-labelledby")).split()
    told = {part.get("id"): part.text for part in found if part.tag in (f"{SVG}title", f"{SVG}desc")}
    assert all(told[name] for name in named), "a title and a description"
    return found


def described(svg: str) -> str:
    return str(parsed(svg).findtext(f"{SVG}desc"))


def words(svg: str) -> list[str]:
    return [str(text.text) for text in parsed(svg).iter(f"{SVG}text")]


def places(svg: str) -> list[list[tuple[float, float]]]:
    found = (str(line.get("points")).split() for line in parsed(svg).iter(f"{SVG}polyline"))
    return [[(float(x), float(y)) for x, y in (point.split(",") for point in points)] for points in found]


LOSS = Series("training", [(0.0, 2.5), (10.0, 1.25), (20.0, 0.5), (30.0, 0.75)])


def test_a_curve_goes_down_where_its_numbers_do_and_stays_inside() -> None:
    (points,) = places(curves("Loss", [LOSS], across="step"))
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    heights = [y for _, y in points]
    assert heights[0] < heights[1] < heights[3] < heights[2]  # downwards is more in SVG
    _, _, width, height = map(float, str(parsed(curves("Loss", [LOSS])).get("viewBox")).split())
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)


def test_its_numbers_are_told_in_both_languages() -> None:
    assert described(curves("Loss", [LOSS])) == (
        "training: from 2.500 at 0 to 0.750 at 30; lowest 0.500 at 20, highest 2.500 at 0."
    )
    assert "de 2,500 en 0 a 0,750 en 30; mínimo 0,500 en 20" in described(curves("Pérdida", [LOSS], language="es"))


def test_axes_have_round_numbers_that_hold_all_of_the_curve() -> None:
    texts = words(curves("Loss", [LOSS], across="step", up="loss"))
    assert {"0", "0.5", "1", "2.5"} <= set(texts)
    assert {"0", "10", "20", "30", "step", "loss"} <= set(texts)
    assert "1.5e−4" in words(curves("Rate", [Series("r", [(0, 0.0), (1, 2e-4)])]))
    assert "1,5e−4" in words(curves("Tasa", [Series("r", [(0, 0.0), (1, 2e-4)])], language="es"))


def test_what_is_no_number_leaves_a_gap() -> None:
    holed = [(0.0, 3.0), (1.0, 2.0), (2.0, math.nan), (3.0, 1.0), (4.0, math.inf), (5.0, 0.5), (6.0, 0.4)]
    svg = curves("Loss", [Series("a", holed)])
    assert [len(line) for line in places(svg)] == [2, 2]
    assert len(list(parsed(svg).iter(f"{SVG}circle"))) == 1  # the point that stands alone
    assert "highest 3.000" in described(svg)


def test_a_logarithmic_curve_leaves_out_what_has_no_logarithm() -> None:
    svg = curves("Loss", [Series("a", [(0, 0.0), (1, 0.1), (2, 1.0), (3, 10.0)])], logarithmic=True)
    ((_, first), (_, second), (_, third)) = places(svg)[0]
    assert first - second == pytest.approx(second - third, abs=0.2)


def test_a_long_curve_is_thinned_and_keeps_its_peaks() -> None:
    values = [1 + random.Random(at).random() for at in range(20_000)]
    values[12_345], values[777] = 9.0, -3.0
    (points,) = places(curves("Loss", [Series("a", list(enumerate(values)))]))
    assert len(points) <= 520
    sparse = places(curves("Loss", [Series("a", [(0, 1.0), (777, -3.0), (12_345, 9.0), (19_999, 1.0)])]))[0]
    assert min(y for _, y in points) == min(y for _, y in sparse)
    assert max(y for _, y in points) == max(y for _, y in sparse)


def test_several_curves_differ_by_more_than_colour_and_are_named() -> None:
    many = [Series(f"run {at}", [(0, at), (1, at + 1)]) for at in range(6)]
    svg = curves("Loss", many)
    lines = list(parsed(svg).iter(f"{SVG}polyline"))
    assert len({(line.get("stroke-dasharray")) for line in lines}) == len(many)
    assert all(one.name in words(svg) for one in many)


def test_bars_tell_value_and_interval_and_end_where_they_say() -> None:
    svg = bars("Voice", [Bar("base", 0.25, 0.1, 0.5), Bar("tuned", 1.0, 0.8, 1.0, 1), Bar("lost", -0.5, tone=2)])
    widths = [float(str(one.get("width"))) for one in parsed(svg).iter(f"{SVG}rect")]
    assert widths == pytest.approx([widths[1] / 4, widths[1], widths[1] / 2], abs=0.1)
    assert "0.25 (0.10 to 0.50)" in words(svg)
    assert described(svg) == "base: 0.25 (0.10 to 0.50). tuned: 1.00 (0.80 to 1.00). lost: −0.50."
    assert "1,00 (de 0,80 a 1,00)" in words(bars("Voz", [Bar("a", 1.0, 0.8, 1.0)], language="es"))
    assert "90%" in words(bars("Voice", [Bar("a", 0.9)], as_text=lambda value: f"{value:.0%}"))


def test_an_open_interval_is_not_drawn_and_not_told() -> None:
    svg = bars("One", [Bar("a", 0.5, -math.inf, math.inf), Bar("none", math.nan)])
    assert described(svg) == "a: 0.50."


def test_an_example_that_gained_lies_above_the_line() -> None:
    svg = scatter("Change", [Change(0.2, 0.8, "gained"), Change(0.9, 0.1, "lost"), Change(0.5, 0.5, "same")])
    x_y = {
        str(dot.findtext(f"{SVG}title")).split(":")[0]: (float(str(dot.get("cx"))), float(str(dot.get("cy"))))
        for dot in parsed(svg).iter(f"{SVG}circle")
    }
    line = next(one for one in parsed(svg).iter(f"{SVG}line") if one.get("stroke-dasharray"))
    (x1, y1), (x2, y2) = ((float(str(line.get(f"x{at}"))), float(str(line.get(f"y{at}")))) for at in (1, 2))

    def over(name: str) -> float:
        x, y = x_y[name]
        return y1 + (y2 - y1) * (x - x1) / (x2 - x1) - y

    assert over("gained") > 50
    assert over("lost") < -50
    assert abs(over("same")) < 0.2
    assert described(svg) == "3 examples: 1 higher after than before, 1 lower, 1 the same."


@pytest.mark.parametrize(
    "numbers", [[], [math.nan], [0.0], [5.0, 5.0], [-1.0, -1.0], [1e-12, 2e-12], [1e12, 3e12], [-3, 9]]
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_whatever_the_numbers_and_names_it_is_a_plot(numbers: Sequence[float], language: str) -> None:
    points = list(enumerate(numbers))
    plots = [
        curves(NASTY, [Series(NASTY, points), Series("", [])], across=NASTY, up=NASTY, language=language),
        curves(NASTY, [Series(NASTY, points)], logarithmic=True, language=language),
        bars(NASTY, [Bar(NASTY, value, value, value) for value in numbers], language=language),
        scatter(NASTY, [Change(value, value, NASTY) for value in numbers], language=language),
    ]
    for svg in plots:
        parsed(svg)
        assert "<script" not in svg
        assert "nan" not in re.sub(r"<(title|desc|text)[^>]*>[^<]*", "", svg)
        assert svg.encode()


def test_two_plots_of_a_page_have_names_of_their_own() -> None:
    names = [str(parsed(curves(title, [LOSS])).get("aria-labelledby")) for title in ("Loss", "Loss of another run")]
    assert names[0] != names[1]


def light(colour: str) -> float:
    """Relative luminance, WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("paper", PAPERS)
def test_every_colour_stands_out_on_every_paper(colour: str, paper: str) -> None:
    brighter, darker = sorted((light(colour), light(paper)), reverse=True)
    assert (brighter + 0.05) / (darker + 0.05) >= 3
