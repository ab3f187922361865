"""The default number of workers: what this process may use, and no more than the memory bears."""

import os

import pytest

from rnnkit.errors import UserError
from rnnkit.studies import workers


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of 8 cores of which ``GiB`` of memory are free."""

    def make(free: str, cores: int = 8) -> None:
        (tmp_path / "meminfo").write_text(free)
        monkeypatch.setattr(workers, "_MEMORY", tmp_path / "meminfo")
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
        monkeypatch.delenv("RNNKIT_STATIC", raising=False)
        monkeypatch.delenv("RNNKIT_CORES", raising=False)

    return make


@pytest.mark.parametrize(("gib", "expected"), [(100, 8), (20, 8), (19, 7), (6, 2), (5, 2), (1, 1), (0, 1)])
def test_memory_caps_the_cores(machine, gib, expected):
    machine(f"MemTotal: 1 kB\nMemAvailable:   {gib * 2**20} kB\n")
    assert workers.default_workers("cpu") == expected


@pytest.mark.parametrize("words", ["", "MemAvailable:", "MemAvailable: many kB", "MemFree: 3 kB"])
def test_where_the_system_does_not_say_the_cores_count(machine, words):
    machine(words, cores=3)
    assert workers.default_workers("cpu") == 3


def test_one_on_a_gpu_and_while_a_page_is_made(machine, monkeypatch):
    machine("")
    assert workers.default_workers("cuda") == 1
    monkeypatch.setenv("RNNKIT_STATIC", "1")
    assert workers.default_workers("cpu") == 1


@pytest.mark.parametrize(("asked", "expected"), [("3", 3), (" 20 ", 8), ("", 8)])
def test_a_run_can_be_kept_to_fewer_cores(machine, monkeypatch, asked, expected):
    machine("")
    monkeypatch.setenv("RNNKIT_CORES", asked)
    assert workers.num_cores() == workers.default_workers("cpu") == expected


@pytest.mark.parametrize("asked", ["0", "-1", "two", "1.5"])
def test_what_is_no_number_of_cores_is_refused(machine, monkeypatch, asked):
    machine("")
    monkeypatch.setenv("RNNKIT_CORES", asked)
    with pytest.raises(
        UserError, match=f"RNNKIT_CORES is no number of cores: '{asked}'; allowed: an integer"
    ):
        workers.num_cores()


def test_no_affinity_and_no_meminfo_as_on_macos(machine, monkeypatch, tmp_path):
    machine("")
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    monkeypatch.setattr(workers, "_MEMORY", tmp_path / "none")
    assert workers.default_workers("cpu") == 5
