"""Which records of a chapter exist, are missing, stale or damaged."""

from __future__ import annotations

from typing import Any

from rnnkit import paths
from rnnkit.results import Store
from rnnkit.studies import study_class


def status(chapter: str) -> list[dict[str, Any]]:
    """One row per record that is planned or found.

    Returns
    -------
    list of dict
        ``chapter``, ``budget``, ``kind``, ``label``, ``id``, ``state`` (``ok``, ``missing``, ``stale``,
        ``damaged`` or ``extra``: sound, but of other settings than the plan's), ``where`` (``committed``, ``local``
        or empty), ``seed``, ``device`` and ``reason``.

    Raises
    ------
    UserError
        An unknown chapter.
    """
    study_type = study_class(chapter)
    store = Store(paths.local_results(), [paths.committed_results()])
    found = {info.id: info for info in store.scan(chapter, study_type.versions)}
    rows, planned = [], set()
    for budget in study_type.budgets:
        for job in study_type(budget=budget, device="cpu", store=store).jobs():
            info = found.get(job.key.id)  # one record may serve both budgets
            planned.add(job.key.id)
            rows.append(
                {
                    "chapter": chapter,
                    "budget": budget,
                    "kind": job.key.kind,
                    "label": job.key.label,
                    "id": job.key.id,
                    "state": info.state if info else "missing",
                    "where": _where(info.path) if info else "",
                    "seed": job.seed,
                    "device": info.device if info else None,
                    "reason": info.reason if info else "not computed yet",
                }
            )
    for info in (info for info in found.values() if info.id not in planned):
        rows.append(
            {
                "chapter": chapter,
                "budget": info.budget or "",
                "kind": info.kind,
                "label": info.label,
                "id": info.id,
                "state": "extra" if info.state == "ok" else info.state,
                "where": _where(info.path),
                "seed": info.seed,
                "device": info.device,
                "reason": info.reason or "not in the plan: other seeds or settings",
            }
        )
    return rows


def _where(path: Any) -> str:
    return "committed" if path.is_relative_to(paths.committed_results()) else "local"
