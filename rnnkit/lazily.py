"""What is imported when it is asked for, and what never is: a page that only draws records waits for no torch."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any


def exports(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make ``__getattr__`` and ``__dir__`` of a package (PEP 562) that imports its exports when they are asked for.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    file : str
        Its ``__file__``, a source file. What it imports under ``if TYPE_CHECKING``, as ``from module import name``, is
        what the package exports; type checkers read it there too. No export may have the name of a module of the
        package: once that is imported, it stands in the export's place.
    """
    homes: dict[str, str] = {}
    for block in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            lines = [line for line in block.body if isinstance(line, ast.ImportFrom)]
            homes |= {alias.name: str(line.module) for line in lines for alias in line.names}

    def fetch(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name]), name)
        setattr(import_module(package), name, value)  # from now on without this function
        return value

    def listed() -> list[str]:
        return sorted({*vars(import_module(package)), *homes})

    return fetch, listed


@dataclass(frozen=True)
class Function:
    """A function by its address, imported when it is called or unpickled."""

    module: str
    name: str

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns."""
        return self.load()(*arguments)

    def load(self) -> Callable[..., Any]:
        """The function itself."""
        found: Callable[..., Any] = getattr(import_module(self.module), self.name)
        return found

    def __reduce__(self) -> tuple[Callable[[str, str], Function], tuple[str, str]]:
        """A worker imports the function when it is handed it, as it would any other: not hours later."""
        return _unpickled, (self.module, self.name)


def _unpickled(module: str, name: str) -> Function:
    function = Function(module, name)
    function.load()
    return function


def functions(module: str, *names: str) -> tuple[Function, ...]:
    """Functions of a module that is not imported yet."""
    return tuple(Function(module, name) for name in names)


def skip_grammars() -> None:
    """Spare this process 1.5 seconds of its start: grammars of addresses that jsonschema builds where it can.

    nbformat's schemas ask for none of them. For processes of our own alone: this hides a package.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
