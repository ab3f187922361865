"""Executors: the same records wherever jobs run; what cannot be used is refused before anything starts."""

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest
import torch

from rnnkit.errors import UserError
from rnnkit.results import Store
from rnnkit.studies import executors as executors_module
from rnnkit.studies import jobs as jobs_module
from rnnkit.studies import origin as origin_module
from rnnkit.studies.executors import parse_executor
from rnnkit.studies.executors.interrupts import ctrl_c_held
from rnnkit.studies.jobs import single_threaded
from rnnkit.studies.origin import origin
from rnnkit.studies.progress import Abandoned, StoppableSteps
from tests.unit.studies.sweeps import (
    Fate,
    checksums,
    make_job,
    make_plan,
    metrics,
    read_mark,
    sweep,
)
from tests.waiting import wait_for


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNKIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RNNKIT_RESULTS", raising=False)
    return tmp_path / "home"


@pytest.fixture
def expected(tmp_path):
    """The records of a plan that ran here, one job after the other."""
    return sweep(tmp_path / "expected", make_plan(), workers=1)


def spawned():
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


def test_threads_end_in_the_same_bytes(tmp_path, expected):
    threads = torch.get_num_threads()
    assert sweep(tmp_path / "threads", make_plan(), executor="threads", workers=3) == expected
    assert len(expected) == 10
    assert torch.get_num_threads() == threads
    assert {seen["threads"] for seen in metrics(tmp_path / "threads", make_plan()).values()} == {1}


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_jobs_under_way_share_the_cores(tmp_path, monkeypatch, executor):
    monkeypatch.setattr(executors_module, "num_cores", lambda: 7)
    plan = [make_job(0, fate=Fate(until="n1")), make_job(1, fate=Fate(after="n0"))]
    sweep(tmp_path / "two", plan, executor=executor, workers=2)
    sweep(tmp_path / "one", plan, executor=executor, workers=1)
    assert metrics(tmp_path / "two", plan)["n1"]["cores"] == 3
    assert {seen["cores"] for seen in metrics(tmp_path / "one", plan).values()} == {4}
    assert {seen["threads"] for seen in metrics(tmp_path / "one", plan).values()} == {1}


def test_a_record_says_how_many_cores_were_lent(tmp_path, monkeypatch):
    monkeypatch.setattr(executors_module, "num_cores", lambda: 3)
    job = make_job(0)
    sweep(tmp_path, [job])
    run = Store(tmp_path).load(job.key).run
    assert run["device"].endswith("1 to 3 threads)")
    assert run["most_threads"] == 3


def test_an_executor_of_unknown_machines_lends_none(tmp_path, monkeypatch):
    monkeypatch.setattr(executors_module, "num_cores", lambda: 3)
    job = make_job(0)
    with ThreadPoolExecutor(1) as executor:
        sweep(tmp_path, [job], executor=executor)
    record = Store(tmp_path).load(job.key)
    assert record.metrics["cores"] == 1
    assert record.run["device"].endswith(" 1 threads)")


@pytest.mark.parametrize("make", [lambda: ThreadPoolExecutor(2), spawned], ids=["threads", "processes"])
def test_any_executor_will_do_and_stays_open(tmp_path, expected, home, make):
    with make() as executor:
        assert sweep(tmp_path / "given", make_plan(), executor=executor) == expected
        assert executor.submit(os.getpid).result() > 0
    assert not list((home / "waiting").iterdir())


def test_no_more_jobs_at_a_time_than_workers(tmp_path):
    class Counting(ThreadPoolExecutor):
        most = pending = 0

        def submit(self, *arguments, **named):
            future = super().submit(*arguments, **named)
            self.pending = sum(not f.done() for f in self.futures) + 1
            self.futures.append(future)
            self.most = max(self.most, self.pending)
            return future

    with Counting(4) as executor:
        executor.futures = []
        sweep(tmp_path, [make_job(n, fate=Fate(0.002)) for n in range(6)], executor=executor, workers=2)
    assert executor.most == 2


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_an_error_is_the_same_everywhere_and_finished_records_stay(tmp_path, executor):
    plan = make_plan(n3=Fate(end="error"))
    with pytest.raises(UserError, match="this one cannot be had: 'n3'"):
        sweep(tmp_path, plan, executor=executor, workers=2)
    assert Store(tmp_path).find(plan[0].key) is not None
    assert Store(tmp_path).find(plan[3].key) is None


def test_threads_end_with_their_next_step_when_another_fails(tmp_path):
    plan = [make_job(0, fate=Fate(0.3)), make_job(1, fate=Fate(end="error", after="n0"))]
    with pytest.raises(UserError, match="cannot be had"):
        sweep(tmp_path, plan, executor="threads", workers=2)
    assert read_mark("n0")[1] < 10
    assert not checksums(tmp_path)
    assert sweep(tmp_path, plan[:1], executor="threads")
    assert metrics(tmp_path, plan[:1])["n0"]["resumed_from"] > 0


def test_a_job_of_an_executor_ends_when_nobody_waits_any_more(tmp_path, monkeypatch):
    monkeypatch.setattr(origin_module, "_LOOK_EVERY_S", 0.01)
    plan = [make_job(0, fate=Fate(0.3)), make_job(1, fate=Fate(end="error", after="n0"))]
    with ThreadPoolExecutor(2) as executor:
        with pytest.raises(UserError, match="cannot be had"):
            sweep(tmp_path, plan, executor=executor)
        executor.shutdown(wait=True)
    assert read_mark("n0")[1] < 10
    assert not checksums(tmp_path)


def test_ctrl_c_cancels_what_waits(tmp_path, monkeypatch):
    monkeypatch.setattr(origin_module, "_LOOK_EVERY_S", 0.01)
    real = jobs_module.wait

    def interrupted(running, **settings):
        if read_mark("n0"):
            raise KeyboardInterrupt
        return real(running, timeout=0.02, return_when="FIRST_COMPLETED")

    monkeypatch.setattr(jobs_module, "wait", interrupted)
    plan = [make_job(n, fate=Fate(0.3)) for n in range(4)]
    for executor in ("threads", ThreadPoolExecutor(1)):
        with pytest.raises(KeyboardInterrupt):
            sweep(tmp_path, plan, executor=executor, workers=None if executor != "threads" else 1)
        if executor != "threads":
            executor.shutdown(wait=True)
    assert not checksums(tmp_path)
    assert read_mark("n3") is None


@pytest.mark.parametrize(
    "executor",
    [
        "",
        "thread",
        "process",
        "ray",
        "threads:2",
        "processes:",
        "Dask:tcp://a:1",
        None,
        3,
        ThreadPoolExecutor,
    ],
)
def test_unknown_executors_are_named(executor):
    with pytest.raises(
        UserError, match=r"unknown executor.*allowed: threads, processes, dask:ADDRESS, submitit"
    ):
        parse_executor(executor)


def test_an_unknown_executor_is_refused_even_where_nothing_is_missing(tmp_path):
    with pytest.raises(UserError, match="unknown executor: 'ray'"):
        sweep(tmp_path, [], executor="ray")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "host",
        "host:",
        "host:0",
        "host:70000",
        "http://host:80",
        "tcp://",
        "tcp://:8786",
        "a b:1",
        "::1:1",
    ],
)
def test_addresses_that_are_none(address):
    with pytest.raises(UserError, match=r"no address of a Dask scheduler.*allowed: dask:tcp://HOST:PORT"):
        parse_executor(f"dask:{address}")


@pytest.mark.parametrize(
    "address", ["tcp://host:8786", "host.org:1", "tls://10.0.0.1:8786", "tcp://[::1]:8786"]
)
def test_addresses(address):
    assert parse_executor(f"dask:{address}").argument == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cloud", "unknown setting of submitit: 'cloud'; allowed: local, partition"),
        ("part=a", "unknown setting of submitit: 'part=a'"),
        ("partition=", "partition cannot be used: ''; allowed: a name"),
        ("partition=a b", "partition cannot be used"),
        ("timeout_min=0", "timeout_min cannot be used: '0'; allowed: minutes"),
        ("timeout_min=1h", "timeout_min cannot be used"),
        ("mem_gb=-1", "mem_gb cannot be used"),
        ("mem_gb=1,mem_gb=2", "named twice"),
        ("local,partition=a", "unknown setting of submitit: 'partition=a'; allowed: timeout_min"),
        ("partition=a,,", "unknown setting of submitit: ''"),
    ],
)
def test_settings_of_submitit_that_are_none(text, said):
    with pytest.raises(UserError, match=said):
        parse_executor(f"submitit:{text}")


@pytest.mark.parametrize(
    ("executor", "module", "name"),
    [("dask:tcp://host:8786", "distributed", "Dask"), ("submitit:local", "submitit", "submitit")],
)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(monkeypatch, executor, module, name):
    real = executors_module.importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda n, *a: None if n == module else real(n, *a))
    with pytest.raises(UserError, match=rf"{name} is not installed.*pip install 'rnnkit\[cluster\]'"):
        parse_executor(executor)


def test_a_record_that_cannot_be_seen_from_here(tmp_path, monkeypatch):
    class Elsewhere(Executor):
        def submit(self, function, *arguments):
            future = Future()
            future.set_result(None)
            return future

    monkeypatch.setattr(origin_module, "VISIBLE_WITHIN_S", 0.1)
    with pytest.raises(UserError, match=r"cannot be seen from here.*file system that all machines share"):
        sweep(tmp_path, make_plan(), executor=Elsewhere())


def test_a_worker_without_the_callers_files(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNKIT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RNNKIT_OFFLINE", "1")
    with origin() as source:
        assert source.environment["RNNKIT_DATA"] == str(tmp_path / "data")
        elsewhere = type(source)(tmp_path / "none" / "token", source.environment, ("elsewhere", 1))
        monkeypatch.setenv("RNNKIT_HOME", "another")
        monkeypatch.delenv("RNNKIT_DATA")
        with pytest.raises(UserError, match=r"does not see the caller's files.*RNNKIT_HOME"):
            elsewhere.adopt()
        assert os.environ["RNNKIT_HOME"] == str(tmp_path / "home")
        assert os.environ["RNNKIT_DATA"] == str(tmp_path / "data")
        assert source.token.exists()
    assert not source.token.exists()


def test_what_a_killed_run_has_left_is_swept_away(home):
    with origin() as source:
        folder = source.token.parent
        host = source.token.name.split("-")[0]
    dead = folder / f"{host}-{2**22 + 1}-0"
    other = folder / "otherhost-1-0"
    dead.touch()
    other.touch()
    with origin():
        assert not dead.exists()
        assert other.exists()


def test_steps_that_are_stopped_raise_what_no_job_catches():
    steps = StoppableSteps(None, lambda: True)
    assert not issubclass(Abandoned, Exception)
    for call in (lambda: steps.steps(1, "x"), steps.advance):
        with pytest.raises(Abandoned):
            call()


def test_ctrl_c_is_held_back_whichever_thread_it_comes_to():
    leave, reached = threading.Event(), []
    other = threading.Thread(target=leave.wait, args=(60,))
    other.start()
    with pytest.raises(KeyboardInterrupt), ctrl_c_held():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        reached.append("the end")
    leave.set()
    other.join()
    assert reached == ["the end"]


def test_the_last_thread_to_leave_gives_the_threads_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    inside, leave = threading.Event(), threading.Event()

    def stay():
        with single_threaded():
            inside.set()
            leave.wait(60)

    other = threading.Thread(target=stay)
    try:
        with single_threaded():
            other.start()
            assert inside.wait(60)
        with single_threaded():
            assert torch.get_num_threads() == 1
        leave.set()
        other.join()
        wait_for(lambda: not other.is_alive(), "the thread")
        with ThreadPoolExecutor(1) as fresh:
            assert fresh.submit(torch.get_num_threads).result() == 2
    finally:
        torch.set_num_threads(before)
