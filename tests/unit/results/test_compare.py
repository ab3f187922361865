"""What changed: every difference, the weightiest first, in a table that fits a terminal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnkit.results import changes_text, compare

measured = st.dictionaries(
    st.sampled_from("abcd"), st.lists(st.floats(-10, 10), min_size=1, max_size=4).map(np.array), max_size=4
)


@settings(deadline=None)
@given(measured, measured)
def test_it_lists_what_differs_and_nothing_else(new, committed):
    differs = {
        name
        for name in {*new, *committed}
        if name not in new or name not in committed or list(new[name]) != list(committed[name])
    }
    changes = compare(new, committed)
    assert {change.measure for change in changes} == differs
    back = {change.measure: change for change in compare(committed, new)}
    for change in changes:
        mirror = back[change.measure]
        assert (mirror.new, mirror.committed) == (change.committed, change.new)
        assert mirror.overlap == change.overlap
        assert mirror.difference == (None if change.difference is None else -change.difference)
    assert compare(new, dict(new)) == []


def test_the_order_is_by_weight():
    steady = np.array([1.0, 1.0])
    changes = compare(
        {
            "slight": steady * 1.01,
            "large": steady * 3,
            "loose": np.array([1.0, 9.0]),
            "new": steady,
            "same": steady,
            "single": np.array([50.0]),
        },
        {
            "slight": steady,
            "large": steady,
            "loose": np.array([2.0, 6.0]),
            "gone": steady,
            "same": steady,
            "single": np.array([1.0]),
        },
    )
    assert [change.measure for change in changes] == ["large", "slight", "single", "loose", "gone", "new"]
    large, _, single, loose, gone, _ = changes
    assert (large.difference, large.overlap, large.size) == (2.0, False, pytest.approx(2 / 3))
    assert (loose.difference, loose.overlap) == (1.0, True)
    assert (single.difference, single.overlap) == (49.0, None)
    assert (gone.new, gone.difference) == (None, None)


def test_values_that_are_no_numbers_are_shown_as_missing():
    nan = {"a": np.array([1.0, np.nan])}
    assert compare(nan, {"a": np.array([1.0, np.nan])}) == []
    (change,) = compare(nan, {"a": np.array([1.0, 2.0])})
    assert (change.new, change.difference) == (None, None)


def test_the_table_is_aligned():
    changes = compare(
        {"accuracy": np.array([0.9, 0.9]), "n": np.array(4), "one": np.array([2.0])},
        {"accuracy": np.array([0.93, 0.93]), "n": np.array(5), "steps": np.array([2.0])},
    )
    assert changes_text(changes).splitlines() == [
        "measurement  now             committed          difference  intervals",
        "n            4               5                  -1          apart",
        "accuracy     0.9 [0.9, 0.9]  0.93 [0.93, 0.93]  -0.03       apart",
        "one          2               -                  -           -",
        "steps        -               2                  -           -",
    ]


def test_a_long_table_is_cut_and_an_empty_one_says_so():
    new = {f"m{i:02}": np.array([1.0, 1.0]) for i in range(20)}
    lines = changes_text(compare(new, {})).splitlines()
    assert len(lines) == 1 + 15 + 1
    assert lines[-1] == "and 5 more"
    assert changes_text(compare(new, new)) == "nothing changed"
