"""Recurrent layers on top of each other, in one direction or both, with torch's weights and names."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnkit.errors import UserError
from rnnkit.models.configs import StackedConfig
from rnnkit.models.layers import check_input
from rnnkit.models.recurrence import recur

_LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class StackedClassifier(nn.Module):
    """Sequences to logits through one or more recurrent layers and a linear readout.

    Parameters
    ----------
    config : StackedConfig
    generator : torch.Generator, optional
        Draws all weights as torch does: uniform within 1 / sqrt(hidden_size), the readout's within
        1 / sqrt of what it reads.

    Attributes
    ----------
    layers : torch.nn.RNN, LSTM or GRU
        Holds the weights under torch's names. What it would compute is computed here by
        :func:`rnnkit.models.recurrence.recur`.
    readout : torch.nn.Linear
    """

    def __init__(self, config: StackedConfig, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        with torch.device("meta"):  # the weights are drawn below, from no global state
            self.layers = _LAYERS[config.cell](
                config.input_size,
                config.hidden_size,
                config.num_layers,
                batch_first=True,
                bidirectional=config.bidirectional,
            )
            self.readout = nn.Linear(config.width, config.num_classes)
        self.to_empty(device="cpu")
        for part, fan in ((self.layers, config.hidden_size), (self.readout, config.width)):
            for parameter in part.parameters():
                nn.init.uniform_(parameter, -(fan**-0.5), fan**-0.5, generator=generator)

    @property
    def num_parameters(self) -> int:
        """Number of trained values."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(self, x: Tensor) -> Tensor:
        """Classify sequences.

        Parameters
        ----------
        x : Tensor (batch, seq_len, input_size)

        Returns
        -------
        Tensor (batch, num_classes), or (batch, seq_len, num_classes) of the readout ``each``
        """
        config = self.config
        rows = self._below_the_last(x)
        if config.readout == "each":
            return self.readout(self._outputs(rows, config.num_layers - 1).transpose(0, 1))
        last = config.num_layers - 1
        read = [self._run(rows, last, "")[0]]
        if config.bidirectional:
            backwards = rows[-1:] if config.readout == "last" else rows.flip(0)
            read.append(self._run(backwards, last, "_reverse")[0])
        return self.readout(torch.cat(read, dim=1))

    def beliefs(self, x: Tensor) -> Tensor:
        """What the net would say if the sequence ended after each step: (batch, seq_len, num_classes) logits.

        A net of one direction says it of every state; one of both directions has to read each beginning anew.

        Raises
        ------
        UserError
            The readout ``each``, which says something else at every step.
        """
        if self.config.readout == "each":
            raise UserError("this net answers at every step", value="each", allowed=("last", "final"))
        if self.config.bidirectional:
            return torch.stack([self(x[:, : t + 1]) for t in range(x.shape[1])], dim=1)
        states = self._outputs(self._below_the_last(x), self.config.num_layers - 1)
        return self.readout(states.transpose(0, 1))

    def _below_the_last(self, x: Tensor) -> Tensor:
        """What the last layer reads, (seq_len, batch, features)."""
        check_input(x, self.config.input_size)
        rows = x.transpose(0, 1)
        for layer in range(self.config.num_layers - 1):
            rows = self._outputs(rows, layer)
        return rows

    def _outputs(self, rows: Tensor, layer: int) -> Tensor:
        """All states of a layer: rows (seq_len, batch, features) -> (seq_len, batch, width)."""
        forwards = self._run(rows, layer, "", states=True)[1]
        if not self.config.bidirectional:
            return forwards
        backwards = self._run(rows.flip(0), layer, "_reverse", states=True)[1]
        return torch.cat([forwards, backwards.flip(0)], dim=2)

    def _run(self, rows: Tensor, layer: int, suffix: str, *, states: bool = False) -> tuple[Tensor, Tensor]:
        weight_ih, weight_hh, bias_ih, bias_hh = (
            getattr(self.layers, f"{name}_l{layer}{suffix}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        drive = nn.functional.linear(rows, weight_ih, bias_ih)
        h_n, _, hidden_states = recur(self.config.cell, drive, weight_hh, bias_hh, states=states)
        return h_n, h_n if hidden_states is None else hidden_states
