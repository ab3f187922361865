"""A verdict follows from the interval and the rule, and from nothing else."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnkit.results import VERDICTS, Claim, Control, evaluate, student
from rnnkit.results.judging import judge
from rnnkit.results.rules import (
    Above,
    All,
    Any,
    AsOften,
    Below,
    Best,
    Between,
    Close,
    Greater,
    Median,
    MedianGreater,
    MoreOften,
    Rate,
)

RANK = {"not reproduced": 0, "partly": 1, "reproduced": 2}
# Mean 0.5, and t(0.975, 2) = 4.3027: the interval is 0.5 ± 0.0248.
SPREAD = np.array([0.49, 0.5, 0.51])
LOW, HIGH = student(SPREAD).ends

values = st.lists(st.floats(-100, 100), min_size=2, max_size=6).map(np.array)
bounds = st.floats(-120, 120)


def settle(rule, measurements=None, *, budget="paper", **more):
    more = {"unit": "fraction", "paper": "as it says", **more}
    place = {"chapter": "geometry", "where": "Section 2", "page": "geometry/01_task"}
    claim = Claim(id="geometry-a", claim="It is so.", rule=rule, **place, **more)
    measurements = {"a": SPREAD} if measurements is None else measurements
    (result,) = evaluate([claim], measurements, budget=budget, device="cpu")
    return result


@pytest.mark.parametrize(
    ("rule", "verdict", "words"),
    [
        (Close(measure="a", value=0.5, tolerance=0.03), "reproduced", "lies within 0.5 ± 0.03"),
        (Close(measure="a", value=0.51, tolerance=0.03), "partly", "reaches across the ends of 0.51 ± 0.03"),
        (Close(measure="a", value=0.5, tolerance=0.001), "partly", "reaches across the ends of 0.5 ± 0.001"),
        (Close(measure="a", value=0.6, tolerance=0.03), "not reproduced", "lies below 0.6 ± 0.03"),
        (Close(measure="a", value=0.4, tolerance=0.03), "not reproduced", "lies above 0.4 ± 0.03"),
        (Above(measure="a", value=0.4), "reproduced", "lies above 0.4"),
        (Above(measure="a", value=0.5), "partly", "reaches across 0.5"),
        (Above(measure="a", value=0.6), "not reproduced", "does not lie above 0.6"),
        (Below(measure="a", value=0.6), "reproduced", "lies below 0.6"),
        (Below(measure="a", value=0.51), "partly", "reaches across 0.51"),
        (Below(measure="a", value=0.4), "not reproduced", "does not lie below 0.4"),
        (Between(measure="a", low=0.4, high=0.6), "reproduced", "lies within 0.4 to 0.6"),
        (Between(measure="a", low=LOW, high=HIGH), "reproduced", "lies within"),
        (Between(measure="a", low=0.5, high=0.6), "partly", "reaches across the ends of 0.5 to 0.6"),
        (Between(measure="a", low=0.6, high=0.7), "not reproduced", "lies below 0.6 to 0.7"),
    ],
)
def test_one_measure(rule, verdict, words):
    result = settle(rule)
    assert result.verdict == verdict
    assert result.reason.startswith("mean 0.500 [0.475, 0.525] ")
    assert result.reason.endswith(words) or words == "lies within"
    assert (result.here, result.interval, result.n) == (0.5, (LOW, HIGH), 3)
    assert result.here_text == "0.500 [0.475, 0.525]"


def test_a_point_on_the_threshold_is_neither_above_nor_below():
    level = {"a": np.full(4, 0.5)}
    assert settle(Above(measure="a", value=0.5), level).verdict == "not reproduced"
    assert settle(Below(measure="a", value=0.5), level).verdict == "not reproduced"
    assert settle(Between(measure="a", low=0.5, high=0.5), level).verdict == "reproduced"
    assert settle(Close(measure="a", value=0.5, tolerance=0), level).verdict == "reproduced"


@settings(deadline=None)
@given(values, bounds, bounds)
def test_a_harder_threshold_never_helps(array, first, second):
    low, high = sorted((first, second))
    measured = {"a": array, "zero": np.array(0.0)}

    def rank(rule):
        return RANK[judge(rule, measured).verdict]

    assert rank(Above(measure="a", value=high)) <= rank(Above(measure="a", value=low))
    assert rank(Below(measure="a", value=low)) <= rank(Below(measure="a", value=high))
    tight, wide = sorted((abs(first), abs(second)))
    assert rank(Close(measure="a", value=3, tolerance=tight)) <= rank(
        Close(measure="a", value=3, tolerance=wide)
    )
    hard, easy = (Greater(measure="a", than="zero", margin=margin) for margin in (wide, tight))
    assert rank(hard) <= rank(easy)


@settings(deadline=None)
@given(values, bounds)
def test_above_and_below_are_mirror_images(array, bound):
    above = judge(Above(measure="a", value=bound), {"a": array}).verdict
    assert above == judge(Below(measure="a", value=-bound), {"a": -array}).verdict


@settings(deadline=None)
@given(values, values, st.data())
def test_joined_rules_lie_between_their_parts(array, other, data):
    rules = tuple(
        Above(measure=data.draw(st.sampled_from("ab")), value=data.draw(bounds))
        for _ in range(data.draw(st.integers(1, 3)))
    )
    measured = {"a": array, "b": other}
    ranks = [RANK[judge(rule, measured).verdict] for rule in rules]
    every, some = (RANK[judge(kind(rules=rules), measured).verdict] for kind in (All, Any))
    assert min(ranks) <= every <= some <= max(ranks)
    assert (every == 2) == (min(ranks) == 2)
    assert (some == 2) == (max(ranks) == 2)
    assert (every == 0) == (min(ranks) == 0 and max(ranks) < 2), "a part fails, and none holds"
    assert (some == 0) == (max(ranks) == 0)


def test_greater_is_paired_seed_by_seed():
    # The seeds differ by far more than the two nets do, and each pair by 0.02: only pairing sees it.
    base = np.array([0.1, 0.5, 0.9])
    measured = {"a": base + np.array([0.021, 0.02, 0.019]), "b": base}
    result = settle(Greater(measure="a", than="b"), measured, unit="percent")
    assert result.verdict == "reproduced"
    assert result.here == pytest.approx(0.02)
    assert result.here_text == "+2.00 points [+1.75, +2.25]"
    assert result.reason == "a (52.00 %) minus b (50.00 %): mean +2.00 points [+1.75, +2.25] lies above 0"
    assert settle(Greater(measure="b", than="a"), measured).verdict == "not reproduced"
    assert settle(Greater(measure="a", than="b", margin=0.02), measured).verdict == "partly"
    by_three = settle(Greater(measure="a", than="b", margin=0.03), measured, unit="percent")
    assert by_three.verdict == "not reproduced"
    assert by_three.reason.endswith("does not lie above 3 points")


def test_equal_measures_are_not_greater():
    assert settle(Greater(measure="a", than="b"), {"a": SPREAD, "b": SPREAD}).verdict == "not reproduced"


def test_what_cannot_be_paired_is_not_run():
    result = settle(Greater(measure="a", than="b"), {"a": SPREAD, "b": SPREAD[:2]})
    assert result.verdict == "not judged"
    assert "a has 3 seeds and b has 2" in result.reason


def test_an_exact_number_needs_no_seeds():
    result = settle(Above(measure="a", value=3), {"a": np.array(4)}, unit="count")
    assert (result.verdict, result.here, result.n) == ("reproduced", 4.0, 0)
    assert result.here_text == "4.0"
    assert settle(Greater(measure="a", than="b"), {"a": SPREAD, "b": np.array(0.4)}).n == 3


def test_a_rate_takes_the_interval_of_a_share():
    # 18 of 20: the Wilson interval is 0.699 to 0.972.
    measured = {"a": np.array([1] * 18 + [0] * 2)}
    assert settle(Rate(measure="a", low=0.65), measured).verdict == "reproduced"
    assert settle(Rate(measure="a", low=0.75), measured).verdict == "partly"
    low = settle(Rate(measure="a", low=0.98), measured, unit="percent")
    assert low.verdict == "not reproduced"
    assert low.reason == "share 90.00 % [69.90, 97.21] lies below 98 % to 100 %"
    assert settle(Rate(measure="a", low=0.5), {"a": np.array([0.4])}).verdict == "not judged"


def shares(first: tuple[int, int], second: tuple[int, int]) -> dict[str, np.ndarray]:
    names = {"gru.solved": first, "rnn.solved": second}
    return {name: np.arange(n) < successes for name, (successes, n) in names.items()}


def test_more_often_is_a_difference_of_shares_that_are_not_paired():
    # Newcombe 1998: 56 of 70 against 48 of 80 differ by 0.2000 [0.0524, 0.3339].
    measured = shares((56, 70), (48, 80))

    def settled(**more):
        rule = MoreOften(measure="gru.solved", than="rnn.solved", **more)
        return settle(rule, measured, unit="percent", of="models")

    result = settled(label="GRU", than_label="RNN")
    assert result.verdict == "reproduced"
    assert result.here == pytest.approx(0.2)
    assert result.here_text == "+20.00 points [+5.24, +33.39]"
    assert (result.n, result.of, result.counted) == (70, "models", "70 and 80 models")
    assert result.reason == (
        "GRU (80.00 % of 70 models) minus RNN (60.00 % of 80 models): "
        "difference of shares +20.00 points [+5.24, +33.39] lies above 0"
    )  # fmt: skip
    assert settled(margin=0.1).verdict == "partly"
    assert settled(margin=0.35).verdict == "not reproduced"
    back = settle(MoreOften(measure="rnn.solved", than="gru.solved"), measured)
    assert back.verdict == "not reproduced"


def test_as_often_is_a_difference_of_shares_within_a_tolerance():
    measured = shares((180, 200), (178, 200))

    def settled(tolerance, measured=measured):
        rule = AsOften(measure="gru.solved", than="rnn.solved", tolerance=tolerance)
        return settle(rule, measured, unit="percent", of="models")

    assert settled(0.1).verdict == "reproduced"
    assert settled(0.1).reason.endswith("lies within ± 10 points")
    assert settled(0.02).verdict == "partly", "too few models to tell"
    assert settled(0.02).reason.endswith("reaches across the ends of ± 2 points")
    apart = settled(0.1, shares((180, 200), (20, 200)))
    assert (apart.verdict, apart.counted) == ("not reproduced", "200 and 200 models")
    assert apart.reason.endswith("lies above ± 10 points")


@pytest.mark.parametrize(
    "rule", [MoreOften(measure="a", than="b"), AsOften(measure="a", than="b", tolerance=1)]
)
@pytest.mark.parametrize(
    ("measured", "words"),
    [
        ({"a": np.ones(3)}, "b is not measured"),
        ({"a": np.ones(3), "b": np.array([0, 0.5])}, "b holds values that are not a share of 1 trials"),
        (
            {"a": np.array(1.0), "b": np.ones(3)},
            "a is a single exact number; it is 0 or 1 for each of many models",
        ),
        ({"a": np.ones(3), "b": np.array([np.nan, 1])}, "b is not a finite number for 1 of 2 models"),
    ],
)
def test_shares_are_of_zeros_and_ones(rule, measured, words):
    result = settle(rule, measured, of="models")
    assert result.verdict == "not judged"
    assert words in result.reason


@pytest.mark.parametrize(
    ("bounds", "verdict", "words"),
    [
        ({"low": 0.9}, "reproduced", "lies at or above 0.9"),
        ({"high": 0.9}, "not reproduced", "does not lie at or below 0.9"),
        ({"low": 0.988}, "partly", "reaches across 0.988"),
        ({"low": 0.9, "high": 1}, "reproduced", "lies within 0.9 to 1"),
        ({"low": 0.5, "high": 0.6}, "not reproduced", "lies above 0.5 to 0.6"),
    ],
)
def test_a_median_says_that_it_is_one(bounds, verdict, words):
    # The mean of these is 0.89: a few nets that never learn do not move the median.
    measured = {"a": np.r_[np.full(40, 0.5), np.linspace(0.98, 1, 160)]}
    result = settle(Median(measure="a", **bounds), measured, of="models")
    assert result.verdict == verdict
    assert result.reason == f"median {result.here_text} {words}"
    assert result.here == np.median(measured["a"])
    assert (result.n, result.counted) == (200, "median of 200 models")


def test_medians_are_compared_without_pairing():
    measured = {"a": np.linspace(10, 12, 21), "b": np.linspace(0, 2, 50)}
    more = {"unit": "steps", "of": "models"}
    result = settle(MedianGreater(measure="a", than="b"), measured, **more)
    assert result.verdict == "reproduced"
    assert result.counted == "21 and 50 models"
    assert result.reason == (
        f"a (median 11.0 steps of 21 models) minus b (median 1.0 steps of 50 models): "
        f"difference of medians {result.here_text} lies above 0"
    )
    assert settle(MedianGreater(measure="a", than="b", margin=10), measured, **more).verdict == "partly"
    assert settle(MedianGreater(measure="b", than="a"), measured, **more).verdict == "not reproduced"
    one = settle(MedianGreater(measure="a", than="b"), {**measured, "b": np.array([1])}, **more)
    assert "a single model has no interval" in one.reason


def test_the_best_is_an_exact_number_of_so_many_models():
    measured = {"a": np.array([0.5, 0.87, 0.6])}

    def settled(**bounds):
        return settle(Best(measure="a", **bounds), measured, unit="percent", of="models")

    result = settled(low=0.86, high=0.88)
    assert (result.verdict, result.here_text, result.counted) == ("reproduced", "87.00 %", "best of 3 models")
    assert result.reason == "best of 3 models 87.00 % lies within 86 % to 88 %"
    assert settled(low=0.9).reason == "best of 3 models 87.00 % does not lie at or above 90 %"
    assert settled(low=0.9).verdict == settled(high=0.86).verdict == "not reproduced"
    assert settle(Best(measure="a", low=0.4), {"a": np.array([0.5])}).verdict == "reproduced"


def test_joined_rules_count_what_they_have_in_common():
    median, best = Median(measure="a", low=0), Best(measure="a", low=0)
    rate, other = Rate(measure="b", low=0), Median(measure="c", low=0)
    measured = {"a": np.ones(9), "b": np.ones(9), "c": np.ones(4), "d": np.array(1)}

    def counted(*rules):
        return settle(All(rules=rules), measured, of="models").counted

    assert counted(median, median) == "median of 9 models"
    assert counted(median, best, rate) == "9 models"
    assert counted(median, other) == "at least 4 models"
    assert counted(median, Above(measure="d", value=0)) == "median of 9 models"
    assert counted(Above(measure="d", value=0)) == ""


def test_controls_say_what_is_printed_of_their_values():
    values = {"a": SPREAD, "b": np.array([0, 1, 1, 1]), "c": np.array([0.5, 0.5, 0.5]), "d": np.array(0.4)}
    controls = (
        Control("b", "solved", summary="share"),
        Control("c", "middle", summary="median"),
        Control("a", "most", summary="best"),
        Control("d", "exact", summary="median"),
        Control("a", "no share", summary="share"),
    )
    result = settle(Above(measure="a", value=0.1), values, unit="percent", of="models", control=controls)
    assert dict(result.controls) == {
        "solved": "75.00 % [30.06, 95.44] (share over 4 models)",
        "middle": "50.00 % [50.00, 50.00] (median of 3 models)",
        "most": "51.00 % (best of 3 models)",
        "exact": "40.00 %",
        "no share": "a holds values that are not a share of 1 trials",
    }


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        ({}, "a is not measured"),
        ({"a": np.array([0.5])}, "a single seed has no interval"),
        ({"a": np.array([0.5, np.nan])}, "not a finite number for 1 of 2 seeds"),
        ({"a": np.zeros(0)}, "has no values"),
        ({"a": np.zeros((2, 2))}, "one number per seed"),
    ],
)
def test_without_numbers_a_claim_is_not_run(measured, words):
    result = settle(Above(measure="a", value=0.1), measured, why="because")
    assert result.verdict == "not judged"
    assert words in result.reason
    assert result.why is None


def test_a_part_that_is_not_run():
    missing, good, bad = (
        Above(measure="b", value=0),
        Above(measure="a", value=0.1),
        Above(measure="a", value=0.9),
    )
    assert settle(All(rules=(good, missing))).verdict == "not judged"
    assert settle(Any(rules=(bad, missing))).verdict == "not judged"
    assert settle(Any(rules=(good, missing))).verdict == "reproduced"


def test_joined_rules_say_how_many_hold_and_each_reason():
    both = All(rules=(Above(measure="a", value=0.1), Below(measure="b", value=3, unit="count")))
    result = settle(both, {"a": SPREAD, "b": np.array([5, 6])}, unit="percent")
    assert result.verdict == "partly"
    assert result.reason == (
        "1 of 2 hold, 1 in doubt: mean 50.00 % [47.52, 52.48] lies above 10 %; "
        "mean 5.5 [-0.9, 11.9] reaches across 3"
    )  # fmt: skip
    assert result.here_text == "50.00 % [47.52, 52.48]; 5.5 [-0.9, 11.9]"
    assert (result.here, result.interval, result.n) == (None, None, 2)


def test_joined_numbers_go_by_their_labels_and_reasons_by_where_they_lie():
    rules = (
        Above(measure="a", value=0.1, label="LSTM"),
        Above(measure="b", value=0.1, label="GRU"),
        Above(measure="c", value=0.1, label="sRNN"),
        Greater(measure="b", than="c", label="GRU", than_label="sRNN"),
    )
    measured = {"a": SPREAD, "b": SPREAD, "c": np.array([0.05, 0.05])}
    result = settle(All(rules=rules), {**measured, "b": np.array([0.5, 0.5])}, unit="percent")
    assert result.here_labelled == (
        ("LSTM", "50.00 % [47.52, 52.48]"),
        ("GRU", "50.00 % [50.00, 50.00]"),
        ("sRNN", "5.00 % [5.00, 5.00]"),
        ("GRU (50.00 %) minus sRNN (5.00 %)", "+45.00 points [+45.00, +45.00]"),
    )
    assert result.here_text.startswith(
        "LSTM: 50.00 % [47.52, 52.48]; GRU: 50.00 % [50.00, 50.00]; sRNN: 5.00 % ["
    )
    assert result.reasons == (
        "3 of 4 hold",
        "lies above 10 %: LSTM; GRU",
        "does not lie above 10 %: sRNN",
        "lies above 0: GRU minus sRNN",
    )
    quick = settle(All(rules=rules), measured, unit="percent", budget="quick")
    assert quick.here_labelled[0] == ("LSTM", "50.00 % [47.52, 52.48]")
    assert quick.reasons == (quick.reason,)


def test_a_number_that_several_parts_look_at_is_printed_once():
    vanishes, explodes = (
        Below(measure="a", value=-1, label="vanishes"),
        Above(measure="a", value=0.1, label="explodes"),
    )
    alone = settle(Any(rules=(vanishes, explodes)))
    assert alone.here_labelled == (("", "0.500 [0.475, 0.525]"),)
    assert alone.reasons == ("1 of 2 hold", "does not lie below -1: vanishes", "lies above 0.1: explodes")
    other = Above(measure="b", value=0.1, label="other")
    nested = settle(
        Any(rules=(All(rules=(explodes, other)), All(rules=(vanishes, other)))), {"a": SPREAD, "b": SPREAD}
    )
    assert nested.here_labelled == (("explodes", "0.500 [0.475, 0.525]"), ("other", "0.500 [0.475, 0.525]"))
    assert nested.reasons == (
        "1 of 2 hold, 1 in doubt",
        "lies above 0.1: explodes; other",
        "does not lie below -1: vanishes",
    )


def test_parts_without_enough_seeds_are_named_together():
    rules = (Above(measure="a", value=0.1, label="LSTM"), Above(measure="b", value=0.1, label="GRU"))
    one = settle(All(rules=rules), {"a": np.array([0.5]), "b": np.array([0.4])})
    assert one.verdict == "not judged"
    assert one.here_labelled == (("LSTM", "0.500"), ("GRU", "0.400"))
    assert one.reasons == ("a single seed has no interval, and 2 are needed",)
    none = settle(All(rules=rules), {"a": SPREAD})
    assert none.reasons == ("1 of 2 hold", "lies above 0.1: LSTM", "not measured: GRU")
    assert none.here_labelled == (("LSTM", "0.500 [0.475, 0.525]"),), (
        "the only number there is, but not of all"
    )
    assert none.reason.endswith("b is not measured")


def test_a_difference_that_two_parts_look_at_keeps_its_label_with_both_values():
    more = {"measure": "a", "than": "b", "than_label": "RNN"}
    rules = (Greater(**more, label="more: GRU"), Greater(**more, label="by far: GRU", margin=0.5))
    result = settle(All(rules=rules), {"a": np.array([0.5, 0.5]), "b": np.array([0.2, 0.2])})
    assert result.here_labelled == (("more: GRU (0.500) minus RNN (0.200)", "+0.300 [+0.300, +0.300]"),)


@pytest.mark.parametrize("budget", ["quick", "anything"])
def test_only_the_paper_budget_is_judged(budget):
    result = settle(Above(measure="a", value=0.1), budget=budget)
    assert result.verdict == "not judged"
    assert f"less than the paper's effort (the {budget} budget)" in result.reason
    assert result.here == 0.5
    one = settle(Above(measure="a", value=0.1), {"a": np.array([0.5])}, budget=budget)
    assert f"less than the paper's effort (the {budget} budget)" in one.reason
    assert settle(Above(measure="a", value=0.1), {}, budget=budget).reason == "a is not measured"


def test_why_is_said_where_it_does_not_fully_reproduce():
    assert settle(Above(measure="a", value=0.1), why="because").why is None
    assert settle(Above(measure="a", value=0.5), why="because").why == "because"
    assert settle(Above(measure="a", value=0.9), why="because").why == "because"


def test_a_control_that_some_seeds_lack_says_how_many_have_it():
    controls = (Control("b", "other"), Control("c", "single"), Control("d", "none"))
    values = {
        "a": np.array([0.4, 0.5, 0.6]),
        "b": np.array([0.2, np.nan, 0.4]),
        "c": np.array([np.nan, 0.25, np.nan]),
        "d": np.full(3, np.nan),
    }
    printed = dict(settle(Above(measure="a", value=0.1), values, unit="percent", control=controls).controls)
    assert printed["other"].startswith("30.00 % [")
    assert printed["other"].endswith("(2 of 3 seeds)")
    assert printed["single"] == "25.00 % (1 of 3 seeds)"
    assert printed["none"] == "d is not a finite number for 3 of 3 seeds"


def test_controls_are_printed_beside_it():
    controls = (
        Control("untrained", "untrained net"),
        Control("steps", "steps", "steps"),
        Control("no", "none"),
    )
    measured = {"a": SPREAD, "untrained": np.array([0.1, 0.1]), "steps": np.array([4.0])}
    result = settle(Above(measure="a", value=0.1), measured, unit="percent", control=controls)
    assert result.controls == (
        ("untrained net", "10.00 % [10.00, 10.00]"),
        ("steps", "4.0 steps"),
        ("none", "no is not measured"),
    )


@pytest.mark.parametrize(
    ("unit", "here", "paper"),
    [
        ("percent", "50.00 % [47.52, 52.48]", "93 %"),
        ("points", "50.00 points [47.52, 52.48]", "93 points"),
        ("fraction", "0.500 [0.475, 0.525]", "0.93"),
        ("loss", "0.500 [0.475, 0.525]", "0.93"),
        ("count", "0.5 [0.5, 0.5]", "0.93"),
        ("steps", "0.5 steps [0.5, 0.5]", "0.93 steps"),
        ("seconds", "0.50 s [0.48, 0.52]", "0.93 s"),
        ("ratio", "x0.50 [0.48, 0.52]", "x0.93"),
    ],
)
def test_units(unit, here, paper):
    result = settle(Above(measure="a", value=0.1), unit=unit, paper=0.93)
    assert result.here_text == here
    assert result.paper_text == paper


def test_the_interval_of_a_share_ends_at_0_and_100_percent_and_that_of_a_difference_does_not():
    near, tiny = {"a": np.array([0.9, 0.99, 1.0])}, {"a": np.array([0.0, 0.001])}
    share = settle(Above(measure="a", value=0.5), near, unit="percent", control=(Control("a", "again"),))
    assert share.interval == (pytest.approx(student(near["a"]).low), 1.0)
    assert share.here_text == "96.33 % [82.65, 100.00]"
    assert share.controls == (("again", share.here_text),)
    points = settle(Above(measure="a", value=0.5), near, unit="points")
    assert points.interval == student(near["a"]).ends
    assert points.interval[1] > 1
    assert settle(Below(measure="a", value=0.5), tiny, unit="percent").interval[0] == 0
    difference = settle(Greater(measure="a", than="b"), {**near, "b": np.zeros(3)}, unit="percent")
    assert difference.interval == points.interval


def test_the_interval_of_a_loss_ends_at_0_and_goes_as_far_up_as_it_may():
    far = {"a": np.array([0.3, 2.3])}
    loss = settle(Close(measure="a", value=0.4, tolerance=0.05), far, unit="loss")
    assert (loss.interval, loss.verdict) == ((0.0, pytest.approx(student(far["a"]).high)), "partly")
    assert settle(Above(measure="a", value=0.5), far, unit="fraction").interval[0] < 0


def test_a_share_whose_upper_end_would_be_above_1_is_not_in_doubt_for_that():
    measured = {"a": np.array([0.99, 0.995, 1.0])}
    rule = Close(measure="a", value=1.0, tolerance=0.025)
    assert settle(rule, measured, unit="percent").verdict == "reproduced"
    assert settle(Between(measure="a", low=0.9, high=1.0), measured, unit="percent").verdict == "reproduced"
    assert settle(Between(measure="a", low=0.9, high=1.0), measured, unit="points").verdict == "partly"


def test_what_is_no_share_is_not_judged_as_one():
    result = settle(Above(measure="a", value=0), {"a": np.array([-0.2, -0.1])}, unit="percent")
    assert (result.verdict, result.reason) == ("not judged", "a is -0.15, which is not in 0 to 1")


def test_a_single_point_is_one():
    assert settle(Below(measure="a", value=0.01), unit="points").reason.endswith("lie below 1 point")
    assert settle(Below(measure="a", value=0.02), unit="points").reason.endswith("lie below 2 points")
    assert settle(Below(measure="a", value=1), unit="seconds").reason.endswith("lies below 1 s")


def test_an_end_is_never_printed_like_a_threshold_that_it_misses():
    measured = {"a": np.array([0.93001, 0.93001])}
    result = settle(Above(measure="a", value=0.93), measured, unit="percent")
    assert result.reason == "mean 93.001 % [93.001, 93.001] lies above 93 %"


def test_a_result_is_json():
    result = settle(Above(measure="a", value=0.5), control=(Control("b", "other"),))
    back = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert back["interval"] == [LOW, HIGH]
    assert back["controls"] == [{"label": "other", "value": "b is not measured"}]
    assert {
        "id",
        "chapter",
        "where",
        "claim",
        "paper",
        "here",
        "n",
        "of",
        "counted",
        "budget",
        "device",
    } <= set(back)
    assert {"reason", "page"} <= set(back)
    assert back["verdict"] in VERDICTS
