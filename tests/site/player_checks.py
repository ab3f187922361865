"""What every player of the book must do, as functions over its box in a browser."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page

from rnnkit.figures.player import Vocabulary, walk
from rnnkit.figures.stepping.element import decoded

WAIT_MS = 30_000


def players(page: Page, kind: str = "sentence") -> list[Locator]:
    """The players of a kind on a page, in order."""
    return page.locator(f'figure.rnn-player[data-player="{kind}"]').all()


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


def require_players_walk(page: Page) -> int:
    """Scroll to each player, try its examples and models, and require Python's states; return their number."""
    boxes = players(page)
    for box in boxes:
        box.locator(".rnn-panels").scroll_into_view_if_needed()
        data = json.loads(box.locator("script").text_content() or "")
        select = box.locator("select")
        for model in (0, len(data["models"]) - 1):
            select.select_option(str(model))
            for button in box.locator("[data-example]").all():
                button.click()
                assert wait_for_player(box)["model"] == model
                require_walked(box, data, model)
    return len(boxes)


def require_walked(box: Locator, data: dict[str, Any], model: int) -> None:
    """Require that the page's script and Python walk through the same states."""
    vocabulary = Vocabulary(data["names"], data["kinds"])
    for sentence in player_walks(box):
        assert sentence["answers"] == vocabulary.answers(sentence["words"]).tolist()
        for net in data["nets"]:
            ours = walk(net["cell"], decoded(net, model), sentence["words"])
            theirs = sentence["walks"][net["label"]]
            np.testing.assert_allclose(theirs["states"], ours.states, atol=1e-5)
            np.testing.assert_allclose(theirs["positive"], ours.positive, atol=1e-5)


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
