/* Two numbers as typed, their sum on paper, and a small recurrent net that adds them, as in rnnkit/figures/adder_player. */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const { dot, image, next, read } = rnnkit.cells;
  const LONGEST_DECIMAL = 20; // digits of 2⁶⁴ - 1

  /* A text as {value (BigInt), length, fault}: length in bits as the net reads it, fault why there is no number. */
  function readNumber(text, base, maxBits) {
    const none = (fault) => ({ value: 0n, length: 0, fault });
    let bare = text.replace(/[\s_]+/g, ""), binary = base === "binary";
    if (/^0b/i.test(bare)) [bare, binary] = [bare.slice(2), true];
    if (!bare) return none("Type a number.");
    if (!(binary ? /^[01]+$/ : /^[0-9]+$/).test(bare)) {
      const wanted = binary ? "no binary number: 0s and 1s only" : "no whole number: digits 0 to 9 only";
      return none("“" + text.trim().slice(0, 30) + "” is " + wanted + ".");
    }
    if (!binary) bare = bare.replace(/^0+(?=.)/, "");
    const value = binary ? BigInt("0b" + bare.slice(-maxBits)) : BigInt(bare.slice(0, LONGEST_DECIMAL + 1));
    const length = binary ? bare.length : value.toString(2).length;
    return length > maxBits ? none("Too long: a number may have " + maxBits + " bits.") : { value, length, fault: "" };
  }

  const bitsOf = (value, length) => Array.from({ length }, (_, t) => Number((value >> BigInt(t)) & 1n));
  const valueOf = (bits) => bits.reduce((sum, bit, t) => sum + (BigInt(bit) << BigInt(t)), 0n);

  /* Two numbers added on paper, least significant bit first; carries before the first column and after each. */
  function onPaper(a, b) {
    const length = a.fault || b.fault ? 0 : Math.max(a.length, b.length) + 1;
    const [first, second] = [a, b].map(({ value }) => bitsOf(value, length)), carries = [0];
    first.forEach((bit, t) => carries.push(Number(bit + second[t] + carries[t] > 1)));
    return { length, first, second, right: bitsOf(a.value + b.value, length), carries };
  }

  /* What a net does: {states, margins: output less what it must exceed, held: above 0 it holds a carry}. */
  function add({ cell, threshold }, p, { first, second }, probe) {
    const size = p.weight_hh[0].length;
    const margin = (state) => dot(p.weight_out[0], state.slice(0, size)) + p.bias_out[0] - threshold;
    const states = read(cell, p, first.map((bit, t) => image(p, [bit, second[t]])));
    const held = states.map((state) => (probe ? dot(probe.direction, state) - probe.threshold
      : margin(next(cell, p, p.bias_ih, state))));
    return { states, margins: states.slice(1).map(margin), held };
  }

  rnnkit.adding = { readNumber, valueOf, onPaper, add };
})();
