"""The book's ledgers against its committed records."""

from __future__ import annotations

import pytest

from rnnkit import paths, studies
from rnnkit.results import Store, evaluate, load_claims


@pytest.mark.parametrize("chapter", studies.CHAPTERS)
def test_shares_lie_between_0_and_1_and_what_need_not_is_in_points(chapter, tmp_path):
    study = studies.open(
        chapter,
        budget=studies.study_class(chapter).published_budget(),
        device="cpu",
        store=Store(tmp_path, [paths.committed_results()]),
    )
    ledger = load_claims(paths.repository() / "book" / chapter / "claims.yml")
    results = evaluate(ledger, study.measurements(), budget="paper", device="cpu")
    assert any(result.here_labelled for result in results)
    for result in results:
        told = [result.reason, *(text for _, text in (*result.here_labelled, *result.controls))]
        assert not [text for text in told if "which is not in" in text], result.id
