from __future__ import annotations

import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from rnnkit.errors import UserError
from rnnkit.figures import Interactive
from rnnkit.figures.interactive import MIME
from rnnkit.figures.quantise import decode
from rnnkit.site.figure import stage_figure

WIDE = np.random.default_rng(0).random((3, 900))
FIXED = {"xaxis": {"range": [0, 1]}, "yaxis": {"range": [0, 1]}}


def spec(alt="Dots.", y=None, **extra):
    fig = go.Figure(go.Scatter(y=y), layout=FIXED)
    figure = Interactive(fig, alt=alt, **extra).slider("step", "Step <1>", ["a", "b & c", "d"], start=1)
    return figure.bind(0, "x", WIDE).mimebundle()[MIME]


def script(path):
    function, key, body = re.fullmatch(r'(\w+)\("(\w+)",(.*)\);\n', path.read_text(encoding="utf-8")).groups()
    return function, key, json.loads(body)


def test_long_arrays_are_stored_once_for_all_figures_that_use_them(tmp_path):
    for alt in ("One.", "Another."):
        stage_figure(spec(alt, caption=alt, y=[len(alt)]), tmp_path, alt)
    files = sorted(path.name for path in (tmp_path / "figs").iterdir())
    assert [name.startswith("a-") for name in files].count(True) == 1
    assert len(files) == 3
    function, key, payload = script(tmp_path / "figs" / next(name for name in files if name.startswith("a-")))
    assert (function, f"a-{key}.js") == ("rnnkitArray", next(name for name in files if name.startswith("a-")))
    np.testing.assert_allclose(decode(payload), WIDE, atol=1e-5)


def test_the_script_holds_what_the_bindings_do_not_bring(tmp_path):
    markup = stage_figure(spec(y=np.arange(900) / 7), tmp_path, "p-0")
    key = re.search(r'data-fig="(\w+)"', markup)[1]
    _, _, figure = script(tmp_path / "figs" / f"{key}.js")
    assert "x" not in figure["data"][0]
    assert figure["data"][0]["y"]["dtype"] == "f4"
    assert figure["layout"]["height"] == 450
    assert "meta" not in figure["layout"]


def test_the_same_figure_gives_the_same_files(tmp_path):
    assert stage_figure(spec(), tmp_path, "p-0") == stage_figure(spec(), tmp_path, "p-0")


def test_labels_are_escaped_and_ids_differ_on_a_page(tmp_path):
    one, two = (stage_figure(spec(alt='"Dots" & <more>'), tmp_path, f"p-{i}") for i in range(2))
    assert "Step &lt;1&gt;" in one
    assert 'aria-label="&quot;Dots&quot; &amp; &lt;more&gt;"' in one
    assert "b &amp; c</output>" in one
    ids = [re.findall(r' id="([^"]+)"', markup) for markup in (one, two)]
    assert not set(ids[0]) & set(ids[1])


def test_the_place_of_the_figure_is_kept_before_it_is_drawn(tmp_path):
    assert 'style="min-height:450px"' in stage_figure(spec(), tmp_path, "p-0")


def test_a_long_table_is_cut_on_the_page_and_says_so(tmp_path):
    markup = stage_figure(spec(table={"n": range(200), "v": np.full(200, np.nan)}), tmp_path, "p-0")
    assert markup.count("<tr>") == 61
    assert "The first 60 of 200 rows" in markup
    assert "<td>–</td>" in markup


def test_a_figure_without_a_text_alternative_stops_the_build(tmp_path):
    plain = go.Figure(go.Scatter(), layout={"title": {"text": "Losses"}}).to_plotly_json()
    with pytest.raises(UserError, match=r"text alternative: 'Losses'.*Interactive"):
        stage_figure(plain, tmp_path, "p-0")
