"""A fresh run that is interrupted goes on; what was asked otherwise begins anew."""

from dataclasses import dataclass

import numpy as np
import pytest

from rnnkit.errors import UserError
from rnnkit.results import RecordKey, Store
from rnnkit.studies.base import Study
from rnnkit.studies.jobs import Job, Outcome, checkpoint_path

calls: list[str] = []
stop_at: list[str] = []


@dataclass(frozen=True)
class _Config:
    number: int


def _compute(job, records, device, checkpoint, steps):
    calls.append(job.key.label)
    if job.key.label in stop_at:
        raise KeyboardInterrupt
    return Outcome({"x": np.arange(job.config.number)}, {}, {})


class _Study(Study):
    chapter, title = "geometry", "A small one"
    versions = {"train": 1}  # noqa: RUF012
    default_seeds = {"quick": (0,), "paper": (0,)}  # noqa: RUF012
    configs = ("a",)
    dataset = "digits"

    def plan(self):
        keys = [RecordKey("geometry", "train", {"net": {"name": "a"}, "n": n}, 1, f"n{n}") for n in range(4)]
        return [Job(key, _Config(n), n, _compute) for n, key in enumerate(keys)]

    def measurements(self):
        return {}


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNKIT_HOME", str(tmp_path))
    study = _Study(device="cpu", store=Store(tmp_path / "results"))
    study.ensure(workers=1)
    calls.clear()
    stop_at.clear()
    return study


def _interrupt(study, label, **settings):
    stop_at[:] = [label]
    with pytest.raises(KeyboardInterrupt):
        study.ensure(fresh=True, workers=1, **settings)
    stop_at.clear()
    calls.clear()


def test_the_same_fresh_command_goes_on_with_what_is_due_and_then_forgets(study, tmp_path, caplog):
    _interrupt(study, "n2")
    study.ensure(fresh=True, workers=1)
    assert calls == ["n2", "n3"]
    assert "2 of 4 records are due" in caplog.text
    assert not list((tmp_path / "fresh").iterdir())
    calls.clear()
    study.ensure(fresh=True, workers=1)
    assert calls == ["n0", "n1", "n2", "n3"]


def test_other_settings_begin_anew(study, tmp_path):
    _interrupt(study, "n2")
    study.ensure("train", fresh=True, workers=1)
    assert calls == ["n0", "n1", "n2", "n3"]
    _interrupt(study, "n2")
    other = _Study(device="cpu", seeds="5", store=Store(tmp_path / "results"))
    other.ensure(fresh=True, workers=1)
    assert calls == ["n0", "n1", "n2", "n3"]


def test_a_damaged_record_is_due_again_and_so_is_a_lost_one(study):
    _interrupt(study, "n3")
    first, second = (study.store.load(job.key) for job in study.jobs()[:2])
    content = bytearray((first.path / "arrays.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (first.path / "arrays.npz").write_bytes(content)
    study.store.discard(second.key)
    study.ensure(fresh=True, workers=1)
    assert calls == ["n0", "n1", "n3"]
    assert study.store.load(first.key).verify() is None


@pytest.mark.parametrize("state", ["", "{", "[]", '{"settings": 1}', "null"])
def test_a_state_that_cannot_be_read_begins_anew(study, tmp_path, state):
    _interrupt(study, "n2")
    (tmp_path / "fresh" / "geometry.json").write_text(state)
    study.ensure(fresh=True, workers=1)
    assert calls == ["n0", "n1", "n2", "n3"]


def test_checkpoints_go_at_the_start_and_sound_ones_stay_for_the_second_go(study, monkeypatch):
    from rnnkit.training import save_checkpoint

    paths = [checkpoint_path(job) for job in study.jobs()]
    for path in paths:
        save_checkpoint(path, {}, {"identity": "of old"})
    _interrupt(study, "n1")
    assert not any(path.exists() for path in paths)
    save_checkpoint(paths[1], {}, {"identity": study.jobs()[1].key.id})
    paths[2].write_bytes(b"damaged")
    seen = []
    monkeypatch.setattr(
        "rnnkit.studies.base.run_jobs", lambda *_, **__: seen.extend(path.exists() for path in paths)
    )
    study.ensure(fresh=True, workers=1)
    assert seen == [False, True, False, False]


def test_a_checkpoint_that_cannot_be_removed_is_one_message(study):
    path = checkpoint_path(study.jobs()[0])
    (path / "in the way").mkdir(parents=True)
    with pytest.raises(UserError, match="old checkpoint cannot be removed"):
        study.ensure(fresh=True, workers=1)


def test_a_state_that_cannot_be_written_is_one_message(study, tmp_path):
    (tmp_path / "fresh").write_text("a file is in the way")
    with pytest.raises(UserError, match=r"state of the fresh run cannot be written.*RNNKIT_HOME"):
        study.ensure(fresh=True, workers=1)
    assert calls == []
