"""The column addition as it is written on paper: what the net has written so far, and what is right."""

from __future__ import annotations

import html

from rnnkit.figures.adder_player.numbers import Sum
from rnnkit.figures.adder_player.walk import Addition

ROWS = ("carry", "first number", "second number", "the net writes", "right sum", "carry held")
"""Heads of the rows, from top to bottom."""


def columns(numbers: Sum, addition: Addition, step: int) -> list[tuple[str, str]]:
    """Rows of the addition after some columns: a head, and a sign per column, most significant first.

    What has not come yet is ``·``; a wrong bit or carry has a ``✗`` behind it. Both carries stand over the column
    that they go into.
    """
    length, carries, right, bits = numbers.length, numbers.carries, numbers.right, addition.bits
    held = (addition.held > 0).astype(int)

    def line(sign: list[str]) -> str:
        return " ".join(reversed(sign))

    def judged(value: int, truth: int) -> str:
        return f"{value}{'' if value == truth else '✗'}"

    known, done = range(min(step + 1, length)), range(step)
    signs = (
        [str(carries[t]) if t in known else "·" for t in range(length)],
        [str(bit) for bit in numbers.bits(numbers.a)],
        [str(bit) for bit in numbers.bits(numbers.b)],
        [judged(bits[t], right[t]) if t in done else "·" for t in range(length)],
        [str(right[t]) if t in done else "·" for t in range(length)],
        [judged(held[t], carries[t]) if t in known else "·" for t in range(length)],
    )
    width = max(len(sign) for row in signs for sign in row)
    return [(head, line([sign.ljust(width) for sign in row])) for head, row in zip(ROWS, signs, strict=True)]


def table_html(rows: list[tuple[str, str]]) -> str:
    """Rows of the addition as HTML in which each column stands under the other."""
    body = "".join(
        f'<tr><th style="text-align:left;padding-right:1em">{html.escape(head)}</th>'
        f'<td style="white-space:pre;font-family:monospace">{html.escape(signs)}</td></tr>'
        for head, signs in rows
    )
    return f'<div style="overflow-x:auto"><table>{body}</table></div>'
