"""What rules find, and how it is told: numbers by their labels, and where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rnnkit.results.intervals import Interval


@dataclass(frozen=True)
class Finding:
    """What one rule finds: a verdict, why, and the number it hangs on.

    `text` prints the number; `number` is None for a rule over several others, and where nothing was measured.
    `name` says in words what the number is and `label` the same with the values that it is made of, `position`
    where it lies; `measures` are the measurements behind it. `held` counts the parts of a rule over several.
    """

    verdict: str
    reason: str
    text: str
    number: Interval | None = None
    parts: tuple[Finding, ...] = ()
    name: str = ""
    label: str = ""
    position: str = ""
    measures: tuple[str, ...] = ()
    held: str = ""

    def numbers(self) -> Iterator[Interval]:
        """Yield the number of this finding, or those of its parts."""
        for leaf in self._leaves():
            if leaf.number is not None:
                yield leaf.number

    def labelled(self) -> list[tuple[str, str]]:
        """Return the label and the text of each printed number, once: those of the parts, at any depth.

        A number that several parts look at goes by the first one's label. It goes by none where there is no other:
        the labels then name what it may turn out to be.
        """
        leaves = list(self._leaves())
        looked_at = {leaf.measures for leaf in leaves}
        alone = not self.parts or (len(looked_at) == 1 and len(leaves[0].measures) == 1)
        printed: dict[tuple[tuple[str, ...], str], str] = {}
        for leaf in leaves:
            if leaf.text:
                printed.setdefault((leaf.measures, leaf.text), "" if alone else leaf.label)
        return [(label, text) for (_, text), label in printed.items()]

    def reasons(self) -> list[str]:
        """Return the reason in lines: how many parts hold, then where they lie, and by name if not all lie there."""
        names: dict[str, dict[str, None]] = {}
        for leaf in self._leaves():
            names.setdefault(leaf.position, {})[leaf.name] = None
        if not self.parts or any("" in together for together in names.values()):
            return [self.reason]
        if len(names) == 1:
            places = list(names)
        else:
            places = [f"{position}: {'; '.join(together)}" for position, together in names.items()]
        return [self.held, *places] if self.held else places

    def _leaves(self) -> Iterator[Finding]:
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part._leaves()


def after(label: str, text: str) -> str:
    """Put a label in front of a text, if there is one."""
    return f"{label}: {text}" if label else text
