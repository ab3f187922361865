"""What every control of the book's figures must do, as functions over a page in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page

from rnnkit.figures.quantise import decode
from tests.site.watching import WAIT_MS

MOST_POSITIONS = 8  # that a control is put on without keys
SAID = "row => [row.querySelector('output').innerText, row.querySelector('input').ariaValueText]"

# The figure follows at once here, not with the next frame: nine tenths of the time would go into painting.
PASS_THROUGH = """async (box, [name, positions]) => {
    const figure = window.rnnkit.figures.get(box), said = [];
    const control = figure.spec.controls.find((control) => control.name === name), start = figure.state[name];
    for (const position of [...positions, start]) {
        figure.busy = true;
        figure.set(control, position);
        await figure.follow();
        if (JSON.parse(box.dataset.state)[name] !== position) throw new Error(`${name} at ${position} is not drawn`);
        said.push(control.output ? control.output.textContent : null);
    }
    return said.slice(0, -1);
}"""

PLOTTED = """(box, wanted) => {
    const plot = box.querySelector(".rnn-plot");
    const list = (v) => ArrayBuffer.isView(v) || Array.isArray(v) ? Array.from(v, list) : v;
    return JSON.stringify(wanted.map(([trace, attr]) => {
        let node = trace === null ? plot.layout : plot.data[trace];
        for (const part of attr.split(/[.[\\]]+/).filter(Boolean)) node = node[part];
        return list(node);
    }));  // NaN becomes null
}"""


def boxes(page: Page) -> list[Locator]:
    """The figures of a page, in order."""
    return page.locator("figure.rnn-fig").all()


def figure_script(site: Path, key: str) -> dict[str, Any]:
    """What a figure's script holds, with its shared arrays, decoded; read without a browser."""
    figure = _call(site / "_static" / "figs" / f"{key}.js")
    shared = {name: _call(site / "_static" / "figs" / f"a-{name}.js") for name in figure["shared"]}
    figure["arrays"] = {name: decode(payload) for name, payload in (figure["arrays"] | shared).items()}
    return figure


def require_controls_work(page: Page, site: Path) -> int:
    """Move every control of every figure by keyboard through all positions; return the number of moves.

    At each position the drawn data must be those that the figure's script holds for it, decoded in
    Python; and at some position they must differ from those at the start.
    """
    return sum(_walk(*found, _every_position) for found in _controls(page, site))


def require_controls_reach(page: Page, site: Path) -> int:
    """As `require_controls_work`, but with three keys a control: the script puts it on some of the other positions.

    Each of them must get drawn; the data are compared where the keys lead.
    """
    moves = 0
    for box, figure, control in _controls(page, site):
        _pass_through(box, control)
        moves += _walk(box, figure, control, _ends)
    return moves


def _controls(page: Page, site: Path) -> Iterator[tuple[Locator, dict[str, Any], dict[str, Any]]]:
    """Each control, with its figure's box and what the figure's script holds."""
    for box in boxes(page):
        figure = figure_script(site, box.get_attribute("data-fig") or "")
        for control in figure["controls"]:
            _require_changes(figure, control, json.loads(box.get_attribute("data-state") or ""))
            yield box, figure, control


Moves = list[tuple[str, int]]
"""Keys, and the positions that they lead to."""


def _every_position(start: int, count: int) -> Moves:
    up = [("ArrowRight", position) for position in range(start + 1, count)]
    return up + ([("ArrowLeft", position) for position in range(count - 2, -1, -1)] if start else [])


def _ends(start: int, count: int) -> Moves:
    """One step, the first and the last position: only moves that change something."""
    step = ("ArrowRight", start + 1) if start < count - 1 else ("ArrowLeft", start - 1)
    moves, now = [], start
    for key, position in (step, ("Home", 0), ("End", count - 1)):
        if 0 <= position != now:
            moves.append((key, position))
            now = position
    return moves


def _walk(
    box: Locator, figure: dict[str, Any], control: dict[str, Any], plan: Callable[[int, int], Moves]
) -> int:
    bound = [b for b in figure["bindings"] if control["name"] in b["over"]]
    state = json.loads(box.get_attribute("data-state") or "")
    row = _row(box, control)
    knob = row.locator("input, select")
    moves = plan(state[control["name"]], len(control["values"]))
    for key, target in moves:
        knob.press(key)
        state[control["name"]] = target
        _wait_for_state(box, state)
        if control["kind"] == "slider":
            assert row.evaluate(SAID) == [control["values"][target]] * 2
        for binding, have in zip(bound, all_plotted(box, bound), strict=True):
            what = f"{binding['attr']} of trace {binding['trace']} at {state}"
            _require_same(have, expected(figure, binding, state), what)
    return len(moves)


def _row(box: Locator, control: dict[str, Any]) -> Locator:
    return box.locator(f'.rnn-control[data-control="{control["name"]}"]')


def _require_changes(figure: dict[str, Any], control: dict[str, Any], state: dict[str, int]) -> None:
    """Require that what the script holds for a control's positions is not the same for all."""
    name, count = control["name"], len(control["values"])
    bound = [b for b in figure["bindings"] if name in b["over"]]
    assert bound, f"control {name!r} changes nothing"
    changed = (
        not _same(expected(figure, binding, state | {name: position}), expected(figure, binding, state))
        for position in range(count)
        for binding in bound
    )
    assert count == 1 or any(changed), f"control {name!r} never changes what is drawn"


def _pass_through(box: Locator, control: dict[str, Any]) -> None:
    """Have the script put a control on positions from first to last, and back, and require that each gets drawn."""
    values = control["values"]
    positions = sorted({round(p) for p in np.linspace(0, len(values) - 1, MOST_POSITIONS)})
    said = box.evaluate(PASS_THROUGH, [control["name"], positions])
    assert box.get_attribute("data-error") is None, box.get_attribute("data-error")
    assert said == [values[p] if control["kind"] == "slider" else None for p in positions]


def _wait_for_state(box: Locator, state: dict[str, int]) -> None:
    box.page.wait_for_function(
        """([box, want]) => {
            const have = JSON.parse(box.dataset.state || "{}");
            return box.dataset.error || Object.keys(want).every((name) => have[name] === want[name]);
        }""",
        arg=[box.element_handle(), state],
        timeout=WAIT_MS,
    )
    assert box.get_attribute("data-error") is None, box.get_attribute("data-error")


def expected(figure: dict[str, Any], binding: dict[str, Any], state: dict[str, int]) -> Any:
    """Value that a binding has in a state, from the figure's script."""
    value: Any = figure["arrays"][binding["array"]] if "array" in binding else binding["values"]
    for name in binding["over"]:
        value = value[state[name]]
    return value


def plotted(box: Locator, binding: dict[str, Any]) -> Any:
    """Value that plotly holds for a binding's attribute; NaN comes as None."""
    return all_plotted(box, [binding])[0]


def all_plotted(box: Locator, bindings: Sequence[dict[str, Any]]) -> list[Any]:
    """`plotted` for each binding, in one question to the page."""
    found: list[Any] = json.loads(box.evaluate(PLOTTED, [[b["trace"], b["attr"]] for b in bindings]))
    return found


def _require_same(have: Any, want: Any, what: str) -> None:
    if isinstance(want, np.ndarray | np.generic) and want.dtype.kind in "fiu":
        np.testing.assert_allclose(np.array(have, dtype=float), want, rtol=1e-9, atol=1e-12, err_msg=what)
        return
    want = want.tolist() if isinstance(want, np.ndarray | np.generic) else want
    if isinstance(want, str) and isinstance(have, str):
        assert re.sub(r"<br>", " ", have) == re.sub(r"<br>", " ", want), what
    else:
        assert have == want, what


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray | np.generic):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return json.dumps(one) == json.dumps(other)


def _call(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    body: dict[str, Any] = json.loads(text[text.index(",") + 1 : text.rindex(")")])
    return body
