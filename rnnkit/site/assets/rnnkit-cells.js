/* One step of a small recurrent cell and a sequence of them, as in rnnkit/figures/stepping/cells.py. */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});

  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const affine = (weight, bias, vector) => Array.from(weight, (row, i) => dot(row, vector) + bias[i]);
  const logistic = (value) => 0.5 * (1 + Math.tanh(0.5 * value)); // without overflow

  /* What an input adds to every gate, before the cell knows its state. */
  const image = (p, input) => affine(p.weight_ih, p.bias_ih, input);

  /* State of all zeros: an LSTM's has its cell state after its hidden state. */
  const zeros = (cell, p) => new Array((cell === "lstm" ? 2 : 1) * p.weight_hh[0].length).fill(0);

  /* The equations of torch.nn.RNN (tanh), torch.nn.GRU and torch.nn.LSTM: the state after one more input. */
  function next(cell, p, fed, state) {
    const size = p.weight_hh[0].length, h = state.slice(0, size), inner = affine(p.weight_hh, p.bias_hh, h);
    const gate = (k, i) => fed[k * size + i] + inner[k * size + i];
    if (cell === "rnn") return h.map((_, i) => Math.tanh(gate(0, i)));
    if (cell === "gru") {
      return h.map((old, i) => {
        const reset = logistic(gate(0, i)), update = logistic(gate(1, i));
        return (1 - update) * Math.tanh(fed[2 * size + i] + reset * inner[2 * size + i]) + update * old;
      });
    }
    const memory = state.slice(size).map((old, i) => logistic(gate(1, i)) * old + logistic(gate(0, i)) * Math.tanh(gate(2, i)));
    return [...memory.map((value, i) => logistic(gate(3, i)) * Math.tanh(value)), ...memory];
  }

  /* Every state on the way through a sequence of images, the zero state first. */
  function read(cell, p, images) {
    const states = [zeros(cell, p)];
    for (const fed of images) states.push(next(cell, p, fed, states[states.length - 1]));
    return states;
  }

  rnnkit.cells = { dot, affine, logistic, image, next, read };
})();
