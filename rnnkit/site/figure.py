"""One interactive figure of a notebook as HTML and a script."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
from pathlib import Path
from typing import Any

from rnnkit.errors import UserError

MIN_SHARED = 4096
"""Arrays with at least so many base64 characters get a file of their own, which figures share."""

TABLE_ROWS = 60
"""Rows of the data table that are printed on the page; the download has all."""

DEFAULT_HEIGHT = 450


def stage_figure(spec: dict[str, Any], static: Path, occurrence: str) -> str:
    """Write a figure's scripts under ``static/figs`` and return the HTML that takes its place on the page.

    Parameters
    ----------
    spec : dict
        Output of type ``application/vnd.plotly.v1+json``, made by :class:`rnnkit.figures.Interactive`.
    static : Path
        Folder whose content lands in the site's ``_static``.
    occurrence : str
        Unique on the page; part of the element ids.

    Raises
    ------
    UserError
        When the figure carries no payload, and with it no text alternative.
    """
    layout = dict(spec.get("layout", {}))
    meta = dict(layout.pop("meta", None) or {})
    payload = meta.get("rnnkit")
    if not payload or not payload.get("alt"):
        raise UserError(
            "a figure has no text alternative",
            value=_title(layout),
            hint="Wrap it: rnnkit.figures.Interactive(fig, alt=...)",
        )
    layout.setdefault("height", DEFAULT_HEIGHT)
    arrays = dict(payload["arrays"])
    shared = sorted(key for key, array in arrays.items() if len(array["data"]) >= MIN_SHARED)
    figure = {
        "data": _lean_traces(spec["data"], payload["bindings"]),
        "layout": layout,
        "controls": payload["controls"],
        "bindings": payload["bindings"],
        "arrays": {key: array for key, array in arrays.items() if key not in shared},
        "shared": shared,
        "table": payload["table"],
    }
    folder = static / "figs"
    folder.mkdir(parents=True, exist_ok=True)
    for key in shared:
        _write_call(folder / f"a-{key}.js", "rnnkitArray", key, arrays[key])
    key = hashlib.sha256(_json(figure).encode()).hexdigest()[:16]
    _write_call(folder / f"{key}.js", "rnnkitFigure", key, figure)
    return _figure_html(key, payload, int(layout["height"]), occurrence)


def _lean_traces(traces: list[dict[str, Any]], bindings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drop what the bindings bring anyway, and store long float arrays in 32 bits: nobody sees the rest."""
    lean = [_float32(trace) for trace in json.loads(json.dumps(traces))]
    for binding in bindings:
        if binding["trace"] is None or "array" not in binding:
            continue
        node: Any = lean[binding["trace"]]
        *path, leaf = [
            int(part) if part.isdigit() else part for part in re.split(r"[.\[\]]+", binding["attr"]) if part
        ]
        for part in path:
            node = node[part]
        if isinstance(node, dict):
            node.pop(leaf, None)
    return lean


def _float32(node: Any) -> Any:
    if isinstance(node, list):
        return [_float32(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("dtype") == "f8" and len(node.get("bdata", "")) > MIN_SHARED:
        import numpy as np

        values = np.frombuffer(base64.b64decode(node["bdata"]), "<f8").astype("<f4")
        return {**node, "dtype": "f4", "bdata": base64.b64encode(values.tobytes()).decode()}
    return {key: _float32(item) for key, item in node.items()}


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _write_call(path: Path, function: str, key: str, value: Any) -> None:
    """Write a script with one call; the two line separators are JSON that old scripts cannot hold."""
    if not path.exists():
        body = _json(value).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        path.write_text(f'{function}("{key}",{body});\n', encoding="utf-8")


def _title(layout: dict[str, Any]) -> str:
    title = layout.get("title") or {}
    return (title.get("text") if isinstance(title, dict) else str(title)) or "untitled"


def _figure_html(key: str, payload: dict[str, Any], height: int, occurrence: str) -> str:
    alt = html.escape(" ".join(payload["alt"].split()))
    controls = "".join(_control_html(c, f"rnn-{occurrence}-{i}") for i, c in enumerate(payload["controls"]))
    controls = f'<div class="rnn-controls">{controls}</div>' if controls else ""
    caption = f"<figcaption>{html.escape(payload['caption'])}</figcaption>" if payload.get("caption") else ""
    return (
        f'<figure class="rnn-fig" data-fig="{key}">{controls}'
        f'<div class="rnn-plot" role="group" aria-label="{alt}" style="min-height:{height}px">'
        '<p class="rnn-wait">The figure is drawn when it comes into view.</p>'
        "<noscript>This figure needs JavaScript; its description and its numbers are below.</noscript></div>"
        f"{caption}"
        '<details class="rnn-data"><summary>Description and numbers</summary>'
        f"<p>{alt}</p>{_table_html(payload['table'])}"
        '<button type="button" class="rnn-csv" disabled>Download CSV</button></details></figure>'
    )


def _control_html(control: dict[str, Any], element: str) -> str:
    """One control, switched off until the script has drawn the figure, so that nothing jumps."""
    label, name = html.escape(control["label"]), html.escape(control["name"])
    values, start = [html.escape(value) for value in control["values"]], control["start"]
    head = f'<div class="rnn-control" data-control="{name}"><label for="{element}">{label}</label>'
    if control["kind"] == "select":
        options = "".join(
            f'<option value="{i}"{" selected" if i == start else ""}>{text}</option>'
            for i, text in enumerate(values)
        )
        return f'{head}<select id="{element}" autocomplete="off" disabled>{options}</select></div>'
    width = max(len(value) for value in control["values"])
    return (
        f'{head}<button type="button" class="rnn-play" aria-label="Play {label}" disabled></button>'
        f'<input type="range" id="{element}" min="0" max="{len(values) - 1}" step="1" value="{start}"'
        f' aria-valuetext="{values[start]}" autocomplete="off" disabled>'
        f'<output for="{element}" style="min-width:{min(width, 24)}ch">{values[start]}</output></div>'
    )


def _table_html(table: dict[str, list[Any]] | None) -> str:
    if not table or not table["columns"]:
        return ""
    length = len(table["columns"][0])
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in table["names"])
    rows = "".join(
        "<tr>" + "".join(f"<td>{_cell(column[row])}</td>" for column in table["columns"]) + "</tr>"
        for row in range(min(length, TABLE_ROWS))
    )
    more = (
        f"<p>The first {TABLE_ROWS} of {length} rows; the download has all.</p>"
        if length > TABLE_ROWS
        else ""
    )
    return (
        '<div class="rnn-table" tabindex="0" role="region" aria-label="Numbers of the figure">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}"
    )


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return html.escape(f"{value:.4g}" if isinstance(value, float) else str(value))
