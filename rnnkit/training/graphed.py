"""Whole training steps as CUDA graphs: forward, loss, backward and Adam are launched as one.

A step of a recurrent net is thousands of small kernels, each over before the next one can be asked for. A graph holds
them all; what changes from step to step lies in buffers that stay where they are and are filled before each replay:
the batch, its dropout masks (drawn on the CPU, so that a device does not change them) and three numbers of Adam.

All of it but the capture itself runs on any device with `eager` in place of `CudaCapture`, and is tested so; that it
stays on its device and reads nothing back is tested on tensors which only say that they are on CUDA. On CUDA itself
it is checked by ``python -m benchmarks psmnist_cuda`` alone, against plain steps on the same device.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import fields

import torch
from torch import Tensor, nn

from rnnkit.models import Masks, SequenceClassifier
from rnnkit.training.schedule import Schedule

Work = Callable[[], None]
Capture = Callable[[Work], Work]
_WARM_UP = 3


def eager(work: Work) -> Work:
    """Stand in for a capture where there is no CUDA: the work itself."""
    return work


class CudaCapture:
    """Capture work as a CUDA graph and return its replay; graphs share memory, and are not to overlap.

    The work is run a few times before it is captured: libraries set themselves up, and kernels are compiled.
    """

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, work: Work) -> Work:
        """Capture on a stream of its own, as torch demands."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                work()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        torch.cuda.empty_cache()  # the graph takes memory of its own
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            work()
        return graph.replay


class GraphedStep:
    """Training steps of a classifier as `rnnkit.training.train` takes them.

    Parameters
    ----------
    model : SequenceClassifier
        On the device to train on. Parameters and moving statistics are changed in place; `.grad` is not touched.
    optimizer : torch.optim.Adam
        Gives the learning rate and the decay rates, and holds the moments, which may be those of a training that was
        resumed; its own step is never called. Its state stays what a checkpoint keeps.
    schedule : Schedule
        Says what Adam adds to the root at each step.
    capture : callable, optional
        What makes a replay of a step; it may run the step as often as it likes first. By default a CUDA graph on
        CUDA, and on other devices the step as it is.
    """

    def __init__(
        self,
        model: SequenceClassifier,
        optimizer: torch.optim.Adam,
        schedule: Schedule,
        *,
        capture: Capture | None = None,
    ) -> None:
        self._model, self._schedule = model, schedule
        self._adam = _Adam(optimizer)
        self._totals = _Totals(model.weight_out.device)
        self._capture = capture or _default_capture(model.weight_out.device)
        self._plans: dict[tuple[int, ...], tuple[_Batch, Work]] = {}

    def step(self, x: Tensor, y: Tensor) -> None:
        """Take one step on x (batch, seq_len, input_size) and y (batch,); returns before a GPU has finished it.

        Masks are drawn while a GPU still works on the step before. A copy from the host to the device waits for it:
        to keep it busy, gather x and y from data on the device, with an order that was moved there once an epoch.
        """
        masks = self._model.draw_masks(*x.shape[:2], device="cpu") if self._model.training else Masks()
        if x.shape not in self._plans:
            self._plans[tuple(x.shape)] = self._plan(x, y, masks)
        batch, replay = self._plans[tuple(x.shape)]
        batch.fill(x, y, masks)
        self._adam.count(self._schedule)
        replay()

    def totals(self) -> tuple[float, int]:
        """Sum of the losses of all sequences met since the last call, and how many were classified correctly.

        The sum is not finite where a loss was not.
        """
        return self._totals.take()

    @property
    def steps_since_not_finite(self) -> int:
        """Steps from the first one whose loss was not finite to the last one that the last totals are of."""
        return self._totals.since

    def _plan(self, x: Tensor, y: Tensor, masks: Masks) -> tuple[_Batch, Work]:
        batch = _Batch(x, y, masks)
        model, parameters = self._model, self._adam.parameters

        def work() -> None:
            logits = model(batch.x, masks=batch.masks)
            loss = nn.functional.cross_entropy(logits, batch.y)
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                self._totals.add(loss.detach().double() * len(batch.y), logits, batch.y)
                self._adam.update(gradients)

        changed = [*parameters, *model.buffers(), *self._adam.moments, *self._totals.tensors]
        return batch, _captured(self._capture, work, changed)


class GraphedEvaluation:
    """Loss and accuracy of a classifier in evaluation mode; sees each change of the parameters."""

    def __init__(self, model: SequenceClassifier, *, capture: Capture | None = None) -> None:
        self._model = model
        self._totals = _Totals(model.weight_out.device)
        self._capture = capture or _default_capture(model.weight_out.device)
        self._plans: dict[tuple[int, ...], tuple[_Batch, Work]] = {}

    def step(self, x: Tensor, y: Tensor) -> None:
        """Classify x (batch, seq_len, input_size), with targets y (batch,)."""
        if x.shape not in self._plans:
            self._plans[tuple(x.shape)] = self._plan(x, y)
        batch, replay = self._plans[tuple(x.shape)]
        batch.fill(x, y, Masks())
        replay()

    def totals(self) -> tuple[float, int]:
        """As of `GraphedStep`."""
        return self._totals.take()

    def _plan(self, x: Tensor, y: Tensor) -> tuple[_Batch, Work]:
        batch, model = _Batch(x, y, Masks()), self._model

        def work() -> None:
            was_training = model.training
            model.eval()
            with torch.no_grad():
                logits = model(batch.x)
                loss = nn.functional.cross_entropy(logits, batch.y, reduction="sum")
                self._totals.add(loss, logits, batch.y)
            model.train(was_training)

        return batch, _captured(self._capture, work, self._totals.tensors)


def _default_capture(device: torch.device) -> Capture:
    return CudaCapture() if device.type == "cuda" else eager


def _captured(capture: Capture, work: Work, changed: Iterable[Tensor]) -> Work:
    """Capture work, and undo what it did to these tensors meanwhile."""
    before = [(tensor, tensor.detach().clone()) for tensor in changed]
    try:
        return capture(work)
    finally:
        with torch.no_grad():
            for tensor, value in before:
                tensor.copy_(value)


class _Totals:
    """Sums over batches that stay on the device until they are asked for."""

    def __init__(self, device: torch.device) -> None:
        self._loss = torch.zeros((), dtype=torch.float64, device=device)
        self._correct = torch.zeros((), dtype=torch.int64, device=device)
        # Steps from the first loss that was not finite on; -1 while there is none.
        self._since = torch.full((), -1, dtype=torch.int64, device=device)
        self.since = -1
        self.tensors = (self._loss, self._correct, self._since)

    def add(self, loss: Tensor, logits: Tensor, y: Tensor) -> None:
        """Add a batch's sum of losses, and how many of its logits are greatest where y says."""
        began = torch.where(loss.isfinite(), -1, 0)
        self._since.copy_(torch.where(self._since < 0, began, self._since + 1))
        self._loss += loss.double()
        self._correct += (logits.argmax(1) == y).sum()

    def take(self) -> tuple[float, int]:
        """The sums; they start again from zero."""
        found, self.since = (float(self._loss), int(self._correct)), int(self._since)
        for tensor, start in zip(self.tensors, (0, 0, -1), strict=True):
            tensor.fill_(start)
        return found


class _Batch:
    """Where one batch and its masks lie; on CUDA masks come by way of pinned memory."""

    def __init__(self, x: Tensor, y: Tensor, masks: Masks) -> None:
        self.x, self.y = x.clone(), y.clone()
        placed = {name: mask.to(x.device, copy=True) for name, mask in _given(masks).items()}
        self.masks = Masks(**placed)
        # Two of each: one may still be on its way while the next is written.
        self._pinned = [
            {name: mask.clone().pin_memory() for name, mask in _from_host(masks).items()}
            for _ in range(2 if x.device.type == "cuda" else 0)
        ]
        self._sent: list[torch.cuda.Event | None] = [None, None]

    def fill(self, x: Tensor, y: Tensor, masks: Masks) -> None:
        """Put another batch there, in the order of the stream: after what still reads the last one."""
        self.x.copy_(x)
        self.y.copy_(y)
        given, placed = _given(masks), _given(self.masks)
        sent_later = _from_host(masks) if self._pinned else {}
        for name in given.keys() - sent_later.keys():
            placed[name].copy_(given[name])
        if not sent_later:
            return
        pinned, sent = self._pinned.pop(0), self._sent.pop(0)
        if sent is not None:
            sent.synchronize()
        for name, mask in sent_later.items():
            pinned[name].copy_(mask)
            placed[name].copy_(pinned[name], non_blocking=True)
        sent = torch.cuda.Event()
        sent.record()
        self._pinned.append(pinned)
        self._sent.append(sent)


def _from_host(masks: Masks) -> dict[str, Tensor]:
    return {name: mask for name, mask in _given(masks).items() if mask.device.type == "cpu"}


def _given(masks: Masks) -> dict[str, Tensor]:
    pairs = ((field.name, getattr(masks, field.name)) for field in fields(masks))
    return {name: mask for name, mask in pairs if mask is not None}


class _Adam:
    """Adam whose numbers of each step lie in a tensor; torch's takes epsilon as a number, which a graph would freeze.

    The moments and step counts are those of a `torch.optim.Adam`.
    """

    def __init__(self, optimizer: torch.optim.Adam) -> None:
        (group,) = optimizer.param_groups
        if any(group[name] for name in ("weight_decay", "amsgrad", "maximize")):
            raise ValueError("weight_decay, amsgrad and maximize are not there")
        self.parameters: list[Tensor] = group["params"]
        self._learning_rate, self._betas = float(group["lr"]), group["betas"]
        for parameter in self.parameters:
            state = optimizer.state[parameter]
            # Counted on the host, where a checkpoint puts them.
            state["step"] = torch.as_tensor(state.get("step", 0.0), dtype=torch.float32).cpu().clone()
            for name in ("exp_avg", "exp_avg_sq"):
                if name not in state:
                    state[name] = torch.zeros_like(parameter)
        states = [optimizer.state[parameter] for parameter in self.parameters]
        self._exp_avg = [state["exp_avg"] for state in states]
        self._exp_avg_sq = [state["exp_avg_sq"] for state in states]
        self._counts = [state["step"] for state in states]
        self._rates = torch.zeros(3, dtype=torch.float32, device=self.parameters[0].device)

    @property
    def moments(self) -> list[Tensor]:
        """Everything that an update changes beside the parameters."""
        return [*self._exp_avg, *self._exp_avg_sq]

    def count(self, schedule: Schedule) -> None:
        """Go on to the next step: what it takes of numbers is written to the device."""
        torch._foreach_add_(self._counts, 1)
        step = int(self._counts[0])
        rates = (
            self._learning_rate / (1 - self._betas[0] ** step),
            math.sqrt(1 - self._betas[1] ** step),
            schedule.epsilon_at(step),
        )
        for slot, rate in enumerate(rates):
            self._rates[slot].fill_(rate)  # no copy from the host, which would wait for the device

    def update(self, gradients: tuple[Tensor, ...]) -> None:
        """``p -= rate * m / (sqrt(v) / correction + epsilon)`` for all parameters."""
        rate, correction, epsilon = self._rates.unbind()
        torch._foreach_lerp_(self._exp_avg, gradients, 1 - self._betas[0])
        torch._foreach_mul_(self._exp_avg_sq, self._betas[1])
        torch._foreach_addcmul_(self._exp_avg_sq, gradients, gradients, 1 - self._betas[1])
        roots = torch._foreach_sqrt(self._exp_avg_sq)
        torch._foreach_div_(roots, correction)
        # Of a tensor, by name: torch._foreach_add_ would read the number back to the host.
        torch.ops.aten._foreach_add_.Tensor(roots, epsilon)
        changes = torch._foreach_div(self._exp_avg, roots)
        torch._foreach_mul_(changes, rate)
        torch._foreach_sub_(self.parameters, changes)
