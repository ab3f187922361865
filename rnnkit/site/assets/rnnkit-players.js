/* Loads the scripts of the players that a page has, in their order; other pages load none of them. */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const SHARED = ["cells", "parts", "plane", "stepper"];
  const KINDS = { sentence: ["walk", "panel", "player"], recall: ["recall"], adder: ["adder-walk", "adder"] };

  async function bring(boxes) {
    const kinds = [...new Set(boxes.map((box) => box.dataset.player))];
    const names = kinds.length ? [...SHARED, ...kinds.flatMap((kind) => KINDS[kind])] : [];
    try {
      for (const name of names) await rnnkit.load("rnnkit-" + name + ".js");
    } catch (error) {
      boxes.forEach((box) => {
        box.dataset.error = String(error.message || error);
        box.querySelector(".rnn-said").textContent = "The nets could not be started: " + box.dataset.error;
      });
    }
  }

  rnnkit.onReady(() => bring([...document.querySelectorAll("figure.rnn-player")]));
})();
