/* The recall player: a bidirectional LSTM reads digits that the reader types, in this script.
 *
 * The markup and the data come from rnnkit/figures/recall_player. For tests: a player holds typed {digits, unknown, cut} and
 * beliefs, for each digit read the ten probabilities, had the sequence ended there.
 */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const { affine, image, next, read } = rnnkit.cells;
  const { element, plural, chance, verdict, row, heads } = rnnkit;
  const TOKEN = /([0-9])|([^\s0-9.,;:|/-]+)/g;
  const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

  function readDigits(text, limit) {
    const found = [...text.matchAll(TOKEN)], digits = found.filter((token) => token[1]).map((token) => Number(token[1]));
    const unknown = [...new Set(found.filter((token) => token[2]).map((token) => token[2]))];
    return { digits: digits.slice(0, limit), unknown, cut: digits.length > limit };
  }

  function softmax(logits) {
    const top = Math.max(...logits), weights = logits.map((logit) => Math.exp(logit - top));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  }

  /* Probabilities after each digit, had the sequence ended there: forward on from digit to digit, backward anew each time,
   * of which "last" reads out the first step and "final" the last. */
  function recall(readout, p, digits) {
    const back = Object.fromEntries(Object.entries(p).filter(([name]) => name.endsWith("_reverse"))
      .map(([name, values]) => [name.replace("_reverse", ""), values]));
    const size = p.weight_hh[0].length, start = new Array(2 * size).fill(0);
    const [fed, fedBack] = [p, back].map((one) => DIGITS.map((digit) => image(one, DIGITS.map((d) => Number(d === digit)))));
    const onward = read("lstm", p, digits.map((digit) => fed[digit])).slice(1);
    return digits.map((digit, t) => {
      let backward = next("lstm", back, fedBack[digit], start);
      if (readout === "final") for (let k = t - 1; k >= 0; k--) backward = next("lstm", back, fedBack[digits[k]], backward);
      return softmax(affine(p.weight_out, p.bias_out, [...onward[t].slice(0, size), ...backward.slice(0, size)]));
    });
  }

  const top = (belief) => belief.indexOf(Math.max(...belief));

  class RecallPlayer extends rnnkit.Stepper {
    find() {
      super.find();
      this.first = 1;
      this.chips = this.box.querySelector(".rnn-read");
    }

    begin() {
      if (this.data.examples.length) this.example(0);
      else this.read();
    }

    example(index) {
      this.write(this.data.examples[index]);
    }

    press(button) {
      const { do: what } = button.dataset, { digits } = this.typed;
      if (what === "draw") this.write([...digits, Math.floor(10 * Math.random())].slice(0, this.data.maxDigits).join(" "));
      else if (what === "delete") this.write(digits.slice(0, -1).join(" "));
      else if (what === "clear") this.write("");
    }

    write(text) {
      this.texts[0].value = text;
      this.read();
    }

    read(step) {
      this.stop();
      const [input] = this.texts, { maxDigits } = this.data, { readout } = this.nets[this.net];
      this.typed = readDigits(input.value, maxDigits);
      this.beliefs = recall(readout, this.parameters(), this.typed.digits);
      const { unknown, cut, digits } = this.typed, faults = [];
      const strange = unknown.slice(0, 5).map((text) => "“" + text.slice(0, 30) + "”").join(", ");
      if (strange) faults.push("Left out, as they are no digits: " + strange + (unknown.length > 5 ? " and more." : "."));
      if (cut) faults.push("Only the first " + maxDigits + " digits are read.");
      this.complain(input, faults.join(" "));
      input.setAttribute("aria-invalid", String(unknown.length > 0));
      this.settle(digits.length, step);
    }

    where() {
      return this.step ? ": " + this.typed.digits[this.step - 1] : "";
    }

    /* The digit asked for, once it has been read. */
    right(step) {
      return step > this.data.position ? this.typed.digits[this.data.position] : null;
    }

    lines() {
      if (!this.length) return ["Type digits, or press a button: the net reads along."];
      return this.step === this.length ? [this.report(this.length)] : [this.report(this.step), this.report(this.length)];
    }

    report(step) {
      const belief = this.beliefs[step - 1], said = top(belief), right = this.right(step), { asked } = this.data;
      const judged = right === null ? "the " + asked + " digit, which it is asked for, is not there yet"
        : (said === right ? "right" : "wrong") + ", as the " + asked + " digit is " + right;
      const when = step === this.length ? "After all " + plural(step, "digit") : "Had the sequence ended after " + plural(step, "digit");
      return when + ": " + this.nets[this.net].label + " says " + said + " (" + chance(belief[said]) + "); " + judged + ".";
    }

    /* The digits in a row, read or not yet, the one asked for marked; and the numbers. */
    table() {
      const { digits } = this.typed, { position, asked } = this.data;
      this.chips.replaceChildren(...digits.flatMap((digit, i) => {
        const chip = element("span", { className: "rnn-digit", textContent: digit });
        chip.dataset.read = String(i < this.step);
        if (i !== position) return [chip, " "];
        chip.dataset.asked = "true";
        chip.append(rnnkit.unseen(" (asked for)"));
        return [chip, " "];
      }));
      const body = element("tbody", {}, ...this.beliefs.map((belief, i) => {
        const said = top(belief), right = this.right(i + 1);
        const answer = [said + " ", ...(right === null ? [] : verdict(said === right))];
        const cells = belief.map((value, digit) => {
          const text = element(digit === said ? "strong" : "span", { textContent: chance(value) });
          if (digit === right) text.className = "rnn-right";
          return [text];
        });
        return row(i + 1, [String(digits[i]), answer, ...cells], i + 1 === this.step);
      }));
      const sheet = element("table", {}, heads("digits read", "digit", "says", ...DIGITS.map(String)), body);
      const title = element("p", { textContent: "Belief in each digit, had the sequence ended there. Bold: what the net says; "
        + "underlined: the " + asked + " digit." });
      this.steps.replaceChildren(...(digits.length ? [element("div", {}, title, rnnkit.scrolled(sheet, "Belief digit by digit"))] : []));
    }

    draw() {
      const { panel } = this.data;
      return Promise.all([this.step, this.length].map((step, i) => {
        const belief = step ? this.beliefs[step - 1] : [], right = this.right(step);
        this.panels[i].querySelector(".rnn-panel-title span").replaceChildren(...this.title(belief, right));
        return rnnkit.drawn(this.planes[i], panel, (data) => {
          data[0].y = belief;
          data[0].text = belief.map((value) => (value < panel.namedFrom ? "" : value.toFixed(2).replace(/^0/, "")));
          const frame = panel.frames[right === null ? DIGITS.length : right];
          data.forEach((trace) => Object.assign(trace, frame[trace.name]));
        });
      }));
    }

    title(belief, right) {
      if (!belief.length) return ["–"];
      const said = top(belief);
      return ["it says " + said + " (" + chance(belief[said]) + ") ", ...(right === null ? [] : verdict(said === right))];
    }

    csv() {
      const lines = [["digits read", "digit", "right digit", ...DIGITS.map((digit) => "belief in " + digit)]];
      this.beliefs.forEach((belief, i) => lines.push([i + 1, this.typed.digits[i], this.right(i + 1), ...belief]));
      return lines;
    }
  }

  rnnkit.enliven("recall", RecallPlayer);
})();
