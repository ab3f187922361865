"""Batch normalisation with the statistics of Keras."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Normalise each feature over the batch; Ioffe & Szegedy (2015).

    Two things differ from torch.nn.BatchNorm1d: `momentum` is the share of the old statistic that is kept, and the
    moving variance takes the batch's variance as it is (divided by the batch size, not by one less).

    Parameters
    ----------
    num_features : int
    momentum, eps : float
        Keras's defaults.
    """

    def __init__(self, num_features: int, *, momentum: float = 0.99, eps: float = 1e-3) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.running_mean: Tensor
        self.running_var: Tensor
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (batch, num_features): by the batch in training, by the moving statistics otherwise."""
        if not self.training:
            return nn.functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        mean, var = x.mean(0), x.var(0, correction=0)
        with torch.no_grad():
            self.running_mean.lerp_(mean, 1 - self.momentum)
            self.running_var.lerp_(var, 1 - self.momentum)
        return (x - mean) * torch.rsqrt(var + self.eps) * self.weight + self.bias
