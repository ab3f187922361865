"""What every player of the book must do, as functions over its box in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from playwright.sync_api import BrowserContext, Locator, Page

from rnnkit.figures.adder_player import LOSSES, Sum, add, read_number
from rnnkit.figures.player import Vocabulary, walk
from rnnkit.figures.recall_player import recall
from rnnkit.figures.stepping.element import decoded
from tests.site.watching import WAIT_MS, Watched, visit, watch


def players(page: Page, kind: str = "sentence") -> list[Locator]:
    """The players of a kind on a page, in order."""
    return page.locator(f'figure.rnn-player[data-player="{kind}"]').all()


def opened(context: BrowserContext, address: str, kind: str = "sentence") -> tuple[Watched, Locator]:
    """Open a page with one player, watched; return it and its player, drawn."""
    watched = watch(context, address)
    return watched, _drawn(watched, kind)


@contextmanager
def visited(page: Page, address: str, kind: str = "sentence") -> Iterator[Locator]:
    """The player as `opened`, in a page that stays open; nothing has gone wrong on it when the body is over."""
    with visit(page, address) as watched:
        yield _drawn(watched, kind)
        watched.require_clean()


def _drawn(watched: Watched, kind: str) -> Locator:
    (box,) = players(watched.page, kind)
    box.locator(".rnn-panels").scroll_into_view_if_needed()
    wait_for_player(box)
    return box


def type_into(box: Locator, text: str, field: str) -> dict[str, Any]:
    """Fill in a field by its label, and return the state that is then drawn."""
    box.get_by_label(field, exact=True).fill(text)
    return wait_for_player(box)


def player_part(box: Locator, name: str) -> Any:
    """A part of what the page's script has walked."""
    return box.evaluate("(box, name) => window.rnnkit.players.get(box)[name]", name)


def player_walks(box: Locator) -> list[dict[str, Any]]:
    """What the page's script has walked: for each sentence ``words``, ``answers`` and the nets' ``walks``."""
    sentences: list[dict[str, Any]] = box.evaluate("box => window.rnnkit.players.get(box).sentences")
    return sentences


def wait_for_player(box: Locator) -> dict[str, Any]:
    """Wait until a player's panels show its present state, and return that."""
    box.page.wait_for_function(
        """box => box.dataset.error || (box.dataset.drawn && !window.rnnkit.players.get(box).drawing
            && box.dataset.state === window.rnnkit.players.get(box).state())""",
        arg=box.element_handle(),
        timeout=WAIT_MS,
    )
    assert box.get_attribute("data-error") is None, box.get_attribute("data-error")
    state: dict[str, Any] = json.loads(box.get_attribute("data-state") or "")
    return state


def require_players_walk(page: Page, *, every_pair: bool = True) -> int:
    """Scroll to each player, try its nets, models and examples, and require Python's numbers; return their number.

    Each model with each example, or each model with the first example and each example with the first model of all.
    """
    count = 0
    for kind, require in REQUIRED.items():
        for box in players(page, kind):
            box.locator(".rnn-panels").scroll_into_view_if_needed()
            data = json.loads(box.locator("script").text_content() or "")
            examples = box.locator("[data-example]").all()
            for number, choices in enumerate(_choices(box, data)):
                for button in examples if every_pair or number == 0 else examples[:1]:
                    button.click()
                    assert wait_for_player(box).items() >= choices.items()
                    require(box, data)
            count += 1
    return count


def _choices(box: Locator, data: dict[str, Any]) -> Iterator[dict[str, int]]:
    """Choose each net, where there is a choice, with the first and the last of its models."""
    nets = box.locator('[data-choice="net"]')
    for net in range(len(data["nets"]) if nets.count() else 1):
        if nets.count():
            nets.select_option(str(net))
        for model in sorted({0, len(data["models"]) - 1}):
            box.locator('[data-choice="model"]').select_option(str(model))
            yield {"net": net, "model": model}


def require_walked(box: Locator, data: dict[str, Any]) -> None:
    """Require that the page's script and Python walk through the same states."""
    model = wait_for_player(box)["model"]
    vocabulary = Vocabulary(data["names"], data["kinds"])
    for sentence in player_walks(box):
        assert sentence["answers"] == vocabulary.answers(sentence["words"]).tolist()
        for net in data["nets"]:
            ours = walk(net["cell"], decoded(net, model), sentence["words"])
            theirs = sentence["walks"][net["label"]]
            np.testing.assert_allclose(theirs["states"], ours.states, atol=1e-5)
            np.testing.assert_allclose(theirs["positive"], ours.positive, atol=1e-5)


def require_recalled(box: Locator, data: dict[str, Any]) -> None:
    """Require that the page's script and Python believe the same after each digit."""
    state = wait_for_player(box)
    net, digits = data["nets"][state["net"]], player_part(box, "typed")["digits"]
    ours = recall(net["readout"], decoded(net, state["model"]), digits)
    np.testing.assert_allclose(player_part(box, "beliefs"), ours.beliefs, atol=1e-6)


def require_added(box: Locator, data: dict[str, Any]) -> None:
    """Require that the page's script and Python add alike, on paper and with the net."""
    state = wait_for_player(box)
    net, probe = data["nets"][state["net"]], data["nets"][state["net"]]["probe"]
    base = data["bases"][state["base"]]
    numbers = Sum.of(*(read_number(text, base) for text in state["texts"]))
    paper, walked = player_part(box, "paper"), player_part(box, "walked")
    assert paper["right"] == numbers.right.tolist()
    assert paper["carries"] == numbers.carries.tolist()
    carry = None
    if probe is not None:
        found = decoded({"parameters": probe}, state["model"])
        carry = (found["direction"], float(found["threshold"]))
    loss = next(name for name, threshold in LOSSES.items() if threshold == net["threshold"])
    ours = add(net["cell"], loss, decoded(net, state["model"]), numbers.inputs, carry)
    for name in ("states", "margins", "held"):
        np.testing.assert_allclose(walked[name], getattr(ours, name), atol=1e-6, rtol=1e-6)


REQUIRED = {"sentence": require_walked, "recall": require_recalled, "adder": require_added}
"""By kind of player: that its numbers are Python's."""


def play_through(box: Locator) -> list[tuple[int, str]]:
    """Press the first play button and watch from inside the page; each step drawn and label of the button, in turn."""
    seen: list[list[Any]] = box.evaluate(
        """async (box) => {
            const play = box.querySelector(".rnn-play"), seen = [];
            const look = () => {
                const now = [JSON.parse(box.dataset.state).step, play.getAttribute("aria-label")];
                if (String(now) !== String(seen.at(-1))) seen.push(now);
            };
            const observer = new MutationObserver(look);
            observer.observe(box, { attributes: true, attributeFilter: ["data-state"] });
            observer.observe(play, { attributes: true, attributeFilter: ["aria-label"] });
            play.click();
            do await new Promise(requestAnimationFrame); while (play.dataset.playing);
            return seen;
        }"""
    )
    return [(step, label) for step, label in seen]
