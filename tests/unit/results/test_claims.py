"""A ledger is read strictly: what it says is what is judged, and any slip is named with its place."""

import subprocess
import sys

import pytest
import yaml

from rnnkit.errors import UserError
from rnnkit.results import load_claims
from rnnkit.results.rules import (
    All,
    Any,
    AsOften,
    Best,
    Close,
    Greater,
    Median,
    MedianGreater,
    MoreOften,
    Rate,
)

CLAIM = {
    "id": "geometry-accuracy",
    "where": "Section 2",
    "claim": "The net reads a little over 93 % of the digits.",
    "paper": "a little over 93 %",
    "page": "geometry/01_task",
    "rule": {"kind": "close", "measure": "paper.test_accuracy", "value": 0.93, "tolerance": 0.01},
}


@pytest.fixture
def ledger(tmp_path):
    """Write a ledger and read it back."""
    folder = tmp_path / "geometry"
    folder.mkdir()

    def load(content):
        path = folder / "claims.yml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
        return load_claims(path)

    return load


def with_rule(**rule):
    return [{**CLAIM, "rule": rule}]


def test_a_claim_is_read_as_it_is_written(ledger):
    more = {
        "id": "geometry-purity",
        "paper": 3,
        "unit": "percent",
        "why": " The untrained net does it too. ",
        "control": {"measure": "untrained.purity", "label": "untrained net", "unit": "ratio"},
    }
    first, second = ledger([CLAIM, {**CLAIM, **more}])
    assert first.rule == Close(measure="paper.test_accuracy", value=0.93, tolerance=0.01)
    assert (first.chapter, first.unit, first.why, first.control) == ("geometry", "fraction", None, ())
    assert (second.paper, second.unit, second.why) == (3.0, "percent", "The untrained net does it too.")
    assert [(c.measure, c.label, c.unit) for c in second.control] == [
        ("untrained.purity", "untrained net", "ratio")
    ]
    assert second.measures == {"paper.test_accuracy", "untrained.purity"}


def test_an_empty_list_is_a_ledger(ledger):
    assert ledger("[]") == []


def test_rules_nest(ledger):
    greater = {"kind": "greater", "measure": "a", "than": "b"}
    rate = {"kind": "rate", "measure": "c", "low": 0.9, "trials": 100, "unit": "percent"}
    (claim,) = ledger(with_rule(kind="all", rules=[greater, {"kind": "any", "rules": [rate]}]))
    assert claim.rule == All(
        rules=(
            Greater(measure="a", than="b", margin=0.0),
            Any(rules=(Rate(measure="c", low=0.9, high=1.0, trials=100, unit="percent"),)),
        )
    )
    assert claim.measures == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (
            "{kind: more_often, measure: a, than: b, margin: 0.1, label: x, than_label: y}",
            MoreOften(measure="a", than="b", margin=0.1, label="x", than_label="y"),
        ),
        (
            "{kind: as_often, measure: a, than: b, tolerance: 0.1}",
            AsOften(measure="a", than="b", tolerance=0.1),
        ),
        ("{kind: median, measure: a, low: 0.9}", Median(measure="a", low=0.9)),
        ("{kind: median_greater, measure: a, than: b}", MedianGreater(measure="a", than="b", margin=0.0)),
        ("{kind: best, measure: a, low: 1, high: 2}", Best(measure="a", low=1, high=2)),
    ],
)
def test_rules_over_models_are_read_as_they_are_written(ledger, text, rule):
    more = "{measure: c, label: share, as: share}, {measure: d, label: mean}"
    (claim,) = ledger([{**CLAIM, "of": "models", "rule": yaml.safe_load(text)}])
    assert (claim.rule, claim.of) == (rule, "models")
    (claim,) = ledger([{**CLAIM, "control": yaml.safe_load(f"[{more}]")}])
    assert claim.of == "seeds"
    assert [control.summary for control in claim.control] == ["share", "mean"]


@pytest.mark.parametrize("field", ["id", "where", "claim", "paper", "page", "rule"])
def test_a_missing_field_is_named(ledger, field):
    with pytest.raises(UserError, match=f"a field is missing: '{field}'"):
        ledger([{name: value for name, value in CLAIM.items() if name != field}])


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"Where": "x"}, "", "unknown field: 'Where'"),
        ({"id": "other-accuracy"}, "id", "geometry-name-of-it"),
        ({"id": "geometry-"}, "id", "geometry-name-of-it"),
        ({"id": "geometry-A b"}, "id", "geometry-name-of-it"),
        ({"where": ""}, "where", "a text"),
        ({"claim": 3}, "claim", "a text"),
        ({"paper": None}, "paper", "a finite number"),
        ({"paper": True}, "paper", "a finite number"),
        ({"page": ["a"]}, "page", "a text"),
        (
            {"unit": "furlongs"},
            "unit",
            "percent, points, fraction, loss, count, whole, steps, seconds, ratio",
        ),
        ({"unit": ["percent"]}, "unit", "unknown unit"),
        ({"of": "nets"}, "of", "unknown value: 'nets'; allowed: seeds, models"),
        ({"of": None}, "of", "allowed: seeds, models"),
        ({"why": 1}, "why", "a text"),
        ({"control": "purity"}, "control", "a mapping"),
        ({"control": {"label": "x"}}, "control", "missing: 'measure'"),
        ({"control": [{"measure": "x", "value": 3}]}, "control", "unknown field: 'value'"),
        ({"control": {"measure": "x", "as": "mode"}}, "control.as", "allowed: mean, share, median, best"),
        ({"control": {"measure": "x", "summary": "best"}}, "control", "unknown field: 'summary'"),
        ({"control": {"measure": "a b"}}, "control.measure", "name of a measurement"),
        ({"rule": "close"}, "rule", "a rule is a mapping"),
    ],
)
def test_a_wrong_field_is_named_with_file_and_claim(ledger, change, field, words):
    with pytest.raises(UserError) as caught:
        ledger([{**CLAIM, **change}])
    message = str(caught.value)
    assert "geometry/claims.yml, claim 'geometry-" in message or change.get("id") == "other-accuracy"
    assert words in message
    assert f"field {field}:" in message or not field


@pytest.mark.parametrize(
    ("rule", "field", "words"),
    [
        (
            {"measure": "a"},
            "rule.kind",
            "close, above, below, between, greater, rate, more_often, as_often, median, median_greater, best, all, any",
        ),
        ({"kind": "eval", "code": "1"}, "rule.kind", "unknown kind of rule: 'eval'"),
        ({"kind": ["close"]}, "rule.kind", "unknown kind of rule"),
        ({"kind": "close", "measure": "a", "value": 1}, "rule", "missing: 'tolerance'"),
        ({"kind": "above", "measure": "a", "value": 1, "tolerance": 1}, "rule", "unknown field: 'tolerance'"),
        ({"kind": "above", "measure": "a", "value": "1e-3"}, "rule.value", "write 0.001 or 1.0e-3"),
        ({"kind": "above", "measure": "a", "value": True}, "rule.value", "a finite number"),
        ({"kind": "above", "measure": "a", "value": float("nan")}, "rule.value", "a finite number"),
        ({"kind": "above", "measure": "a", "value": float("inf")}, "rule.value", "a finite number"),
        ({"kind": "above", "measure": "a", "value": 10**400}, "rule.value", "too large"),
        ({"kind": "above", "measure": 3, "value": 1}, "rule.measure", "name of a measurement"),
        ({"kind": "above", "measure": "a", "value": 1, "unit": "x"}, "rule.unit", "unknown unit"),
        ({"kind": "close", "measure": "a", "value": 1, "tolerance": -1}, "rule.tolerance", "negative"),
        ({"kind": "greater", "measure": "a", "than": "b", "margin": -1}, "rule.margin", "negative"),
        ({"kind": "between", "measure": "a", "low": 2, "high": 1}, "rule.low", "larger than high"),
        ({"kind": "rate", "measure": "a"}, "rule", "it needs a bound"),
        ({"kind": "rate", "measure": "a", "low": 2}, "rule.low", "larger than high"),
        ({"kind": "rate", "measure": "a", "low": 0, "trials": 0}, "rule.trials", "positive integer"),
        ({"kind": "rate", "measure": "a", "low": 0, "trials": 2.5}, "rule.trials", "positive integer"),
        ({"kind": "more_often", "measure": "a"}, "rule", "missing: 'than'"),
        ({"kind": "more_often", "measure": "a", "than": "b", "margin": -1}, "rule.margin", "negative"),
        ({"kind": "more_often", "measure": "a", "than": "b", "tolerance": 1}, "rule", "unknown field"),
        ({"kind": "as_often", "measure": "a", "than": "b"}, "rule", "missing: 'tolerance'"),
        ({"kind": "as_often", "measure": "a", "than": "b", "tolerance": -1}, "rule.tolerance", "negative"),
        ({"kind": "median", "measure": "a"}, "rule", "it needs a bound"),
        ({"kind": "median", "measure": "a", "value": 1}, "rule", "unknown field: 'value'"),
        ({"kind": "median", "measure": "a", "low": 2, "high": 1}, "rule.low", "larger than high"),
        ({"kind": "median_greater", "measure": "a", "then": "b"}, "rule", "unknown field: 'then'"),
        ({"kind": "best", "measure": "a"}, "rule", "it needs a bound"),
        ({"kind": "all"}, "rule", "missing: 'rules'"),
        ({"kind": "all", "rules": []}, "rule.rules", "at least one rule"),
        ({"kind": "any", "rules": {"kind": "all"}}, "rule.rules", "at least one rule"),
        ({"kind": "any", "rules": [{"kind": "near"}]}, "rule.rules.1.kind", "unknown kind of rule: 'near'"),
    ],
)
def test_a_wrong_rule_is_named_with_file_claim_and_field(ledger, rule, field, words):
    with pytest.raises(UserError) as caught:
        ledger(with_rule(**rule))
    message = str(caught.value)
    assert f"geometry/claims.yml, claim 'geometry-accuracy', field {field}:" in message
    assert words in message


def test_nothing_is_settled_by_hand(ledger):
    with pytest.raises(UserError, match="No claim is settled by hand"):
        ledger([{**CLAIM, "verdict": "reproduced"}])
    with pytest.raises(UserError, match="No claim is settled by hand"):
        ledger(with_rule(**CLAIM["rule"], verdict="reproduced"))


def test_an_id_is_given_once(ledger):
    with pytest.raises(UserError, match="another claim with this id: 'geometry-accuracy'"):
        ledger([CLAIM, CLAIM])


def test_a_claim_without_an_id_is_named_by_its_number(ledger):
    with pytest.raises(UserError, match="claim number 2"):
        ledger([CLAIM, "text"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "a list of claims: 'NoneType'"),
        ("a: 1", "a list of claims: 'dict'"),
        ("- id: [", "is not YAML"),
        ("- id: geometry-a\n  id: geometry-b\n", "'id' is given twice"),
        ("- {rule: {kind: close, kind: above}}", "'kind' is given twice"),
        ("- !!python/object/apply:os.getcwd []", "is not YAML"),
        ("- {[a]: 1}", "is not YAML"),
    ],
)
def test_a_file_that_is_no_ledger_is_refused(ledger, content, words):
    with pytest.raises(UserError, match="claims.*" + words.replace("[", r"\[")):
        ledger(content)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=r"claims\.yml"):
        load_claims(tmp_path / "claims.yml")
    (tmp_path / "claims.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"claims\.yml"):
        load_claims(tmp_path / "claims.yml")


def test_a_ledger_is_read_without_torch():
    code = "import sys, rnnkit.results.verdicts as v; print({'torch', 'yaml', 'scipy'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
