"""The cores of a machine, shared by the jobs of a run."""

import pytest

from rnnkit.studies.cores import Cores


@pytest.mark.parametrize("across_processes", [False, True])
def test_as_many_for_each_and_at_least_one(across_processes):
    cores = Cores(5, across_processes=across_processes)
    with cores.share() as first:
        assert first(8) == 5
        with cores.share() as second:
            assert first(8) == second(8) == 2
            with cores.share(), cores.share(), cores.share(), cores.share() as last:
                assert first(8) == last(8) == 1
        assert first(8) == 5
    assert (first.most, second.most, last.most) == (5, 2, 1)


def test_what_cannot_be_used_is_not_taken():
    with Cores(5).share() as share:
        assert share(3) == 3
    assert share.most == 3


def test_a_job_that_fails_gives_its_share_back():
    cores = Cores(4)
    with pytest.raises(ZeroDivisionError), cores.share():
        _ = 1 / 0
    with cores.share() as share:
        assert share(8) == 4
