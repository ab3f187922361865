"""A table of numbers that a page prints in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from rnnkit.figures.frame import mean_and_range, net_name


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
            f'<tr><th scope="row">{escape(first)}</th>'
            + "".join(f"<td>{escape(v)}</td>" for v in rest)
            + "</tr>"
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


def measurement_table(
    measurements: Mapping[str, np.ndarray], rows: Mapping[str, str], nets: Sequence[str], *, num_rows: int
) -> dict[str, list[str]]:
    """Measurements as columns of text, one per net: mean over seeds with the least and the most.

    Parameters
    ----------
    measurements : mapping of str to ndarray (n_seeds,)
        ``NET.NAME`` -> one value per seed.
    rows : mapping of str to str
        NAME -> how the row is called; a title that ends in ``%`` or ``points`` is printed in percent, one that
        begins with ``rows until`` as a number of rows.
    nets : sequence of str
        Columns.
    num_rows : int
        Rows of an image; a number of rows beyond it is printed as never.

    Returns
    -------
    dict of str to list of str
        The first column holds the titles.
    """
    table = {"measured": list(rows.values())}
    for net in nets:
        found = {name: np.asarray(measurements.get(f"{net}.{name}", []), dtype=float) for name in rows}
        table[net_name(net)] = [_measured(found[name], title, num_rows) for name, title in rows.items()]
    return table


def _measured(values: np.ndarray, title: str, num_rows: int) -> str:
    if title.endswith(("%", "points")):
        return mean_and_range(100 * values, ".1f")
    if title.startswith("rows until"):
        return mean_and_range(values, ".1f", never=num_rows + 1)
    return mean_and_range(values)
