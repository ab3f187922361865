/* The adder player: a small recurrent net adds two numbers that the reader types, in this script.
 *
 * The markup and the data come from rnnkit/figures/adder_player. For tests: a player holds paper {length, first, second,
 * right, carries} and walked {states, margins, held}.
 */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const { readNumber, valueOf, onPaper, add } = rnnkit.adding;
  const { element, plural, unseen, verdict, row, heads } = rnnkit;
  const { sides, place, marked, beside } = rnnkit.plane;
  const MANY = 24; // columns from which the marks are small
  const bit = (margin) => Number(margin > 0);
  const wrongs = (values, truths) => values.filter((value, t) => bit(value) !== truths[t]).length;

  class AdderPlayer extends rnnkit.Stepper {
    find() {
      super.find();
      this.base = 0;
      this.written = this.box.querySelector(".rnn-sum");
      this.notes = this.texts.map((input) => this.box.querySelector("#" + input.id + "-read"));
    }

    begin() {
      if (this.data.examples.length) this.example(0);
      else this.read();
    }

    /* Fill in an example; where both numbers are binary, they stand without their signs. */
    example(index) {
      const pair = this.data.examples[index], binary = pair.every((text) => /^0b/i.test(text));
      this.base = this.data.bases.indexOf(binary ? "binary" : "decimal");
      this.chosen.find((select) => select.dataset.choice === "base").value = this.base;
      this.texts.forEach((input, i) => { input.value = binary ? pair[i].slice(2) : pair[i]; });
      this.read();
    }

    read(step) {
      this.stop();
      const { bases, maxBits } = this.data, net = this.nets[this.net];
      this.numbers = this.texts.map((input, i) => {
        const number = readNumber(input.value, bases[this.base], maxBits);
        this.complain(input, number.fault);
        input.setAttribute("aria-invalid", String(Boolean(number.fault)));
        this.notes[i].textContent = number.fault ? "" : this.other(input.value, number);
        return number;
      });
      this.paper = onPaper(...this.numbers);
      this.probe = this.probed(net);
      this.walked = add(net, this.parameters(), this.paper, this.probe);
      this.settle(this.paper.length, step);
    }

    /* A number in the base in which it was not typed. */
    other(text, { value, length }) {
      const binary = this.data.bases[this.base] === "binary" || /^\s*0b/i.test(text);
      return "= " + (binary ? value.toString() : value.toString(2).padStart(length, "0") + " in binary");
    }

    probed({ probe }) {
      if (!probe) return null;
      const [direction, threshold] = [probe.direction, probe.threshold].map((p) => rnnkit.part(rnnkit.decode(p), [this.model]));
      return { direction, threshold };
    }

    where() {
      if (!this.step) return "";
      const t = this.step - 1;
      return ": " + this.paper.first[t] + " + " + this.paper.second[t];
    }

    lines() {
      if (!this.length) return ["Type two numbers, or press a button: the net adds them, the last column first."];
      return [this.column(), this.total()];
    }

    /* What the net did in the present column. */
    column() {
      const { first, second, right, carries } = this.paper, { margins, held } = this.walked, t = this.step - 1;
      const carry = (k) => (bit(held[k]) ? "a carry" : "no carry")
        + (bit(held[k]) === carries[k] ? ", as it should" : ", which is wrong");
      const { label } = this.nets[this.net];
      if (t < 0) return "Before the first column: " + label + " holds " + carry(0) + ".";
      const judged = bit(margins[t]) === right[t] ? "right" : "wrong: " + right[t] + " is right";
      return "Column " + this.step + " of " + this.length + ": " + first[t] + " + " + second[t] + " + carry " + carries[t] + ". "
        + label + " writes " + bit(margins[t]) + " (" + judged + ") and holds " + carry(this.step) + ".";
    }

    /* The sum, once all columns are added; before, how many bits were wrong. */
    total() {
      const bits = this.walked.margins.map(bit), [a, b] = this.numbers.map(({ value }) => value);
      const wrong = wrongs(this.walked.margins.slice(0, this.step), this.paper.right);
      if (this.step < this.length) return "Wrong bits so far: " + wrong + ".";
      const said = valueOf(bits), end = said === a + b ? "right" : "wrong, in " + plural(wrong, "bit");
      return a + " + " + b + " = " + (a + b) + "; the net says " + said + ", " + end + ".";
    }

    table() {
      this.written.replaceChildren(...(this.length ? [this.addition()] : []));
      const now = this.written.querySelector("[data-now]"), region = this.written.firstElementChild;
      if (now) requestAnimationFrame(() => { region.scrollLeft = now.offsetLeft - (region.clientWidth + region.querySelector("th").offsetWidth) / 2; });
      this.steps.replaceChildren(...(this.length ? [rnnkit.scrolled(this.numbersSheet(), "The addition column by column")] : []));
    }

    /* The addition as on paper: what has not come yet is a dot, what is wrong is boxed and has a cross. */
    addition() {
      const { length, first, second, right, carries } = this.paper, { margins, held } = this.walked, { step } = this;
      const known = (t) => t <= step, done = (t) => t < step;
      const lines = [
        ["carry", (t) => (known(t) ? [carries[t]] : [])],
        ["first number", (t) => [first[t]]],
        ["second number", (t) => [second[t]]],
        ["the net writes", (t) => (done(t) ? [bit(margins[t]), right[t]] : [])],
        ["right sum", (t) => (done(t) ? [right[t]] : [])],
        ["carry held", (t) => (known(t) ? [bit(held[t]), carries[t]] : [])],
      ];
      const places = Array.from({ length }, (_, i) => length - 1 - i);
      const corner = element("th", { scope: "col" }, unseen("column"));
      const titles = places.map((t) => element("th", { scope: "col", textContent: t + 1 }));
      const body = lines.map(([name, sign]) => element("tr", { className: "rnn-row-" + name.split(" ").pop() },
        element("th", { scope: "row", textContent: name }), ...places.map((t) => this.digit(t, sign(t)))));
      const sheet = element("table", {}, element("thead", {}, element("tr", {}, corner, ...titles)), element("tbody", {}, ...body));
      const region = element("div", { className: "rnn-columns", tabIndex: 0 }, sheet);
      region.setAttribute("role", "region");
      region.setAttribute("aria-label", "The addition, written out");
      return region;
    }

    digit(t, [value, truth]) {
      const cell = element("td", { textContent: value === undefined ? "·" : value });
      if (t === this.step - 1) cell.dataset.now = "true";
      if (truth !== undefined && value !== truth) {
        cell.className = "rnn-wrong";
        cell.append(unseen(" wrong"));
      }
      return cell;
    }

    numbersSheet() {
      const { first, second, right, carries } = this.paper, { margins, held } = this.walked;
      const carried = (t) => [[bit(held[t]) + " ", ...verdict(bit(held[t]) === carries[t])], held[t].toFixed(3)];
      const body = margins.map((margin, t) => row(t + 1, [String(first[t]), String(second[t]), String(carries[t]),
        [bit(margin) + " ", ...verdict(bit(margin) === right[t])], margin.toFixed(3),
        ...carried(t + 1)], t + 1 === this.step));
      return element("table", {}, heads("column", "first", "second", "carry", "net writes", "margin", "carry held then", "margin"),
        element("tbody", {}, row(0, ["", "", "", "", "", ...carried(0)], this.step === 0), ...body));
    }

    own() {
      return { base: this.base };
    }

    async draw() {
      const net = this.nets[this.net], flat = net.hiddenSize === 2, { line, plane, yTitles } = this.data;
      const [linePlane, planePlane] = this.planes, { states, held } = this.walked;
      this.panels[1].hidden = !flat;
      this.panels[0].querySelector(".rnn-panel-title span").textContent = this.verdicts();
      await rnnkit.drawn(linePlane, line, (data, layout) => {
        const reach = 1.25 * Math.max(...held.map(Math.abs)) || 1;
        layout.yaxis.range = [-reach, reach];
        layout.yaxis.title.text = this.probe ? yTitles.probed : yTitles.asked;
        layout.xaxis.range = [-0.5, this.length + 0.5];
        this.path(data, held.map((value, t) => [t, value]));
      });
      if (!flat) return;
      await rnnkit.drawn(planePlane, plane, (data, layout) => {
        layout.width = layout.height = planePlane.clientWidth;
        const { direction, threshold } = this.probe || { direction: [], threshold: 0 };
        const line = direction.length === 2 ? { normal: Array.from(direction), offset: -threshold } : { normal: [0, 0], offset: 0 };
        sides(data, { ...line, limit: layout.xaxis.range[1], nameLimits: plane.nameLimits });
        const points = states.map((state) => state.slice(0, 2));
        this.path(data.slice(4), points, marked(points.slice(0, this.step + 1)));
      });
    }

    verdicts() {
      if (!this.length) return "";
      const wrong = wrongs(this.walked.held.slice(0, this.step + 1), this.paper.carries);
      return wrong ? ": wrong " + plural(wrong, "time") : ": right so far";
    }

    /* Line, steps by their true carry, and the present one; on a plane the steps have numbers. */
    path([line, ...rest], points, marks = []) {
      if (!this.length) return;
      const now = rest.pop(), shown = points.slice(0, this.step + 1), texts = Object.fromEntries(marks.map((m) => [m.step, m.text]));
      place(line, shown);
      rest.forEach((trace, carry) => {
        const steps = shown.map((_, t) => t).filter((t) => this.paper.carries[t] === carry);
        place(trace, steps.map((t) => shown[t]));
        trace.text = steps.map((t) => texts[t] || "");
        trace.textposition = steps.map((t) => beside(shown, t));
        trace.customdata = steps.map((t) => "after column " + t + ": true carry " + carry);
        if (!marks.length && this.length > MANY) trace.marker.size = 6;
      });
      place(now, shown.slice(-1));
    }

    csv() {
      const { first, second, right, carries } = this.paper, { states, margins, held } = this.walked;
      const lines = [["column", "first", "second", "carry in", "right bit", "net's bit", "margin of the bit", "carry out",
        "carry held", "margin of the carry", ...states[0].map((_, i) => "state " + (i + 1))]];
      states.forEach((state, t) => lines.push([t, ...(t ? [first[t - 1], second[t - 1], carries[t - 1], right[t - 1],
        bit(margins[t - 1]), margins[t - 1]] : ["", "", "", "", "", ""]), carries[t], bit(held[t]), held[t], ...state]));
      return lines;
    }
  }

  rnnkit.enliven("adder", AdderPlayer);
})();
