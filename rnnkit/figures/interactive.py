"""A plotly figure with sliders and selects that need no kernel.

The same bindings drive the script of the static page and, in a live kernel, ipywidgets (rnnkit.figures.live).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnkit.figures.bindings import Binding, Control, check_lengths, literal
from rnnkit.figures.quantise import encode, fingerprint
from rnnkit.figures.theme import template

MIME = "application/vnd.plotly.v1+json"
VERSION = 1


class Interactive:
    """A figure, its text alternative, and the controls that change it.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
        Copied; the book's template is applied. Axes that bound arrays move along must have a fixed range.
    alt : str
        What the figure shows, in a sentence or two, for a reader who does not see it.
    table : mapping of str to sequence, optional
        The numbers behind the figure: columns of equal length.
    caption : str, optional
        Shown under the figure, plain text.

    Raises
    ------
    ValueError
        When ``alt`` is empty or the table's columns differ in length.

    Examples
    --------
    >>> import numpy as np, plotly.graph_objects as go
    >>> fig = go.Figure(go.Scatter(mode="markers"), layout={"xaxis_range": [0, 1], "yaxis_range": [0, 1]})
    >>> points = np.random.default_rng(0).random((3, 2, 50))  # (step, axis, point)
    >>> figure = Interactive(fig, alt="Fifty random points at three steps.")
    >>> figure = figure.slider("step", "Step", ["1", "2", "3"])
    >>> figure = figure.bind(0, "x", points[:, 0]).bind(0, "y", points[:, 1])
    """

    def __init__(
        self,
        fig: Any,
        *,
        alt: str,
        table: Mapping[str, Sequence[Any] | np.ndarray] | None = None,
        caption: str | None = None,
    ) -> None:
        import plotly.graph_objects as go

        if not isinstance(alt, str) or not alt.strip():
            raise ValueError("alt: a figure needs a text alternative that says what it shows")
        self.figure = go.Figure(fig)
        self.figure.update_layout(template=template())
        self.alt, self.caption = " ".join(alt.split()), caption
        self.table = _checked_table(table)
        self.controls: dict[str, Control] = {}
        self.bindings: list[Binding] = []

    def slider(self, name: str, label: str, values: Sequence[Any], start: int = 0) -> Interactive:
        """Add a slider with one printed value per position; ``start`` is the position shown first."""
        return self._add(Control(name, "slider", label, tuple(str(v) for v in values), start))

    def select(self, name: str, label: str, options: Sequence[Any], start: int = 0) -> Interactive:
        """Add a list of options to pick from; ``start`` is the option shown first."""
        return self._add(Control(name, "select", label, tuple(str(v) for v in options), start))

    def bind(
        self, trace: int | str, attr: str, array: Any, over: str | Sequence[str] = ("step",)
    ) -> Interactive:
        """Let an attribute of a trace follow controls.

        Parameters
        ----------
        trace : int or str
            Index or name of the trace.
        attr : str
            ``"x"``, ``"y"``, ``"z"``, ``"marker.color"``, ``"text"`` ...
        array : (n_1, ..., n_k, ...) float, int, bool or str
            The leading axes are indexed by the controls in ``over``; what remains is the attribute.
        over : str or sequence of str
            Names of controls, in the order of the leading axes.

        Raises
        ------
        ValueError
            For an unknown trace, attribute or control, an axis of the wrong length, values that cannot be
            drawn, or a bound coordinate whose axis has no fixed range.
        """
        array = np.asarray(array)
        index = self._trace(trace)
        what = f"bind(trace {trace!r}, {attr!r})"
        controls = self._controls(what, over)
        check_lengths(what, array.shape, controls)
        encode(array)
        self._require_fixed_range(what, index, attr)
        return self._bind(Binding(index, attr, tuple(c.name for c in controls), array))

    def bind_values(
        self, trace: int | str, attr: str, values: Sequence[Any], over: str | Sequence[str]
    ) -> Interactive:
        """Let an attribute of a trace take one literal per position: a colour scale, a range, visibility.

        With several controls in ``over``, ``values`` is nested, the first control outermost.

        Raises
        ------
        ValueError
            As :meth:`bind`.
        """
        index = self._trace(trace)
        return self._bind_literals(f"bind_values(trace {trace!r}, {attr!r})", index, attr, values, over)

    def bind_layout(self, attr: str, values: Sequence[Any], over: str | Sequence[str]) -> Interactive:
        """Let an attribute of the layout take one literal per position: ``"title.text"`` ...

        Raises
        ------
        ValueError
            As :meth:`bind`.
        """
        return self._bind_literals(f"bind_layout({attr!r})", None, attr, values, over)

    @property
    def start(self) -> dict[str, int]:
        """State of the controls shown first."""
        return {name: control.start for name, control in self.controls.items()}

    def payload(self) -> dict[str, Any]:
        """Everything a page's script needs beside the figure itself.

        Returns
        -------
        dict
            ``version, alt, caption, table, controls, bindings, arrays``; a binding has either ``array``
            (a key of ``arrays``) or ``values``.
        """
        arrays: dict[str, Any] = {}
        bindings = []
        for binding in self.bindings:
            entry: dict[str, Any] = {"trace": binding.trace, "attr": binding.attr, "over": list(binding.over)}
            if binding.is_array:
                encoded = encode(binding.values)
                entry["array"] = fingerprint(encoded)
                arrays[entry["array"]] = encoded
            else:
                entry["values"] = binding.values
            bindings.append(entry)
        controls = [
            {"name": c.name, "kind": c.kind, "label": c.label, "values": list(c.values), "start": c.start}
            for c in self.controls.values()
        ]
        return {
            "version": VERSION,
            "alt": self.alt,
            "caption": self.caption,
            # Lists, because a notebook file sorts the keys of its objects.
            "table": self.table and {"names": list(self.table), "columns": list(self.table.values())},
            "controls": controls,
            "bindings": bindings,
            "arrays": arrays,
        }

    def mimebundle(self) -> dict[str, Any]:
        """Notebook output: the plotly figure with the payload in ``layout.meta.rnnkit``, and the alt text."""
        spec = self.figure.to_plotly_json()
        spec["layout"].setdefault("meta", {})["rnnkit"] = self.payload()
        return {MIME: _plain(spec), "text/plain": self.alt}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.mimebundle()

    def _ipython_display_(self) -> None:
        self.show()

    def show(self) -> None:
        """Display the figure: with ipywidgets in a live kernel, else as the output that a page draws."""
        from IPython.display import display

        from rnnkit.figures import live

        if live.is_live():
            display(live.LiveFigure(self).widget)
        else:
            display(self.mimebundle(), raw=True)

    def _add(self, control: Control) -> Interactive:
        if control.name in self.controls:
            raise ValueError(f"there is a control {control.name!r} already")
        self.controls[control.name] = control
        return self

    def _trace(self, trace: int | str) -> int:
        names = [item.name for item in self.figure.data]
        if isinstance(trace, str):
            if names.count(trace) != 1:
                raise ValueError(
                    f"trace {trace!r}: {names.count(trace)} traces have this name; names: {names}"
                )
            return names.index(trace)
        if not 0 <= trace < len(names):
            raise ValueError(f"trace {trace}: the figure has {len(names)} traces")
        return int(trace)

    def _controls(self, what: str, over: str | Sequence[str]) -> list[Control]:
        names = (over,) if isinstance(over, str) else tuple(over)
        if not names:
            raise ValueError(f"{what}: over names no control")
        for name in names:
            if name not in self.controls:
                known = ", ".join(self.controls) or "none"
                raise ValueError(f"{what}: unknown control {name!r}; controls: {known}")
        return [self.controls[name] for name in names]

    def _bind_literals(
        self, what: str, index: int | None, attr: str, values: Sequence[Any], over: str | Sequence[str]
    ) -> Interactive:
        controls = self._controls(what, over)
        nested = [literal(values)]
        for depth, control in enumerate(controls):
            for item in nested:
                if not isinstance(item, list):
                    raise ValueError(f"{what}: values for {control.name!r} must be a list at depth {depth}")
                check_lengths(what, [len(item)], [control])
            nested = [inner for item in nested for inner in item]
        return self._bind(Binding(index, attr, tuple(c.name for c in controls), literal(values)))

    def _bind(self, binding: Binding) -> Interactive:
        target = self.figure.layout if binding.trace is None else self.figure.data[binding.trace]
        target[binding.attr] = binding.at(self.start)
        self.bindings.append(binding)
        return self

    def _require_fixed_range(self, what: str, index: int, attr: str) -> None:
        """Reject a moving coordinate on an axis that would rescale at each step and so hide the movement."""
        if attr not in ("x", "y", "z"):
            return
        trace, layout = self.figure.data[index], self.figure.layout
        if "scene" in trace:
            scene = trace.scene or "scene"
            where = f"{scene}.{attr}axis"
            fixed = scene in layout and _fixed(layout[scene][f"{attr}axis"])
        elif f"{attr}axis" in trace:
            where = f"{attr}axis" + (trace[f"{attr}axis"] or attr)[1:]
            leader = layout[where].matches if where in layout else None
            names = [where, f"{attr}axis{leader[1:]}"] if leader else [where]
            fixed = any(name in layout and _fixed(layout[name]) for name in names)
        else:
            return
        if not fixed:
            raise ValueError(
                f"{what}: set layout.{where}.range, else the axis rescales whenever a control moves"
            )


def _fixed(axis: Any) -> bool:
    return axis.range is not None or axis.type in ("category", "multicategory")


def _checked_table(table: Mapping[str, Any] | None) -> dict[str, list[Any]] | None:
    if table is None:
        return None
    columns = {str(name): literal(list(values)) for name, values in table.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"table: columns must be of one length, not {lengths}")
    return columns


def _plain(spec: dict[str, Any]) -> dict[str, Any]:
    """Strict JSON of a figure: arrays as plotly writes them (base64), NaN as null."""
    import json

    import plotly.io as pio

    plain: dict[str, Any] = json.loads(pio.to_json(spec, validate=False))
    return plain
