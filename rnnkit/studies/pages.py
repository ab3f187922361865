"""What every page of the book owes its reader beside figures: banner, claims, where its numbers come from."""

from __future__ import annotations

from typing import Any

from rnnkit import paths
from rnnkit.results import ClaimResult, evaluate, load_claims
from rnnkit.results.judging import NOT_RUN
from rnnkit.results.render_html import banner, claim_table, provenance_card
from rnnkit.studies.base import Study

_JUDGED = "paper"
_SCOREBOARD_LINK = '<a href="../scoreboard.html">scoreboard</a>'


class Shown:
    """HTML that a notebook shows as the result of a cell, with a plain text beside it."""

    def __init__(self, html: str, text: str) -> None:
        self._html, self._text = html, text

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return self._text


class Page:
    """A page of a chapter and the study that it shows.

    Parameters
    ----------
    name : str
        As in the table of contents: ``geometry/02_truncation``.
    settings
        The notebook's parameters: ``budget``, ``seeds``, ``device``. Records that are missing are computed.
    """

    def __init__(self, name: str, **settings: Any) -> None:
        from rnnkit.studies import open as open_study

        self.name = name
        self.study = open_study(name.split("/")[0], **settings)
        self.study.ensure()

    def banner(self) -> Shown:
        """The warning on top of a page whose numbers are not to be held against the paper; empty if they are."""
        study = self.study
        html = banner(study.budget, study.dataset, study.budget_note())
        return Shown(html, f"budget: {study.budget}, data: {study.dataset}")

    def claims(self) -> Shown:
        """The paper's claims that belong to this page, with what was found here."""
        results = [r for r in claim_results(self.study) if r.page == self.name]
        if not results:
            text = "No claim of the paper is settled on this page alone; the scoreboard has them all."
            return Shown(f"<p>{text.replace('scoreboard', _SCOREBOARD_LINK)}</p>", text)
        text = "; ".join(f"{result.id}: {result.verdict}" for result in results)
        return Shown(claim_table([result.to_dict() for result in results]), text)

    def provenance(self, *kinds: str) -> Shown:
        """Budget, device, seeds, code revision, data checksums and seconds of the records behind this page.

        Parameters
        ----------
        *kinds : str
            Of the records that the page shows; left out: all of the chapter's.
        """
        runs = [record.run for record in self.study.every_record() if not kinds or record.key.kind in kinds]
        return Shown(provenance_card(runs), f"{len(runs)} records")


def claim_results(study: Study) -> list[ClaimResult]:
    """Every claim of the chapter's ledger, settled by its rule from the records that exist.

    A chapter that is published below the paper's budget takes what is measured at the paper's all the same, as the
    scoreboard does: numbers that hang on no training, and those of nets that were trained as in the paper, be it with
    too few seeds to judge by.
    """
    results = _evaluated(study)
    if study.budget == _JUDGED or study.budget != study.published_budget():
        return results
    at_length = _evaluated(_at_length(study))
    return [
        settled if settled.verdict != NOT_RUN or settled.n else measured
        for settled, measured in zip(at_length, results, strict=True)
    ]


def _at_length(study: Study) -> Study:
    """The same at the paper's budget, with those of its seeds that a net was trained with."""
    settings: dict[str, Any] = {"budget": _JUDGED, "device": study.settings.device, "store": study.store}
    every = type(study)(**settings)
    trained = {record.run["seed"] for record in every.records("train")}
    return type(study)(seeds=[seed for seed in every.seeds if seed in trained], **settings)


def _evaluated(study: Study) -> list[ClaimResult]:
    ledger = load_claims(paths.repository() / "book" / study.chapter / "claims.yml", study.chapter)
    runs = [record.run for record in study.every_record()]
    device = ", ".join(sorted({run["device"] for run in runs})) or study.settings.device
    return evaluate(ledger, study.measurements(), budget=study.budget, device=device)
