"""A population of small recurrent networks as one module."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rnnkit.errors import UserError
from rnnkit.models.population.sequences.architecture import SequenceArchitecture, check_sequence_parameters
from rnnkit.models.population.sequences.recurrence import Read, join, read

MEMORY = 2**26  # bytes of intermediate results at a time where no gradient is wanted

_ONE_WAY = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class SequencePopulation(nn.Module):
    """Networks of one architecture, each with its own weights, computed together.

    Parameters
    ----------
    architecture : SequenceArchitecture
    parameters : mapping of str to array (num_models, *shape)
        Named and shaped as in ``architecture.shapes()``; copied.

    Raises
    ------
    UserError
        Parameters that are not those of the architecture.
    """

    def __init__(self, architecture: SequenceArchitecture, parameters: Mapping[str, NDArray]) -> None:
        super().__init__()
        self.architecture = architecture
        for name, array in check_sequence_parameters(architecture, parameters).items():
            self.register_parameter(name, nn.Parameter(torch.from_numpy(np.array(array))))

    @property
    def num_models(self) -> int:
        """How many networks there are."""
        return len(self.get_parameter("weight_ih"))

    def arrays(self) -> dict[str, NDArray]:
        """A copy of the parameters, as they were given to the constructor."""
        return {name: value.detach().cpu().numpy().copy() for name, value in self.named_parameters()}

    def forward(self, x: Tensor) -> Tensor:
        """Read sequences.

        Parameters
        ----------
        x : Tensor (batch, seq_len, input_size) or (num_models, batch, seq_len, input_size)
            The same for all networks, or of each its own.

        Returns
        -------
        Tensor (num_models, batch, output_size), or (num_models, batch, seq_len, output_size) with the read-out ``each``
            What the linear layer puts out.

        Raises
        ------
        UserError
            An ``x`` of another shape.
        """
        x = self._checked(x)
        if torch.is_grad_enabled():
            return self._outputs(x)
        return torch.cat([self._outputs(part) for part in x.split(self._batch(x), dim=-3)], 1)

    def hidden_states(self, x: Tensor, *, cells: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """The states after every step, for an ``x`` as in `forward`.

        Returns
        -------
        Tensor (num_models, batch, seq_len, num_directions * hidden_size)
            The forward half first; the reverse half at step t has read the steps t and later, as in torch.
            With ``cells``, a pair: the same of the cell states too.

        Raises
        ------
        UserError
            An ``x`` of another shape, or ``cells`` of something that is no LSTM.
        """
        if cells and self.architecture.cell != "lstm":
            raise UserError("only an LSTM has cell states", value=self.architecture.cell, allowed="lstm")
        x = self._checked(x)
        parts = [x] if torch.is_grad_enabled() else x.split(self._batch(x), dim=-3)
        found = [self._everything(part, cells) for part in parts]
        states, memory = (_model_first(one) for one in zip(*found, strict=True))
        assert states is not None
        return states if memory is None else (states, memory)

    def _outputs(self, x: Tensor) -> Tensor:
        architecture = self.architecture
        if architecture.readout == "each":
            states = self._everything(x, False)[0].permute(1, 2, 0, 3)  # (M, D H, T, B)
            return self._read_out(states.flatten(2)).unflatten(2, states.shape[2:]).permute(0, 3, 2, 1)
        if not architecture.bidirectional:
            return self._read_out(self._read(x, ("",)).h_n).mT
        if architecture.readout == "final":
            return self._read_out(torch.cat(self._read(x, ("", "_reverse")).h_n.chunk(2), 1)).mT
        # At the last step the reverse direction has read that step and no other.
        ways = self._read(x, ("",)).h_n, self._read(x[..., -1:, :], ("_reverse",)).h_n
        return self._read_out(torch.cat(ways, 1)).mT

    def _read_out(self, states: Tensor) -> Tensor:
        """(M, D H, n) -> (M, O, n)."""
        bias, weight = self.get_parameter("bias_out"), self.get_parameter("weight_out")
        return torch.baddbmm(bias.unsqueeze(2), weight, states)

    def _everything(self, x: Tensor, cells: bool) -> tuple[Tensor, Tensor | None]:
        """All states, and cell states where wanted, (T, M, D H, B) each."""
        ways = ("", "_reverse") if self.architecture.bidirectional else ("",)
        found = self._read(x, ways, states=True, cells=cells)
        assert found.states is not None
        return _side_by_side(found.states, len(ways)), (
            None if found.cells is None else _side_by_side(found.cells, len(ways))
        )

    def _read(self, x: Tensor, ways: tuple[str, ...], *, states: bool = False, cells: bool = False) -> Read:
        """Both directions are networks beside each other, of which the second is given the sequence backwards."""
        cell, num_models = self.architecture.cell, self.num_models
        weights = [join(cell, *(self.get_parameter(name + way) for name in _ONE_WAY)) for way in ways]
        if x.dim() == 3:
            source = x.permute(1, 2, 0).unsqueeze(1).expand(-1, num_models, -1, -1)  # (T, M, I, B)
        else:
            source = x.permute(2, 0, 3, 1)
        sources = [source.flip(0) if way else source for way in ways]
        both = sources[0] if len(ways) == 1 else torch.cat(sources, 1)
        return read(
            cell, weights[0] if len(ways) == 1 else torch.cat(weights), both, states=states, cells=cells
        )

    def _checked(self, x: Tensor) -> Tensor:
        size = self.architecture.input_size
        fits = isinstance(x, Tensor) and x.dim() in (3, 4) and x.shape[-1] == size and 0 not in x.shape
        if not fits or (x.dim() == 4 and len(x) != self.num_models):
            raise UserError(
                "these are no sequences for the networks",
                value=tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__,
                allowed=f"a tensor (batch, seq_len, {size}) or ({self.num_models}, batch, seq_len, {size})",
            )
        return x.to(self.get_parameter("weight_ih"))

    def _batch(self, x: Tensor) -> int:
        """How many sequences are read at a time without gradients."""
        a = self.architecture
        numbers = 8 * a.hidden_size + a.input_size + 1  # a step keeps these of each sequence and direction
        size = self.num_models * a.num_directions * x.shape[-2] * numbers * x.element_size()
        return max(1, MEMORY // size)


def _side_by_side(states: Tensor, num_ways: int) -> Tensor:
    """(T, D M, H, B) -> (T, M, D H, B), the reverse direction turned round."""
    if num_ways == 1:
        return states
    forth, back = states.chunk(2, 1)
    return torch.cat([forth, back.flip(0)], 2)


def _model_first(parts: tuple[Tensor | None, ...]) -> Tensor | None:
    """Parts (T, M, D H, B) of a batch -> (M, B, T, D H)."""
    tensors = [part for part in parts if part is not None]
    return torch.cat(tensors, 3).permute(1, 3, 0, 2) if tensors else None
