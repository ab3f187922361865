"""A key is the hash of the question, and of nothing else."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnkit.errors import UserError
from rnnkit.results import RecordKey
from rnnkit.results.keys import plain_json

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
configs = st.dictionaries(
    st.text(max_size=5),
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=5),
    max_size=4,
)


def key(config=None, *, chapter="geometry", kind="train", version=1, label="paper-seed0"):
    return RecordKey(chapter, kind, {"seed": 0} if config is None else config, version, label)


def test_the_id_is_the_documented_hash():
    question = json.dumps(
        ["geometry", "train", {"a": [1, 2], "b": 0.5}, 3], sort_keys=True, separators=(",", ":")
    )
    expected = hashlib.sha256(question.encode()).hexdigest()[:16]
    assert key({"b": 0.5, "a": (1, 2)}, version=3).id == expected
    assert key({"b": 0.5, "a": (1, 2)}, version=3).folder == f"train-paper-seed0-{expected}"


@settings(deadline=None, max_examples=50)
@given(configs)
def test_the_id_survives_json_and_the_order_of_the_fields(config):
    again = dict(reversed(json.loads(json.dumps(config)).items()))
    assert key(config).id == key(again).id


def test_every_part_of_the_question_changes_the_id_and_the_label_does_not():
    ids = {
        key().id,
        key({"seed": 1}).id,
        key(version=2).id,
        key(kind="embed").id,
        key(chapter="lab").id,
        key({"seed": 0, "more": None}).id,
    }
    assert len(ids) == 6
    assert key(label="other").id == key().id


def test_a_key_does_not_follow_later_changes_of_the_config():
    config = {"sizes": [1, 2]}
    made = key(config)
    before = made.id
    config["sizes"].append(3)
    assert made.config == {"sizes": [1, 2]}
    assert made.id == before


def test_numpy_scalars_hash_as_numbers():
    assert key({"n": np.int64(3), "x": np.float64(0.1)}).id == key({"n": 3, "x": 0.1}).id


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chapter", "../up"),
        ("chapter", ""),
        ("kind", "Train"),
        ("kind", "a-b"),
        ("label", "a/b"),
        ("label", ".hidden"),
        ("label", "x" * 81),
    ],
)
def test_names_that_are_no_folder_names_are_refused(field, value):
    with pytest.raises(UserError, match=field):
        key(**{field: value})


@pytest.mark.parametrize("value", [{1: 2}, {"a": {1, 2}}, {"a": object()}, {"a": np.zeros(2)}])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(TypeError, match="config"):
        key(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32("nan")])
def test_a_config_is_finite_and_a_metric_need_not_be(value):
    with pytest.raises(ValueError, match=r"config\.a\[1\]"):
        key({"a": [0, value]})
    assert plain_json({"a": [0, value]}, "metrics", finite=False) == {"a": [0, None]}


@pytest.mark.parametrize("version", ["1", 1.0, True, None])
def test_a_version_is_an_integer(version):
    with pytest.raises(TypeError, match="version"):
        key(version=version)
