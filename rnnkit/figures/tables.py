"""A table of numbers that a page prints in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape


class Table:
    """Columns of text of equal length; the first holds the name of each row.

    Parameters
    ----------
    columns : mapping of str to sequence of str
    caption : str

    Raises
    ------
    ValueError
        When the columns differ in length.
    """

    def __init__(self, columns: Mapping[str, Sequence[str]], caption: str) -> None:
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"table: columns must be of one length, not {lengths}")
        self.columns, self.caption = {name: list(values) for name, values in columns.items()}, caption

    def _rows(self) -> list[tuple[str, ...]]:
        return list(zip(*self.columns.values(), strict=True))

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.columns)
        body = "\n".join(
            f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(v)}</td>" for v in rest) + "</tr>"
            for first, *rest in self._rows()
        )
        label = escape(self.caption)
        return (
            f'<div class="rnn-scroll" role="region" tabindex="0" aria-label="{label}">'
            f'<table class="rnn-claim-table">\n<caption>{label}</caption>\n'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
        )

    def __repr__(self) -> str:
        return "\n".join([self.caption, " | ".join(self.columns), *(" | ".join(row) for row in self._rows())])
