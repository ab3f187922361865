"""The nets of the psMNIST chapter and how much each budget does with them (Section II C, Irisarri)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from rnnkit.errors import UserError
from rnnkit.models import ARCHITECTURES, PRECISIONS, ClassifierConfig
from rnnkit.models.configs import PLACES, SPANS
from rnnkit.training import KerasSchedule

LEARNING_RATE, BATCH_SIZE = 1e-3, 1000  # the paper's
PERMUTATION_SEED = 0
MODELS = tuple(ARCHITECTURES)
# Trained at the reduced budget at most, to compare settings: other readings of the paper's dropout, the paper's rate
# with small batches, both precisions; and what they are compared with.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "rnn-sequence": ("rnn", {"dropout_span": "sequence"}),
    "rnn-output": ("rnn", {"dropout_place": "output"}),
    "rnn-unscaled": ("rnn", {"learning_rate": LEARNING_RATE}),
    "lmu-rnn-fp32": ("lmu-rnn", {"precision": "fp32"}),
    "lmu-rnn-bf16": ("lmu-rnn", {"precision": "bf16"}),
}
COMPARED = ("rnn", *VARIANTS)
PRECISE = ("lmu-rnn-fp32", "lmu-rnn-bf16")  # with several seeds: how far apart are these?
SETTINGS_SEEDS = (0, 1, 2)  # at every budget; the others have the first alone
# The simple RNN's first epochs at the paper's own size: who falls back to guessing, and is it rounding?
STARTS = {"rnn-start-fp32": "fp32", "rnn-start-bf16": "bf16"}
START_SEEDS = (0, 1, 2, 3, 4, 5)
START_EPOCHS = 2
CONTROL = "lstm-free"  # the LSTM of the six once more, at every budget: what its recurrent dropout costs
# Orthogonal matrices under random masks: what recurrent dropout does to a spectral radius.
MASK_RATES, NUM_MASKS, MASKED_UNITS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6), 12, 256
_DROPOUT = ("dropout", "dropout_place", "dropout_span", "recurrent_dropout")
NETS = (*MODELS, *VARIANTS, *STARTS, CONTROL)


@dataclass(frozen=True)
class Budget:
    """How much is trained on and measured.

    Attributes
    ----------
    num_train, num_valid, num_test : int
        Images of each part, from its first on.
    batch_size : int
    base_epochs, memory_epochs : int
        Epochs of the models without and with a Legendre memory.
    precision : {"fp32", "bf16"}
    num_probed : int
        Test images whose hidden states are looked at.
    num_gradients : int
        Test images along which gradients are followed back.
    """

    num_train: int
    num_valid: int
    num_test: int
    batch_size: int
    base_epochs: int
    memory_epochs: int
    precision: str
    num_probed: int
    num_gradients: int


BUDGETS = {
    "quick": Budget(500, 300, 1000, 20, 4, 3, "fp32", 500, 20),
    # A tenth of the paper's images, in batches small enough for few epochs to make a net learn.
    "reduced": Budget(5000, 1000, 5000, 50, 12, 3, "bf16", 2000, 50),
    "paper": Budget(50_000, 10_000, 10_000, BATCH_SIZE, 100, 60, "bf16", 2000, 50),
}


def learning_rate(batch_size: int) -> float:
    """The paper's learning rate, made smaller with the root of the batch size.

    A gradient's noise grows as a batch shrinks, and with Adam this keeps the noise of a path through the weights
    (Malladi et al., On the SDEs and Scaling Rules for Adaptive Gradient Algorithms, 2022). The variant ``rnn-unscaled``
    shows what the paper's rate does with small batches.
    """
    return float(f"{LEARNING_RATE * (batch_size / BATCH_SIZE) ** 0.5:.3g}")


@dataclass(frozen=True)
class Net:
    """One network and how it is trained.

    Attributes
    ----------
    name : str
        One of `NETS`.
    model : str
        One of the six architectures.
    schedule : KerasSchedule
    num_train, num_valid, num_test : int
        Images of each part, from its first on.
    dropout_place, dropout_span : str, optional
        In place of the architecture's, see `rnnkit.models.ClassifierConfig`.
    precision : {"fp32", "bf16"}
    recurrent_dropout : float, optional
        In place of the architecture's.
    """

    name: str
    model: str
    schedule: KerasSchedule
    num_train: int
    num_valid: int
    num_test: int
    dropout_place: str | None = None
    dropout_span: str | None = None
    precision: str = "fp32"
    recurrent_dropout: float | None = None

    def __post_init__(self) -> None:
        choices = {"model": MODELS, "dropout_place": PLACES, "dropout_span": SPANS, "precision": PRECISIONS}
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed and not (value is None and name.startswith("dropout")):
                raise UserError(f"unknown {name}", value=value, allowed=allowed)

    def to_dict(self) -> dict[str, Any]:
        """As it enters the record's key, with its dropout in full."""
        config = self._architecture()
        return {**asdict(self), **{name: getattr(config, name) for name in _DROPOUT}}

    def _architecture(self) -> ClassifierConfig:
        changes = {name: getattr(self, name, None) for name in _DROPOUT}
        return replace(
            ARCHITECTURES[self.model], **{name: value for name, value in changes.items() if value is not None}
        )

    def classifier(self, seq_len: int) -> ClassifierConfig:
        """The model's config, its memory's window as long as the sequences."""
        config = self._architecture()
        if not config.memory_size:
            return config
        return replace(config, theta=float(seq_len), memory_size=min(config.memory_size, seq_len))


def make_net(name: str, budget: str) -> Net:
    """The net of this name at this budget.

    Raises
    ------
    UserError
        An unknown name.
    """
    known = (*MODELS, *VARIANTS)
    if name not in known:
        raise UserError("unknown net", value=name, allowed=known)
    chosen = BUDGETS[budget]
    model, changes = VARIANTS.get(name, (name, {}))
    config = ARCHITECTURES[model]
    epochs = chosen.memory_epochs if config.memory_size else chosen.base_epochs
    changes = {"precision": chosen.precision, **changes}
    rate = changes.pop("learning_rate", learning_rate(chosen.batch_size))
    schedule = KerasSchedule(rate, chosen.batch_size, epochs)
    return Net(
        name,
        model,
        schedule,
        chosen.num_train,
        chosen.num_valid,
        chosen.num_test,
        **changes,
    )


def make_start(name: str, budget: str) -> Net:
    """The simple RNN of one of `STARTS`, for few epochs: of the paper's size, but for the quick budget."""
    whole = make_net("rnn", "quick" if budget == "quick" else "paper")
    schedule = replace(whole.schedule, num_epochs=START_EPOCHS)
    few = BUDGETS["quick"]
    return replace(
        whole,
        name=name,
        schedule=schedule,
        precision=STARTS[name],
        num_valid=few.num_valid,
        num_test=few.num_test,
    )


@dataclass(frozen=True)
class ProbeConfig:
    """What is asked of one trained net.

    Attributes
    ----------
    net : Net
    dataset : str
    num_probed, num_gradients : int
        See `Budget`.
    """

    net: Net
    dataset: str
    num_probed: int
    num_gradients: int
