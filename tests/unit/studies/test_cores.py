"""The cores of a machine, shared by the jobs under way."""

import pytest

from rnnkit.studies.cores import Cores


def test_as_many_for_each_and_at_least_one():
    cores = Cores(5)
    with cores.share() as first:
        assert first() == 5
        with cores.share() as second:
            assert first() == second() == 2
            with cores.share(), cores.share(), cores.share(), cores.share() as last:
                assert first() == last() == 1
        assert first() == 5
    assert (first.most, second.most, last.most) == (5, 2, 1)


def test_a_job_that_fails_gives_its_share_back():
    cores = Cores(4)
    with pytest.raises(ZeroDivisionError), cores.share():
        _ = 1 / 0
    with cores.share() as share:
        assert share() == 4
