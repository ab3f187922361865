"""Claims and provenance as HTML for the pages: a claim table, a provenance card, a banner.

Plain strings, so that a notebook shows them with ``IPython.display.HTML`` and the site needs nothing
else. No blank lines: in Markdown a blank line would end a block of HTML. The classes are those of
``pages.css``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

SYMBOLS = {"reproduced": "✓", "partly": "◐", "not reproduced": "✗", "not judged": "–"}
"""What stands beside a verdict's name, so that it does not hang on colour."""

_NOTHING = hashlib.sha256(b"").hexdigest()


def claim_anchor(claim_id: str) -> str:
    """Return the HTML id of a claim's row on its page."""
    return f"claim-{claim_id}"


def verdict_badge(verdict: str) -> str:
    """Return a verdict with its symbol and colour class."""
    name = escape(verdict)
    symbol = escape(SYMBOLS.get(verdict, "?"))
    return (
        f'<span class="rnn-verdict rnn-verdict-{name.replace(" ", "-")}">'
        f'<span aria-hidden="true">{symbol}</span> {name}</span>'
    )


def claim_table(
    claims: Sequence[Mapping[str, Any]], *, caption: str = "What the paper says, and what was found here"
) -> str:
    """Return the table of one page's claims: claim, paper, here, verdict.

    Parameters
    ----------
    claims : sequence of mapping
        As `rnnkit.results.verdicts.ClaimResult.to_dict` gives them.
    caption : str, optional
        The table's caption.

    Returns
    -------
    str
        HTML; an empty string when there are no claims.
    """
    if not claims:
        return ""
    return stacked_table(caption, ("Claim", "Paper", "Here", "Verdict"), map(_claim_row, claims))


def stacked_table(caption: str, columns: Iterable[str], rows: Iterable[str]) -> str:
    """Return a table whose rows ``pages.css`` shows as cards, verdict first, on a narrow screen.

    A browser takes a table's meaning away with its ``display``, so every part carries its role as well.

    Parameters
    ----------
    caption : str
        The table's caption.
    columns : iterable of str
        The heads.
    rows : iterable of str
        HTML of the rows, made of `row_head` and `cell`.
    """
    head = "".join(f'<th scope="col" role="columnheader">{escape(name)}</th>' for name in columns)
    return (
        f'{scrolled(caption)}<table class="rnn-claim-table rnn-stacked" role="table">\n'
        f"<caption>{escape(caption)}</caption>\n"
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>\n<tbody role="rowgroup">\n'
        + "\n".join(rows)
        + "\n</tbody></table></div>"
    )


def row_head(content: str) -> str:
    """Return the cell that names a row, of HTML."""
    return f'<th scope="row" role="rowheader">{content}</th>'


def cell(column: str, content: str) -> str:
    """Return a cell of HTML that knows its column's name, to be shown where the heads are not."""
    return f'<td role="cell" data-label="{escape(column)}">{content}</td>'


def scrolled(label: str) -> str:
    """Return the opening tag of a box that scrolls sideways on a narrow screen, also by keyboard."""
    return f'<div class="rnn-scroll" role="region" tabindex="0" aria-label="{escape(label)}">'


def _claim_row(claim: Mapping[str, Any]) -> str:
    below = [f'<p class="rnn-measured">{escape(claim["measured"])}</p>'] if claim.get("measured") else []
    below += [f'<p class="rnn-reason">{escape(line)}</p>' for line in claim["reasons"]]
    if claim.get("why"):
        below.append(f'<p class="rnn-why">{escape(claim["why"])}</p>')
    below += [
        f'<p class="rnn-control-value">{escape(control["label"])}: {escape(control["value"])}</p>'
        for control in claim.get("controls", ())
    ]
    return (
        f'<tr role="row" id="{escape(claim_anchor(claim["id"]))}">'
        + row_head(f"{escape(claim['claim'])} {_where(claim['where'])}")
        + cell("Paper", escape(claim["paper_text"]))
        + cell("Here", here(claim))
        + cell("Verdict", verdict_badge(claim["verdict"]) + "".join(below))
        + "</tr>"
    )


def here(claim: Mapping[str, Any]) -> str:
    """Return what was measured for a claim, and from how many seeds or models."""
    if not claim["here_labelled"]:
        return '<span class="rnn-where">not measured</span>'
    found = [f"{_where(one['label'])} {_unbroken(one['value'])}".lstrip() for one in claim["here_labelled"]]
    items = "".join(f"<li>{one}</li>" for one in found)
    shown = found[0] if len(found) == 1 else f'<ul class="rnn-here" role="list">{items}</ul>'
    return f"{shown} {_where(claim['counted'])}".rstrip()


def _where(text: str) -> str:
    return f'<span class="rnn-where">{escape(text)}</span>' if text else ""


def _unbroken(text: str) -> str:
    """A number and its interval, of which neither is broken into two lines."""
    return " [".join(escape(part).replace(" ", "&nbsp;") for part in text.split(" [", 1))


def provenance_card(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return where a page's numbers come from: budget, device, seeds, code revision, data, computing time.

    Parameters
    ----------
    runs : sequence of mapping
        The ``run.json`` of each record that the page shows (`rnnkit.results.Record.run`).
    """
    data = {
        (name, sha)
        for run in runs
        for name, sha in run.get("data_checksums", {}).items()
        if sha != _NOTHING  # a set that the record did not need
    }
    seconds = sum(run.get("wall_seconds", 0.0) for run in runs)
    facts = [
        ("Budget", _listed(run.get("budget") for run in runs)),
        ("Device", _listed(run.get("device") for run in runs)),
        ("Seeds", _spans(sorted({seed for run in runs for seed in _seeds(run)}))),
        ("Code revision", _listed(_revision(run) for run in runs)),
        ("Data (SHA-256)", "<br>".join(f"{escape(name)} {_code(sha)}" for name, sha in sorted(data))),
        ("Computing time", f"{seconds:,.0f} s for {len(runs)} record{'' if len(runs) == 1 else 's'}"),
    ]
    rows = "\n".join(f"<div><dt>{name}</dt><dd>{value or 'unknown'}</dd></div>" for name, value in facts)
    return (
        '<div class="rnn-card" role="group" aria-label="Where these numbers come from">\n'
        f'<p class="rnn-card-title">Where these numbers come from</p>\n<dl>\n{rows}\n</dl></div>'
    )


def _seeds(run: Mapping[str, Any]) -> list[int]:
    """The seeds of a record: its own, or those of all nets of a population."""
    net = run.get("config", {}).get("net", {})
    many = net.get("seeds") if isinstance(net, Mapping) else None
    return list(many) if many else [run["seed"]] if "seed" in run else []


def _spans(seeds: Sequence[int]) -> str:
    """Sorted numbers as text: ``0, 1``, and ``0 to 19`` where more than two follow each other."""
    runs: list[list[int]] = []
    for seed in seeds:
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(escape(str(value)) for value in sorted({value for value in values if value}))


def _code(sha: str) -> str:
    return f'<code title="{escape(sha)}">{escape(sha[:12])}</code>'


def _revision(run: Mapping[str, Any]) -> str:
    git = run.get("git") or {}
    if not git.get("revision"):
        return f"rnnkit {run['rnnkit']}" if run.get("rnnkit") else ""
    return git["revision"][:12] + (" with uncommitted changes" if git.get("dirty") else "")


def banner(budget: str, dataset: str, note: str = "") -> str:
    """Return the warning on top of a page whose numbers are not those to hold against the paper.

    Parameters
    ----------
    budget : str
        ``"quick"``, ``"paper"``, or another of the study's.
    dataset : str
        ``"mnist"`` or ``"digits"``.
    note : str
        A sentence, plain text, that says what the budget leaves out.

    Returns
    -------
    str
        HTML; an empty string for the paper's budget on MNIST.
    """
    lines = []
    if budget != "paper":
        name = escape(budget.capitalize())
        said = f" {escape(note)}" if note else ""
        lines.append(
            f"<strong>{name} budget:</strong> these numbers are not comparable with the paper.{said}"
        )
    if dataset == "digits":
        lines.append(
            "<strong>Digits instead of MNIST:</strong> MNIST was not found, so scikit-learn's small 8×8 "
            "digits stand in for it."
        )
    if not lines:
        return ""
    return f'<div class="rnn-banner" role="note">{"".join(f"<p>{line}</p>" for line in lines)}</div>'
