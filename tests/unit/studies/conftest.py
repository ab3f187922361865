"""A quick study of the bundled digits, computed once for all tests of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnnkit.results import Store
from rnnkit.studies.base import Study


@pytest.fixture(scope="session")
def digits_study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """The geometry chapter at quick budget, one seed, on digits, from nothing."""
    from rnnkit import studies

    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("RNNKIT_HOME", str(home))
        patch.setenv("RNNKIT_OFFLINE", "1")
        patch.delenv("RNNKIT_DATA", raising=False)
        patch.setattr("rnnkit.studies.geometry.study.resolve", lambda budget: "digits")
        study = studies.open(
            "geometry", budget="quick", seeds="0", device="cpu", store=Store(home / "results")
        )
        study.ensure(workers=1)
        yield study
