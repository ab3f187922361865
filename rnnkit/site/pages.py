"""Pages that are computed and not executed: the scoreboard over all claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from rnnkit.errors import UserError
from rnnkit.results.judging import VERDICTS
from rnnkit.results.render_html import cell, claim_anchor, here, row_head, stacked_table, verdict_badge

SCOREBOARD_MARK = "<!-- scoreboard -->"
_COLUMNS = ("Claim", "Chapter", "Paper", "Here", "Verdict")


def fill_scoreboard(
    source: str, claims: Sequence[Mapping[str, Any]], titles: Mapping[str, str] | None = None
) -> str:
    """Put the scoreboard where a Markdown page says ``<!-- scoreboard -->``.

    Parameters
    ----------
    source : str
        The page, ``book/scoreboard.md``.
    claims : sequence of mapping
        As `scoreboard`.
    titles : mapping of str to str, optional
        As `scoreboard`.

    Raises
    ------
    UserError
        When the page does not have exactly one such line.
    """
    lines = source.splitlines()
    if lines.count(SCOREBOARD_MARK) != 1:
        raise UserError(
            "the scoreboard page has no place for the table",
            allowed=f"exactly one line {SCOREBOARD_MARK}",
            hint="Add the line to book/scoreboard.md",
        )
    place = lines.index(SCOREBOARD_MARK)
    return "\n".join([*lines[:place], "", scoreboard(claims, titles), "", *lines[place + 1 :], ""])


def scoreboard(claims: Sequence[Mapping[str, Any]], titles: Mapping[str, str] | None = None) -> str:
    """Return all claims as one table with counts on top, to be filtered by chapter and verdict.

    The filters appear only where ``scoreboard.js`` runs; without it the whole table is there.

    Parameters
    ----------
    claims : sequence of mapping
        As `rnnkit.results.verdicts.ClaimResult.to_dict` gives them. Each row links to its claim on its
        page, relative to the book's folder.
    titles : mapping of str to str, optional
        What to call a chapter; its own name where there is none.
    """
    titles = titles or {}
    chapters = list(dict.fromkeys(claim["chapter"] for claim in claims))
    filters = _select("chapter", "Chapter", [(name, titles.get(name, name)) for name in chapters])
    filters += _select("verdict", "Verdict", [(verdict, verdict) for verdict in VERDICTS])
    table = stacked_table("All claims", _COLUMNS, (_row(claim, titles) for claim in claims))
    return (
        f'<div class="rnn-scoreboard">\n{_counts(claims)}\n'
        f'<form class="rnn-filter" hidden>{filters}<p class="rnn-shown" role="status"></p></form>\n'
        f"{table}</div>"
    )


def _counts(claims: Sequence[Mapping[str, Any]]) -> str:
    count = Counter(claim["verdict"] for claim in claims)
    items = "".join(f"<li><strong>{count[name]}</strong> {verdict_badge(name)}</li>" for name in VERDICTS)
    return f'<ul class="rnn-counts">{items}</ul>'


def _select(name: str, label: str, options: Iterable[tuple[str, str]]) -> str:
    listed = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options)
    return (
        f'<label for="rnn-filter-{name}">{label}</label>'
        f'<select id="rnn-filter-{name}" data-filter="{name}"><option value="">all</option>{listed}</select>'
    )


def _row(claim: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    link = escape(f"{quote(claim['page'])}.html#{quote(claim_anchor(claim['id']))}")
    chapter = escape(claim["chapter"])
    where = f'<span class="rnn-where">{escape(claim["where"])}</span>'
    return (
        f'<tr role="row" data-chapter="{chapter}" data-verdict="{escape(claim["verdict"])}">'
        + row_head(f'<a href="{link}">{escape(claim["claim"])}</a>')
        + cell("Chapter", f"{escape(titles.get(claim['chapter'], claim['chapter']))} {where}")
        + cell("Paper", escape(claim["paper_text"]))
        + cell("Here", here(claim))
        + cell("Verdict", verdict_badge(claim["verdict"]))
        + "</tr>"
    )
