"""Colours of the HTML report: contrasts of its style sheet, in its light and its dark scheme, computed as WCAG 2.2 defines them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_clip.report.html import page

STYLE = (Path(page.__file__).parent / "templates" / "style.css").read_text("utf-8")
VERDICTS = ("pass", "fail", "insufficient", "warn", "waived", "unjudged", "not_measured")
CELLS = {1: 0.14, 2: 0.26, 3: 0.38, 4: 0.5}


def variables(block):
    return {name: tuple(int(text[k : k + 2], 16) for k in (0, 2, 4)) for name, text in re.findall(r"--([\w-]+): #([0-9a-f]{6});", block)}


LIGHT = variables(STYLE.partition("@media")[0])
DARK = LIGHT | variables(STYLE.partition("prefers-color-scheme: dark")[2].partition("* {")[0])
SCHEMES = pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (each / 255 for each in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def over(colour, alpha, ground):
    return tuple(alpha * c + (1 - alpha) * g for c, g in zip(colour, ground, strict=True))


def test_the_measure_is_that_of_wcag():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((0x76, 0x76, 0x76), (255, 255, 255)) == pytest.approx(4.54, abs=0.005)


def test_the_schemes_differ_in_every_colour():
    assert set(variables(STYLE.partition("prefers-color-scheme: dark")[2])) == set(LIGHT)
    assert all(LIGHT[name] != DARK[name] for name in LIGHT)


@SCHEMES
@pytest.mark.parametrize("ground", ["bg", "card", "sunk"])
@pytest.mark.parametrize("text", ["fg", "muted", "link", *VERDICTS])
def test_text_can_be_read(scheme, text, ground):
    assert contrast(scheme[text], scheme[ground]) >= 4.5


@SCHEMES
@pytest.mark.parametrize("mark", ["s0", "s1", "s2", "s3", "s4", "s5", "bound", "edge", "focus", "fail"])
def test_marks_are_seen_on_their_card(scheme, mark):
    assert contrast(scheme[mark], scheme["card"]) >= 3


@SCHEMES
@pytest.mark.parametrize("level", CELLS)
def test_numbers_can_be_read_in_the_cells_of_a_matrix(scheme, level):
    alpha = float(re.search(rf"\.l{level} {{ fill-opacity: ([.\d]+)", STYLE).group(1))
    assert alpha == CELLS[level]
    assert contrast(scheme["fg"], over(scheme["s0"], alpha, scheme["card"])) >= 4.5
