"""Parameter names and types, checked against a notebook's own ``parameters`` cell before anything runs.

Papermill only warns about an unknown parameter, and runs with the wrong type until a cell falls over.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError

FIX_NOTEBOOK = "Open the notebook in Jupyter, or take it back from the repository with git"


def read_source(notebook: Path) -> bytes:
    """Read a source notebook.

    Raises
    ------
    UserError
        When there is no such file or it cannot be read.
    """
    try:
        return notebook.read_bytes()
    except OSError as error:
        raise UserError(
            "a notebook cannot be read",
            value=str(notebook),
            hint=f"{error.strerror}. Check the path, or name the chapter instead",
        ) from error


def declared_parameters(source: bytes, notebook: Path) -> dict[str, Any]:
    """Return the parameters that a notebook declares, with their default values.

    Parameters
    ----------
    source : bytes
        The notebook file.
    notebook : Path
        Its path, for messages only.

    Returns
    -------
    dict of str to object
        Empty when the notebook has no cell tagged ``parameters``.

    Raises
    ------
    UserError
        When the file is not a notebook, or a default is not a plain literal.
    """
    import nbformat
    import papermill

    try:
        node = nbformat.reads(source.decode("utf-8"), as_version=4)
        inspected = papermill.inspect_notebook(node)
    except Exception as error:  # nbformat and papermill each raise half a dozen unrelated classes here
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"not a Python notebook ({reason})", value=str(notebook), hint=FIX_NOTEBOOK
        ) from error
    defaults = {}
    for name, declared in inspected.items():
        try:
            defaults[name] = ast.literal_eval(declared["default"])
        except (ValueError, SyntaxError) as error:
            raise UserError(
                f"the default of the parameter {name} in {notebook} is not a plain value",
                value=declared["default"],
                allowed="a string, number, True, False or None",
                hint=FIX_NOTEBOOK,
            ) from error
    return defaults


def check_parameters(source: bytes, notebook: Path, parameters: Mapping[str, Any]) -> None:
    """Check the names and types of ``parameters`` against what a notebook declares.

    Raises
    ------
    UserError
        For an unknown name or a value of another type than the default; it names notebook, parameter
        and what is allowed.
    """
    declared = declared_parameters(source, notebook)
    for name, value in parameters.items():
        if name not in declared:
            raise UserError(
                f"unknown parameter for {notebook}",
                value=name,
                allowed=sorted(declared) or "none, as the notebook has no cell tagged parameters",
            )
        if not _fits(value, declared[name]):
            raise UserError(
                f"wrong type for the parameter {name} of {notebook}",
                value=value,
                allowed=f"{type(declared[name]).__name__}, like its default {declared[name]!r}",
            )


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, float) and type(value) is int:
        return True
    return type(value) is type(default)
