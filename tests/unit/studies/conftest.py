"""A quick study of the bundled digits, computed once for all tests of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rnnkit import studies
from rnnkit.results import Store
from rnnkit.studies.base import Study
from rnnkit.studies.geometry import configs, maps


@pytest.fixture(scope="session")
def digits_study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The geometry chapter on few digits, one seed, from nothing."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        only_digits(patch, home)
        study = studies.open(
            "geometry", budget="quick", seeds="0", device="cpu", store=Store(home / "results")
        )
        study.ensure(workers=1)
        study.jobs()
    return study


def only_digits(patch: pytest.MonkeyPatch, home: Path) -> None:
    """As on a machine without MNIST and without a network, with its own home; maps of few points, which take long."""
    patch.setenv("RNNKIT_HOME", str(home))
    few = replace(configs.BUDGETS["quick"], num_points=200, num_map_points=400)
    patch.setitem(configs.BUDGETS, "quick", few)
    patch.setattr(maps, "PERPLEXITIES", (5, 30))
    patch.setattr("rnnkit.studies.geometry.study.resolve", lambda budget: "digits")
