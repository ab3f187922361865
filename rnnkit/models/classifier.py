"""Classifiers of sequences: a recurrent layer, with or without a Legendre memory, read out after the last step."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnkit.errors import UserError
from rnnkit.models.configs import PLACES, ClassifierConfig
from rnnkit.models.dropout import Masks, draw_mask, draw_masks_of_steps, draw_packed_masks
from rnnkit.models.initialisers import glorot_uniform
from rnnkit.models.layers import Recurrent
from rnnkit.models.lmu import LMU
from rnnkit.models.normalisation import BatchNorm
from rnnkit.models.options import check_precision
from rnnkit.models.recurrence import PackedMasks, reads_packed_masks


class SequenceClassifier(nn.Module):
    """Sequences to logits: recurrent layer, batch normalisation or none, linear readout.

    Parameters
    ----------
    config : ClassifierConfig
    generator : torch.Generator, optional
        Draws the weights as Keras does.
    dropout_generator : torch.Generator, optional
        Draws the dropout masks in training; needed only where the config has dropout.
    precision : {"fp32", "bf16"}
        See `rnnkit.models.recurrence.recur`.

    Attributes
    ----------
    layer : Recurrent or LMU
    norm : BatchNorm or None
    weight_out, bias_out : (num_classes, hidden_size), (num_classes,)
    dropout_generator : torch.Generator or None
        As given. May be replaced, as when a training is resumed.
    """

    def __init__(
        self,
        config: ClassifierConfig,
        *,
        generator: torch.Generator | None = None,
        dropout_generator: torch.Generator | None = None,
        precision: str = "fp32",
    ) -> None:
        super().__init__()
        check_precision(precision)
        self.config, self.precision = config, precision
        self.dropout_generator = dropout_generator
        self.layer: Recurrent | LMU
        if config.memory_size:
            self.layer = LMU(
                config.input_size,
                config.hidden_size,
                cell=config.cell,
                memory_size=config.memory_size,
                theta=config.theta,
                memory_d=config.memory_d,
                discretizer=config.discretizer,
                input_to_hidden=config.input_to_hidden,
                encoder="ones",
                generator=generator,
            )
        else:
            self.layer = Recurrent(config.cell, config.input_size, config.hidden_size, generator=generator)
        self.norm = BatchNorm(config.hidden_size) if config.normalise else None
        self.weight_out = nn.Parameter(
            glorot_uniform(config.num_classes, config.hidden_size, generator=generator)
        )
        self.bias_out = nn.Parameter(torch.zeros(config.num_classes))

    @property
    def cell(self) -> Recurrent:
        """The recurrent cell: the layer itself, or the hidden cell behind its memory."""
        return self.layer.hidden if isinstance(self.layer, LMU) else self.layer

    @property
    def num_trainable(self) -> int:
        """Number of trained values."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def num_parameters(self) -> int:
        """Number of parameters as Keras counts them: the moving statistics of batch normalisation are among them."""
        return self.num_trainable + sum(
            len(statistic) for statistic in (self.norm.buffers() if self.norm is not None else ())
        )

    def draw_masks(
        self,
        batch_size: int,
        seq_len: int,
        *,
        device: torch.device | str | None = None,
        packed: bool = False,
    ) -> Masks:
        """Dropout masks of a batch, drawn from `dropout_generator`; on the weights' device if no other is named.

        Those of each step, which are many, are on the weights' device in any case; recurrent ones may be `packed`,
        which they are where the recurrence reads them so.
        """
        config, cell = self.config, self.cell
        if config.dropout == config.recurrent_dropout == 0:
            return Masks()
        generator = self.dropout_generator
        if generator is None:
            raise UserError(
                "dropout has no generator to draw from",
                hint="Give the classifier a dropout_generator, or call .eval() on it",
            )
        has_gates = cell.num_gates > 1 and config.recurrent_dropout > 0
        here = self.weight_out.device
        to = here if device is None else device
        rate = {place: config.dropout if place == config.dropout_place else 0.0 for place in PLACES}
        by_step = config.dropout_span == "step"

        def draw(*shape: int, rate: float) -> Tensor | None:
            return draw_mask(*shape, rate=rate, generator=generator, device=to)

        def draw_read(*shape: int, rate: float) -> Tensor | None:
            if not by_step:
                return draw(*shape, rate=rate)
            return draw_masks_of_steps(seq_len, *shape, rate=rate, generator=generator, device=here)

        def draw_recurrent(*shape: int, rate: float) -> Tensor | PackedMasks | None:
            if packed and by_step and reads_packed_masks(cell.weight_hh):
                return draw_packed_masks(seq_len, *shape, rate=rate, generator=generator)
            return draw_read(*shape, rate=rate)

        gates = cell.num_gates if has_gates else 1
        memory = draw_read(batch_size, config.input_size, rate=rate["memory"])
        return Masks(
            input=draw_read(gates, batch_size, cell.input_size, rate=rate["input"]),
            recurrent=draw_recurrent(
                cell.num_gates, batch_size, cell.hidden_size, rate=config.recurrent_dropout
            ),
            memory=None if memory is None else memory.view(-1, batch_size, config.input_size).transpose(0, 1),
            output=draw(batch_size, cell.hidden_size, rate=rate["output"]),
        )

    def forward(self, x: Tensor, *, masks: Masks | None = None) -> Tensor:
        """Classify: x (batch, seq_len, input_size) -> logits (batch, num_classes).

        In training, dropout masks are drawn where none are given; otherwise there is no dropout unless masks are given.
        """
        if masks is None:
            masks = self.draw_masks(*x.shape[:2], packed=True) if self.training else Masks()
        of_memory = {} if masks.memory is None else {"memory_masks": masks.memory}
        h_n, _, _ = self.layer(
            x, input_masks=masks.input, recurrent_masks=masks.recurrent, precision=self.precision, **of_memory
        )
        return self.readout(h_n, output_mask=masks.output)

    def readout(self, h: Tensor, *, output_mask: Tensor | None = None) -> Tensor:
        """Logits of states h (batch, hidden_size) -> (batch, num_classes)."""
        h = h if self.norm is None else self.norm(h)
        h = h if output_mask is None else h * output_mask
        return nn.functional.linear(h, self.weight_out, self.bias_out)

    def hidden_states(self, x: Tensor) -> Tensor:
        """States after each step, without dropout: x (batch, seq_len, input_size) -> (batch, seq_len, hidden_size)."""
        _, _, states = self.layer(x, precision=self.precision, states=True)
        return states
