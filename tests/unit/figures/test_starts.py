from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.starts import AT_ONCE, fallen, first_steps
from tests.unit.figures.cells import by_name
from tests.unit.figures.psmnist import rng


def test_a_point_is_the_mean_of_some_batches_and_a_seed_can_be_looked_at_alone():
    accuracy = {"fp32": rng(0).random((2, 20)), "bf16": rng(1).random((2, 20))}
    figure = first_steps(accuracy, [0, 7])
    drawn = {trace.name: trace for trace in figure.figure.data}
    assert set(drawn) == {
        "float32",
        "bfloat16",
        *(f"{p}, seed {s}" for p in ("float32", "bfloat16") for s in (0, 7)),
    }
    wanted = accuracy["bf16"][1].reshape(-1, AT_ONCE).mean(axis=1)
    np.testing.assert_allclose(drawn["bfloat16, seed 7"].y, wanted)
    np.testing.assert_array_equal(drawn["bfloat16, seed 7"].x, [5, 10, 15, 20])
    alone = np.asarray(by_name(figure)["bfloat16, seed 7", "y"].values, dtype=float)
    np.testing.assert_allclose(alone[[0, 2]], [wanted, wanted])
    assert np.isnan(alone[1]).all()
    figure.payload()


def test_who_ends_below_half_of_the_best_has_fallen_and_is_told():
    up, down = np.linspace(0.1, 0.6, 20), np.r_[np.full(10, 0.5), np.full(10, 0.2)]
    assert fallen(np.stack([up, down])).tolist() == [False, True]
    figure = first_steps({"fp32": np.stack([up, up]), "bf16": np.stack([up, down])}, [0, 1])
    assert "0 of 2 with products in float32; 1 of 2 with products in bfloat16" in figure.alt
    assert figure.table["seed"] == [0, 0, 1, 1]
    assert figure.table["products in"] == ["float32", "bfloat16"] * 2
    assert figure.table["at the end"][-1] == pytest.approx(0.2)
    assert figure.table["best accuracy"][-1] == pytest.approx(0.5)


def test_one_precision_will_do_and_none_is_refused():
    assert len(first_steps({"bf16": np.full((1, 3), 0.1)}, [0]).figure.data) == 2
    with pytest.raises(ValueError, match="none of fp32, bf16"):
        first_steps({}, [0])
    with pytest.raises(ValueError, match="curves for 2 seeds"):
        first_steps({"bf16": np.full((1, 10), 0.1)}, [0, 1])
