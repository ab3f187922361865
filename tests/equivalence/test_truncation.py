"""The one-pass truncation probe against running every experiment separately."""

import numpy as np
import torch

from rnnkit.models import VanillaRNN
from rnnkit.probes.truncation import truncation


def _accuracy(net: VanillaRNN, x: torch.Tensor, y: torch.Tensor) -> float:
    with torch.no_grad():
        return float((net(x).argmax(1) == y).double().mean())


def test_one_pass_equals_separate_runs():
    generator = torch.Generator().manual_seed(0)
    net = VanillaRNN(5, 16, 3, generator=generator)
    with torch.no_grad():
        net.weight_hh *= 3  # a lively net: its answers must differ from step to step
        net.weight_ih *= 3
    x = torch.rand(57, 6, 5, generator=generator)
    y = torch.randint(0, 3, (57,), generator=generator)
    for blank in (0.0, -0.42):
        result = truncation(
            net.step, net.readout, x, y, h_0=torch.zeros(16), blank=blank, num_extra=9, batch_size=20
        )
        blanks = torch.full((57, 9, 5), blank)
        separate_blank = [_accuracy(net, torch.cat([x[:, :n], blanks[:, : 6 - n]], 1), y) for n in range(7)]
        separate_stop = [_accuracy(net, x[:, :n], y) for n in range(1, 7)]
        separate_extra = [_accuracy(net, torch.cat([x, blanks[:, :n]], 1), y) for n in range(10)]
        np.testing.assert_allclose(result.blank_after, separate_blank, atol=1e-12)
        np.testing.assert_allclose(result.stop_after[1:], separate_stop, atol=1e-12)
        np.testing.assert_allclose(result.extra_blank, separate_extra, atol=1e-12)
        assert len(set(result.extra_blank)) > 1
        assert result.blank_after[6] == result.stop_after[6] == result.extra_blank[0]


def test_progress_counts_every_image():
    net = VanillaRNN(5, 4, 3, generator=torch.Generator().manual_seed(0))
    seen: list[int] = []
    x, y = torch.zeros(45, 2, 5), torch.zeros(45, dtype=torch.int64)
    truncation(
        net.step,
        net.readout,
        x,
        y,
        h_0=torch.zeros(4),
        num_extra=0,
        batch_size=20,
        on_batch=seen.append,
    )
    assert seen == [20, 20, 5]
