from __future__ import annotations

import numpy as np
import pytest

from rnnkit.figures.published import published, wilson
from tests.unit.figures.psmnist import named

ENTRIES = [
    {"name": "LMU", "key": "voelker2019", "accuracy": 0.9715, "n_test": 10_000, "parameters": 102_000},
    {
        "name": "LSTM of others",
        "key": "x",
        "accuracy": 0.8986,
        "n_test": 10_000,
        "split": "50,000 / 10,000",
        "seeds": 3,
        "sources": {"accuracy": "Table 1", "split": "data.py", "seeds": "data.py"},
    },
]


def test_the_interval_is_wilsons():
    low, high = wilson(0.5, 100)
    assert (low, high) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    low, high = wilson(1.0, 10)
    assert (low, high) == pytest.approx((0.7225, 1.0), abs=1e-4)


@pytest.mark.parametrize("count", [1, 5])
def test_ours_stand_among_the_published_in_order(count):
    own = np.linspace(0.93, 0.95, count)
    figure = published(
        ENTRIES,
        {"gru": own, "lstm": None},
        n_test={"gru": 10_000},
        budgets={"gru": "paper"},
        protocol={"selection": "none"},
        parameters={"gru": 202_506},
    )
    assert figure.table["model"] == ["LMU", "GRU, here (paper)", "LSTM of others"]
    assert named(figure, "GRU, here (paper)").y == (1,)
    low, high = wilson(own.mean(), 10_000)
    assert figure.table["95 % from"][1] == round(low, 4)
    assert figure.table["95 % to"][1] == round(high, 4)
    assert figure.table["selection"] == ["not said", "none", "not said"]
    assert figure.table["split"][2] == "50,000 / 10,000"
    assert figure.table["parameters"] == ["102,000", "202,506", "not said"]
    assert figure.table["seeds"] == ["not said", str(count), "3"]
    assert figure.table["source"] == ["not said", "here", "accuracy: Table 1; split, seeds: data.py"]
    assert "from LSTM of others 89.9 %" in figure.alt
    assert f"GRU, here (paper) {100 * own.mean():.1f} %" in figure.alt
    assert "LSTM," not in figure.alt


def test_each_net_of_ours_has_the_interval_of_its_own_images():
    figure = published(ENTRIES, {"gru": [0.9], "rnn": [0.5]}, n_test={"gru": 10_000, "rnn": 5000})
    assert figure.table["test images"] == [10_000, 10_000, 10_000, 5000]
    for place, (accuracy, count) in {1: (0.9, 10_000), 3: (0.5, 5000)}.items():
        low, high = wilson(accuracy, count)
        assert figure.table["95 % from"][place] == round(low, 4)
        assert figure.table["95 % to"][place] == round(high, 4)


def test_without_nets_of_ours_only_the_published_are_spoken_of():
    assert "here" not in published(ENTRIES, {"gru": None}, n_test={}).alt


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"name": "A", "accuracy": 97.1, "n_test": 10_000}, r"A, accuracy: a fraction is needed, not 97\.1"),
        ({"name": "A", "accuracy": 0.97}, "A: n_test is missing"),
        ({"accuracy": 0.97, "n_test": 10}, "an entry: name is missing"),
    ],
)
def test_a_wrong_entry_is_refused(entry, match):
    with pytest.raises(ValueError, match=match):
        published([entry], {}, n_test={})
