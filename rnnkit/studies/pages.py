"""What every page of the book owes its reader beside figures: banner, claims, where its numbers come from."""

from __future__ import annotations

import json
from typing import Any

from rnnkit import paths
from rnnkit.results import ClaimResult, evaluate, load_claims
from rnnkit.results.judging import NOT_JUDGED
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

    def banner(self, *, trained: bool = True) -> Shown:
        """The warning on top of a page whose numbers are not to be compared with the paper's; empty if they are.

        On a page that shows no trained nets, data may differ from the paper's, but not the effort.
        """
        study = self.study
        html = banner(study.budget if trained else "paper", study.dataset, study.budget_note())
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
    too few seeds to judge by. Each claim is settled with as many seeds as everything that it looks at has.
    """
    results = _settled(study)
    if study.budget == _JUDGED or study.budget != study.published_budget():
        return results
    at_length = _settled(type(study)(budget=_JUDGED, device=study.settings.device, store=study.store))
    return _filled_up(at_length, results)


def _settled(study: Study) -> list[ClaimResult]:
    found = _evaluated(study)
    for seeds in _choices_of_seeds(study):
        if all(map(_has_numbers, found)):
            break
        fewer = type(study)(budget=study.budget, seeds=seeds, device=study.settings.device, store=study.store)
        found = _filled_up(found, _evaluated(fewer))
    return found


def _filled_up(results: list[ClaimResult], others: list[ClaimResult]) -> list[ClaimResult]:
    """The results, or of the same claim the other where one has no numbers."""
    return [one if _has_numbers(one) else other for one, other in zip(results, others, strict=True)]


def _has_numbers(result: ClaimResult) -> bool:
    return result.verdict != NOT_JUDGED or result.n > 0


def _choices_of_seeds(study: Study) -> list[tuple[int, ...]]:
    """Fewer seeds that records of some kind and config were made with, or of two such, the most first."""
    seeds: dict[tuple[str, str], set[int]] = {}
    for record in study.every_record():
        config = json.dumps({**record.key.config, "seed": None}, sort_keys=True)
        seeds.setdefault((record.key.kind, config), set()).add(record.run["seed"])
    everything = set(study.seeds)
    common = {frozenset(one & other & everything) for one in seeds.values() for other in seeds.values()}
    choices = [tuple(seed for seed in study.seeds if seed in some) for some in common if some]
    return sorted((some for some in choices if len(some) < len(everything)), key=len, reverse=True)


def _evaluated(study: Study) -> list[ClaimResult]:
    ledger = load_claims(paths.repository() / "book" / study.chapter / "claims.yml", study.chapter)
    runs = [record.run for record in study.every_record()]
    device = ", ".join(sorted({run["device"] for run in runs})) or study.device
    return evaluate(ledger, study.measurements(), budget=study.budget, device=device)
