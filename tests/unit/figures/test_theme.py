from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

import rnnkit.site
from rnnkit.figures import theme
from rnnkit.figures.frame import net_name
from rnnkit.models import TITLES

# Deuteranopia and protanopia at full severity, on linear RGB (Machado, Oliveira and Fernandes 2009).
VISION = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}


def linear(color):
    c = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    a, b = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other)), reverse=True)
    return (a + 0.05) / (b + 0.05)


def oklab(rgb):
    """Ottosson 2020, from linear RGB."""
    lms = np.cbrt(
        np.clip(rgb, 0, 1)
        @ np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        ).T
    )
    return (
        lms
        @ np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        ).T
    )


DATA_COLORS = [
    *theme.DIGITS,
    *theme.CLUSTERS,
    *theme.NETS.values(),
    *theme.CELLS.values(),
    *theme.MODELS.values(),
    *theme.WORDS.values(),
    theme.NEUTRAL,
    *(c for _, c in theme.certainty_colorscale()),
]


@pytest.mark.parametrize("page", sorted(theme.BACKGROUNDS))
@pytest.mark.parametrize("color", DATA_COLORS)
def test_every_data_colour_stands_out_from_both_pages(color, page):
    assert contrast(color, theme.BACKGROUNDS[page]) >= 3


@pytest.mark.parametrize("page", sorted(theme.TOKENS))
def test_ink_can_be_read_and_lines_can_be_seen(page):
    tokens = theme.TOKENS[page]
    assert contrast(tokens["ink"], theme.BACKGROUNDS[page]) >= 7
    assert contrast(tokens["line"], theme.BACKGROUNDS[page]) >= 3


@pytest.mark.parametrize(
    ("vision", "least"), [("normal", 0.14), ("deuteranopia", 0.08), ("protanopia", 0.08)]
)
def test_any_two_digit_colours_can_be_told_apart(vision, least):
    seen = [oklab(VISION[vision] @ linear(c)) for c in theme.DIGITS]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) >= least


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("colors", [theme.CELLS, theme.WORDS], ids=["cells", "words"])
def test_cells_and_kinds_of_words_can_be_told_apart(colors, vision):
    seen = [oklab(VISION[vision] @ linear(c)) for c in colors.values()]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) >= 0.14


SIX = tuple(TITLES)
AT_LENGTH = tuple(f"{net}-full" for net in SIX)
SETTINGS = tuple(name for name in theme.MODELS if name not in AT_LENGTH)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    ("names", "least"),
    [(SIX, 0.1), (SETTINGS, 0.05), (SIX + AT_LENGTH, 0.05)],
    ids=["six", "settings", "lengths"],
)
def test_models_can_be_told_apart(names, least, vision):
    seen = [oklab(VISION[vision] @ linear(theme.MODELS[name])) for name in names]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) >= least


@pytest.mark.parametrize("net", SIX)
def test_a_net_at_full_length_is_nearest_in_hue_to_its_own(net):
    def hue(name):
        return np.angle(complex(*oklab(linear(theme.MODELS[name]))[1:]))

    def apart(other):
        return abs(np.angle(np.exp(1j * (hue(f"{net}-full") - hue(other)))))

    assert min(SIX, key=apart) == net
    assert net_name(f"{net}-full") == f"{TITLES[net]} at full length"


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_hybrid_is_lighter_and_nearer_in_hue_to_its_own_cell_than_to_another(cell):
    def hue(color):
        return np.angle(complex(*oklab(linear(color))[1:]))

    def apart(one, other):
        return abs(np.angle(np.exp(1j * (hue(theme.MODELS[one]) - hue(theme.MODELS[other])))))

    hybrid = f"lmu-{cell}"
    assert min(("rnn", "lstm", "gru"), key=lambda other: apart(hybrid, other)) == cell
    assert oklab(linear(theme.MODELS[hybrid]))[0] > oklab(linear(theme.MODELS[cell]))[0]


def test_models_are_called_as_their_makers_call_them_and_have_the_colour_of_their_cell():
    assert {name: net_name(name) for name in TITLES} == dict(TITLES)
    assert {name: theme.net_color(name) for name in theme.CELLS} == dict(theme.CELLS)
    assert all(net_name(name) != name for name in theme.MODELS)


def test_a_cluster_has_no_digit_colour():
    clusters, digits = ([oklab(linear(c)) for c in group] for group in (theme.CLUSTERS, theme.DIGITS))
    assert min(np.linalg.norm(a - b) for a in clusters for b in digits) >= 0.03
    assert min(np.linalg.norm(a - b) for a, b in combinations(clusters, 2)) >= 0.08


def test_the_stepped_scale_gives_each_class_its_colour():
    scale = theme.digit_colorscale()
    marker = theme.digit_marker()
    for digit, color in enumerate(theme.DIGITS):
        place = (digit - marker["cmin"]) / (marker["cmax"] - marker["cmin"])
        below = max(i for i, (edge, _) in enumerate(scale) if edge <= place)
        assert scale[below][1] == scale[below + 1][1] == color
    go.Scatter(marker=theme.digit_marker(size=4))


def test_the_styles_hold_the_same_ink_line_and_grid():
    css = (Path(rnnkit.site.__file__).parent / "assets" / "rnnkit.css").read_text(encoding="utf-8")
    for page, selector in (("light", "html {"), ("dark", 'html[data-theme="dark"] {')):
        block = css[css.index(selector) :]
        found = dict(re.findall(r"--rnn-(ink|line|grid): (#\w+);", block[: block.index("}")]))
        assert found == dict(theme.TOKENS[page])
    assert f"--pst-color-background: {theme.BACKGROUNDS['dark']}" in css


def test_the_template_leaves_the_page_to_shine_through():
    light, dark = theme.template().layout, theme.template("dark").layout
    assert light.paper_bgcolor == dark.plot_bgcolor == "rgba(0,0,0,0)"
    assert light.font.color != dark.font.color


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: theme.digit_color(10), r"0\.\.9.*10"),
        (lambda: theme.net_color("elman"), "elman.*paper.*lmu-gru"),
        (lambda: theme.cell_color("lstm"), "lstm.*rnn, gru"),
        (lambda: theme.template("sepia"), "light, dark.*sepia"),
    ],
)
def test_unknown_names_are_refused_with_what_is_allowed(call, match):
    with pytest.raises(ValueError, match=match):
        call()
