"""What a submission may use before it is stopped."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rnnkit.errors import UserError


@dataclass(frozen=True)
class Limits:
    """Limits of one submission.

    Parameters
    ----------
    cell_seconds : int
        Wall clock of one cell; a cell that is stopped fails, the next ones still run.
    submission_seconds : int
        Wall clock of all cells together; what has not run by then fails.
    memory_gb : float
        Of all processes that the submission starts, together.
    output_mb : float
        What all cells may print together before the kernel is stopped.
    file_mb : float
        The largest notebook that is read.

    Raises
    ------
    UserError
        If one is not above zero.
    """

    cell_seconds: int = 120
    submission_seconds: int = 600
    memory_gb: float = 4.0
    output_mb: float = 20.0
    file_mb: float = 20.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:
                raise UserError(f"the limit {name} is too small", value=value, allowed="more than 0")

    @property
    def memory_bytes(self) -> int:
        """The limit on memory in bytes."""
        return int(self.memory_gb * 2**30)

    @property
    def output_bytes(self) -> int:
        """The limit on what is printed, in bytes."""
        return int(self.output_mb * 2**20)

    @property
    def file_bytes(self) -> int:
        """The limit on a notebook's size, in bytes."""
        return int(self.file_mb * 2**20)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)
