"""The pages' HTML: everything escaped, tables that a screen reader can walk, colours that can be read."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import rnnkit.site
from rnnkit.errors import UserError
from rnnkit.results import VERDICTS, ClaimResult
from rnnkit.results.render_html import banner, claim_table, provenance_card
from rnnkit.site.pages import fill_scoreboard, scoreboard

HOSTILE = "<script>alert('x')</script> & \"more\""
CSS = Path(rnnkit.site.__file__).parent / "assets/pages.css"


def claim(number: int = 0, **changes) -> dict:
    fields = {
        "id": f"geometry-claim-{number}",
        "chapter": "geometry",
        "where": "Section 2",
        "claim": f"claim {number}",
        "page": "geometry/01_task",
        "paper": 0.93,
        "paper_text": "a little over 93 %",
        "here": 0.931,
        "here_labelled": (("", "93.10 % [92.80, 93.40]"),),
        "interval": (0.928, 0.934),
        "n": 5,
        "of": "seeds",
        "counted": "5 seeds",
        "budget": "paper",
        "device": "cpu",
        "verdict": "reproduced",
        "reason": "mean 93.10 % lies within 93 ± 1 %",
        "reasons": ("mean 93.10 % lies within 93 ± 1 %",),
        "measured": None,
        "why": None,
        "controls": (),
    }
    return ClaimResult(**{**fields, **changes}).to_dict()


class Page(HTMLParser):
    """The tags, attributes and text of a piece of HTML; refuses what is not closed in order."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert len(dict(attributes)) == len(attributes)
        self.tags.append((tag, dict(attributes)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


RUN = {
    "budget": "paper",
    "device": "cpu",
    "seed": 0,
    "wall_seconds": 100.4,
    "rnnkit": "0.1.0",
    "git": {"revision": "0123456789abcdef" * 2 + "01234567", "dirty": False},
    "data_checksums": {"train-images": "ab" * 32},
}

PIECES = {
    "claim_table": lambda text: claim_table(
        [
            claim(
                claim=text,
                where=text,
                paper_text=text,
                here_labelled=((text, text), (text, text)),
                reasons=(text,),
                measured=text,
                why=text,
                controls=((text, text),),
            )
        ],
        caption=text,
    ),
    "scoreboard": lambda text: scoreboard(
        [claim(claim=text, where=text, paper_text=text, here_labelled=(("", text),), page=text)],
        {"geometry": text},
    ),
    "provenance_card": lambda text: provenance_card(
        [{**RUN, "budget": text, "device": text, "data_checksums": {text: text}}]
    ),
    "banner": lambda text: banner(text, "digits"),
}


@pytest.mark.parametrize("piece", PIECES)
def test_what_comes_from_outside_is_escaped_and_the_rest_is_plain_html(piece):
    html = PIECES[piece](HOSTILE)
    page = Page(html)
    assert not page.all("script")
    assert "alert('x')" in page.text
    assert not any("style" in attributes for _, attributes in page.tags)
    assert "\n\n" not in html
    for name in re.findall(r'class="([^"]*)"', html):
        assert all(one.startswith("rnn-") for one in name.split())


@pytest.mark.parametrize("html", [claim_table([claim()]), scoreboard([claim()])])
def test_a_table_has_a_caption_and_a_scope_on_each_head_and_scrolls_by_keyboard(html):
    page = Page(html)
    assert len(page.all("caption")) == 1
    scopes = [attributes["scope"] for attributes in page.all("th")]
    assert scopes.count("row") == 1
    assert scopes.count("col") == len(page.all("td")) + 1
    box = next(attributes for attributes in page.all("div") if attributes.get("class") == "rnn-scroll")
    assert box["tabindex"] == "0"
    assert box["aria-label"]


@pytest.mark.parametrize("html", [claim_table([claim()]), scoreboard([claim()])])
def test_a_table_keeps_its_meaning_and_its_column_names_when_it_is_laid_out_as_cards(html):
    page = Page(html)
    roles = {"table": {"table"}, "thead": {"rowgroup"}, "tbody": {"rowgroup"}, "tr": {"row"}, "td": {"cell"}}
    assert {tag: {one.get("role") for one in page.all(tag)} for tag in roles} == roles
    for head in page.all("th"):
        assert head["role"] == {"row": "rowheader", "col": "columnheader"}[head["scope"]]
    names = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', html)
    assert [one["data-label"] for one in page.all("td")] == names[1:]


def test_a_claim_shows_paper_here_seeds_verdict_reason_and_control():
    shown = claim(
        verdict="partly",
        why="It hangs on the ink.",
        controls=(("untrained net", "31.00 %"),),
        n=1,
        counted="1 seed",
    )
    text = Page(claim_table([shown])).text
    for part in (
        "claim 0",
        "Section 2",
        "a little over 93 %",
        "93.10 % [92.80, 93.40] 1 seed",
        "◐ partly",
        "lies within",
        "It hangs on the ink.",
        "untrained net: 31.00 %",
    ):
        assert part in text


def test_several_numbers_and_reasons_are_listed_one_below_the_other():
    several = claim(
        here=None,
        here_labelled=(("LSTM", "1 % [0, 2]"), ("GRU", "2 %")),
        reasons=("1 of 2 hold", "above 1 %: GRU"),
    )
    for html in (claim_table([several]), scoreboard([several])):
        assert Page(html).all("ul")[-1] == {"class": "rnn-here", "role": "list"}
        assert '<li><span class="rnn-where">LSTM</span> 1&nbsp;% [0,&nbsp;2]</li>' in html
    assert claim_table([several]).count('class="rnn-reason"') == 2


def test_a_claim_without_a_measurement_says_so():
    text = Page(claim_table([claim(here=None, here_labelled=(), n=0, counted="", verdict="not judged")])).text
    assert "not measured" in text
    assert "seed" not in text


def test_numbers_of_models_are_not_called_seeds():
    shown = claim(n=70, of="models", counted="70 and 80 models")
    for html in (claim_table([shown]), scoreboard([shown])):
        assert "93.10 % [92.80, 93.40] 70 and 80 models" in Page(html).text
        assert "seed" not in Page(html).text


def test_no_claims_make_no_table():
    assert claim_table([]) == ""


def test_the_scoreboard_counts_every_verdict_and_links_to_the_row_of_each_claim():
    claims = [
        claim(number, verdict=VERDICTS[number % 3], chapter="a" if number else "b") for number in range(7)
    ]
    html = scoreboard(claims)
    page = Page(html)
    assert "3 ✓ reproduced" in page.text
    assert "2 ◐ partly" in page.text
    assert "2 ✗ not reproduced" in page.text
    assert "0 – not judged" in page.text
    anchors = {attributes["id"] for attributes in Page(claim_table(claims)).all("tr") if attributes.get("id")}
    links = [attributes["href"] for attributes in page.all("a")]
    assert [link.partition("#")[0] for link in links] == ["geometry/01_task.html"] * 7
    assert {link.partition("#")[2] for link in links} == anchors
    rows = [attributes for attributes in page.all("tr") if "data-verdict" in attributes]
    assert [row["data-verdict"] for row in rows] == [one["verdict"] for one in claims]
    offered = {attributes["value"] for attributes in page.all("option")}
    assert offered == {"", "a", "b", *VERDICTS}
    labelled = {attributes["for"] for attributes in page.all("label")}
    assert labelled == {attributes["id"] for attributes in page.all("select")}


def test_the_scoreboard_takes_the_place_of_its_mark_and_nothing_else():
    filled = fill_scoreboard("# Scoreboard\n\nWords.\n<!-- scoreboard -->\nMore words.\n", [claim()])
    before, _, after = filled.partition('<div class="rnn-scoreboard">')
    assert before == "# Scoreboard\n\nWords.\n\n"
    assert after.endswith("</div>\n\nMore words.\n")


@pytest.mark.parametrize("source", ["# Scoreboard\n", "<!-- scoreboard -->\n<!-- scoreboard -->\n"])
def test_a_scoreboard_page_without_one_mark_is_refused(source):
    with pytest.raises(UserError, match="exactly one line"):
        fill_scoreboard(source, [])


def test_the_card_gathers_its_records():
    runs = [RUN, {**RUN, "seed": 10}, {**RUN, "seed": 2, "git": {"revision": "f" * 40, "dirty": True}}]
    text = Page(provenance_card(runs)).text
    assert "Seeds 0, 2, 10" in text
    assert "0123456789ab, ffffffffffff with uncommitted changes" in text
    assert text.count("train-images abababababab") == 1
    assert "301 s for 3 records" in text


def test_the_card_names_every_seed_of_a_population():
    population = {**RUN, "config": {"net": {"seeds": [0, 1, 2, 3]}}}
    alone = [{**RUN, "config": {"net": {"name": "gru"}}, "seed": seed} for seed in (6, 8, 9)]
    assert "0 to 3, 6, 8, 9" in Page(provenance_card([population, *alone])).text


def test_the_card_of_a_library_without_a_repository_names_its_version():
    text = Page(provenance_card([{**RUN, "git": {"revision": None, "dirty": None}}])).text
    assert "rnnkit 0.1.0" in text
    assert "100 s for 1 record" in text


def test_the_banner_warns_of_what_cannot_be_compared_and_only_of_that():
    assert banner("paper", "mnist") == ""
    assert (
        "Quick budget: these numbers are not comparable with the paper" in Page(banner("quick", "mnist")).text
    )
    both = Page(banner("quick", "digits")).text
    assert "Quick budget" in both
    assert "Digits instead of MNIST" in both
    assert "budget" not in Page(banner("paper", "digits")).text


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("theme", "page"), [("html", "#ffffff"), ('html[data-theme="dark"]', "#14181e")], ids=["light", "dark"]
)
def test_text_has_the_contrast_of_wcag_aa(theme, page):
    block = re.search(rf"^{re.escape(theme)} \{{(.*?)\}}", CSS.read_text(), re.DOTALL | re.MULTILINE)
    colors = dict(re.findall(r"--rnn-([a-z-]+): (#[0-9a-f]{6});", block[1]))
    on_page = [(name, ground) for name in ("text", "faint", "link") for ground in (page, colors["surface"])]
    pairs = [(colors[name], ground) for name, ground in on_page]
    pairs += [(colors[name], colors[f"{name}-back"]) for name in ("good", "mixed", "bad", "none")]
    assert min(contrast(*pair) for pair in pairs) >= 4.5
    assert min(contrast(colors["edge"], ground) for ground in (page, colors["surface"])) >= 3


def test_every_class_of_the_html_has_a_style():
    html = "".join(make("x") for make in PIECES.values())
    html += scoreboard([claim(i, verdict=verdict) for i, verdict in enumerate(VERDICTS)])
    used = {one for name in re.findall(r'class="([^"]*)"', html) for one in name.split()}
    styled = set(re.findall(r"\.(rnn-[a-z-]+)", CSS.read_text()))
    assert used - styled <= {"rnn-scoreboard", "rnn-shown"}
    assert styled <= used


def test_what_the_number_is_stands_before_the_reason():
    html = claim_table([claim(measured="Share of <sixes>.")])
    assert html.index("Share of &lt;sixes&gt;.") < html.index("rnn-reason")
