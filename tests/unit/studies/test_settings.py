"""What a user may ask for, and what is said when it cannot be had."""

import pytest

from rnnkit import studies
from rnnkit.errors import UserError
from rnnkit.studies.settings import check_budget, check_device, parse_seeds, resolve_device


@pytest.mark.parametrize(
    ("given", "read"),
    [("", None), (None, None), ("0", (0,)), ("2, 0,1", (2, 0, 1)), ([3, 4], (3, 4)), ((5,), (5,))],
)
def test_seeds_are_read_in_their_order(given, read):
    assert parse_seeds(given) == read


@pytest.mark.parametrize("given", ["a", "1.5", "-1", "1,,2", "0x1", "1e3", [1.0], [True], [-1], 7, {"a": 1}])
def test_seeds_that_are_no_integers_are_refused_with_their_value(given):
    with pytest.raises(UserError, match=r"seeds cannot be read: .*allowed: integers of at least 0"):
        parse_seeds(given)


def test_a_seed_named_twice_would_count_twice():
    with pytest.raises(UserError, match="named twice"):
        parse_seeds("1,2,1")


@pytest.mark.parametrize("given", ["fast", "Quick", None, 3])
def test_unknown_budgets_are_refused(given):
    with pytest.raises(UserError, match=r"unknown budget.*allowed: quick, paper"):
        check_budget(given)


def test_devices(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert resolve_device("cpu") == resolve_device("auto") == "cpu"
    with pytest.raises(UserError, match=r"no CUDA device.*DEVICE=cpu"):
        resolve_device("cuda")
    for check in (resolve_device, check_device):
        with pytest.raises(UserError, match=r"unknown device: 'tpu'; allowed: auto, cpu, cuda"):
            check("tpu")
    assert studies.open("geometry", device="auto").device == "cpu"
    assert studies.open("geometry", device="cuda").device == "cuda"  # other machines may do the computing
    with pytest.raises(UserError, match="unknown device"):
        studies.open("geometry", device="tpu")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert resolve_device("auto") == resolve_device("cuda") == "cuda"


def test_unknown_chapters_and_configs_are_refused(monkeypatch):
    monkeypatch.setenv("RNNKIT_OFFLINE", "1")
    with pytest.raises(UserError, match=r"unknown chapter: 'geometri'; allowed: geometry"):
        studies.open("geometri")
    study = studies.open("geometry", budget="paper", device="cpu")
    with pytest.raises(UserError, match=r"unknown config.*'papr'; allowed: paper, tuned"):
        study.jobs(only="papr")
    with pytest.raises(UserError, match=r"'paper-s9'; allowed: paper-s0"):
        study.record("train", "paper-s9")
