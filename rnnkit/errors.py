"""The errors a user meets: what was wrong, the value, what is allowed, what to do next."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """A mistake or a circumstance that the user can mend; shown as one message, without a traceback.

    Parameters
    ----------
    what : str
        What was wrong, as a phrase without a full stop: ``"unknown budget"``.
    value : object, optional
        The offending value; printed with ``repr``.
    allowed : str or iterable of str, optional
        What would have been accepted.
    hint : str, optional
        What to do next, as a sentence.
    """

    exit_code = 2

    def __init__(
        self,
        what: str,
        *,
        value: object = None,
        allowed: str | Iterable[str] | None = None,
        hint: str | None = None,
    ) -> None:
        self.what, self.value, self.hint = what, value, hint
        self.allowed = allowed if allowed is None or isinstance(allowed, str) else ", ".join(allowed)
        message = what if value is None else f"{what}: {value!r}"
        if self.allowed is not None:
            message += f"; allowed: {self.allowed}"
        if hint is not None:
            message += f". {hint}"
        super().__init__(message)


class InterruptedRun(UserError):
    """A run stopped by the user; what it had finished is kept."""

    exit_code = 130
