from __future__ import annotations

import re
from html import unescape

import pytest

from rnnkit.figures.step_code import EQUATIONS, TITLES, StepCode

SOURCES = {
    "rnn": {"a.rnn_step": 'def rnn_step(h):\n    """A < b & c."""\n    return h  # h'},
    "lmu": {"b.next": "def next(m):\n    return m", "b.other": "other = 1"},
}


def plain(markup: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", markup))


def sections(html: str) -> dict[str, str]:
    found = re.findall(r'<section data-cell="(\w+)".*?</section>', html, re.S)
    texts = re.findall(r"<section.*?</section>", html, re.S)
    return dict(zip(found, texts, strict=True))


def test_each_cell_has_its_choice_its_equations_and_its_code_to_the_letter():
    html = StepCode(SOURCES)._repr_html_()
    assert re.findall(r'<input type="radio"[^>]*value="(\w+)"', html) == list(SOURCES)
    assert len(re.findall(r"<input[^>]* checked", html)) == 1
    for cell, section in sections(html).items():
        codes = re.findall(r"<pre[^>]*>(.*?)</pre>", section, re.S)
        assert [plain(code).strip() for code in codes] == list(SOURCES[cell].values())
        assert all(line in unescape(section) for line in EQUATIONS[cell])
        assert all(place in section for place in SOURCES[cell])


def test_the_code_is_coloured_by_the_classes_of_the_books_own():
    html = StepCode(SOURCES)._repr_html_()
    assert html.count('<div class="highlight">') == 3
    assert '<span class="k">def</span>' in html
    assert "style=" not in html, "colours that one of the two themes cannot change"


def test_all_but_the_chosen_cell_are_hidden_by_a_rule_and_nothing_else():
    html = StepCode(SOURCES)._repr_html_()
    (style,) = re.findall(r"<style>(.*?)</style>", html)
    for cell in SOURCES:
        assert f".rnn-code:has(input[value={cell}]:checked) > section:not([data-cell={cell}])" in style
    assert "hidden" not in html, "without styles everything is seen"
    assert "<script" not in html


def test_without_html_the_code_is_there_as_text():
    text = repr(StepCode(SOURCES))
    assert "Simple RNN, a.rnn_step\ndef rnn_step(h):" in text
    assert "LMU, b.other\nother = 1" in text


def test_every_cell_has_a_title_equations_and_words():
    for cell in TITLES:
        StepCode({cell: {"a": "b = 1"}})._repr_html_()
        assert all("&=" in line for line in EQUATIONS[cell])


@pytest.mark.parametrize("sources", [{}, {"elman": {"a": "b = 1"}}, {"rnn": {}}, {"rnn": {"a": " \n"}}])
def test_what_cannot_be_shown_is_named(sources):
    with pytest.raises(ValueError, match="sources: no"):
        StepCode(sources)
