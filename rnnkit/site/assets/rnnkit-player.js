/* The sentence player: nets with two hidden units read what the reader types, in this script.
 *
 * The markup and the data come from rnnkit/figures/player. For tests: sentences of a player hold
 * {words, answers, walks: label -> {states, margins, positive}}.
 */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const { runs, reading, typed, merged, answers, walk, says, ANSWERS } = rnnkit.sentences;
  const { element, plural, chance } = rnnkit;
  const SHOWN_RUNS = 24; // runs of a sentence that are read back

  class SentencePlayer extends rnnkit.Stepper {
    find() {
      super.find();
      this.rows = [...this.box.querySelectorAll(".rnn-sentence")];
      this.compare = this.box.querySelector(".rnn-compare");
      this.sentences = [];
    }

    begin() {
      if (this.data.examples.length) this.example(0);
      else this.read();
    }

    press(button) {
      const { add, times, do: what } = button.dataset;
      if (add) this.edit(button, (found) => this.add(found, add, Number(times)));
      else if (what === "delete") this.edit(button, (found) => this.drop(found));
      else if (what === "clear") this.edit(button, () => []);
      else if (button === this.compare) this.open(this.rows[1].hidden);
    }

    edit(button, change) {
      const input = button.closest(".rnn-sentence").querySelector("input");
      input.value = typed(change(merged(runs(input.value, this.data.aliases, this.data.maxWords))));
      this.read();
    }

    add(found, text, times) {
      const length = found.reduce((sum, run) => sum + run.count, 0), count = Math.min(times, this.data.maxWords - length);
      return count > 0 ? [...found, { word: this.data.aliases[text.toLowerCase()], count, text }] : found;
    }

    drop(found) {
      const last = found[found.length - 1];
      if (last && last.count > 1) last.count -= 1;
      else found.pop();
      return found;
    }

    example(index) {
      const texts = this.data.examples[index];
      this.texts.forEach((input, i) => { input.value = texts[i]; });
      this.open(texts[1] !== "");
    }

    /* Show or put away the second sentence. */
    open(second) {
      if (!second) this.texts[1].value = "";
      this.rows[1].hidden = !second;
      this.compare.setAttribute("aria-expanded", String(second));
      this.compare.textContent = second ? "Put the second sentence away" : "Compare with a second sentence";
      this.box.dataset.pair = String(second);
      this.read();
    }

    /* Read both sentences anew, and go to a step: the end, unless another is given. */
    read(step) {
      this.stop();
      const { aliases, maxWords, kinds } = this.data;
      this.nets.forEach((net) => { net.p = this.parameters(net); });
      this.sentences = this.texts.map((input, i) => {
        const found = runs(input.value, aliases, maxWords), read = reading(found, maxWords);
        this.tell(this.rows[i], input, found, read);
        const walks = Object.fromEntries(this.nets.map(({ label, cell, p }) => [label, walk(cell, p, read.words)]));
        return { words: read.words, answers: answers(read.words, kinds), walks };
      });
      this.settle(Math.max(...this.sentences.map((s) => s.words.length)), step);
    }

    /* Under a field: the words as they were understood, and what was not. */
    tell(row, input, found, read) {
      const { names, kinds, maxWords } = this.data;
      const known = merged(found.map((run) => Object.assign({}, run, { text: "" }))).filter((run) => run.word >= 0);
      const chips = known.slice(0, SHOWN_RUNS).map(({ word, count }) => {
        const [kind, sign] = { "-1": ["negative", "− "], 0: ["stop", ""], 1: ["positive", "+ "] }[kinds[word]];
        const text = sign + names[word] + (count > 1 ? " ×" + Math.min(count, maxWords) : "");
        const chip = element("span", { className: "rnn-word", textContent: text });
        chip.style.borderColor = this.data.colors[kind];
        return chip;
      });
      const more = known.length > SHOWN_RUNS ? ["… and more"] : [];
      const head = read.words.length ? plural(read.words.length, "word") + ": " : "";
      row.querySelector(".rnn-read").replaceChildren(head, ...chips.flatMap((chip) => [chip, " "]), ...more);
      const unknown = read.unknown.slice(0, 5).map((text) => "“" + text.slice(0, 30) + "”").join(", ");
      const faults = [];
      if (unknown) faults.push("Left out, as the nets do not know " + unknown + (read.unknown.length > 5 ? " and more." : "."));
      if (read.cut) faults.push("Only the first " + maxWords + " words are read.");
      this.complain(input, faults.join(" "));
      input.setAttribute("aria-invalid", String(read.unknown.length > 0));
    }

    where() {
      if (!this.step) return "";
      return ": " + this.shown().map((s) => (this.step <= s.words.length ? this.word(s, this.step) : "–")).join(" | ");
    }

    /* The sentences that have a place on the page: the second only while it is open. */
    shown() {
      return this.sentences.filter((_, i) => !this.rows[i].hidden);
    }

    word(sentence, step) {
      return step === 0 ? "start" : this.data.names[sentence.words[step - 1]];
    }

    lines() {
      if (!this.length) return ["Type words, or press a button: the nets read along."];
      return this.shown().map((s, i) => this.report(s, i));
    }

    report(sentence, index) {
      const t = Math.min(this.step, sentence.words.length), right = sentence.answers[t];
      const when = t ? "after " + plural(t, "word") : "before the first word";
      const opinions = this.nets.map(({ label }) => {
        const one = sentence.walks[label];
        return label + " says " + says(one.margins[t]) + " (" + chance(one.positive[t]) + ")";
      });
      const end = right < 0 ? "a tie, so no answer is right"
        : "the right answer is " + ANSWERS[right];
      const head = this.shown().length > 1 ? "Sentence " + "AB"[index] + ", " + when : when[0].toUpperCase() + when.slice(1);
      return head + ": " + opinions.join(", ") + "; " + end + ".";
    }

    table() {
      const labels = this.nets.map((net) => net.label), { names } = this.data;
      this.steps.replaceChildren(...this.shown().map((sentence, i) =>
        rnnkit.stepTable(sentence, { name: "Sentence " + "AB"[i], labels, names, step: this.step })));
    }

    draw() {
      return Promise.all(this.nets.map((net, i) => {
        this.panels[i].querySelector(".rnn-panel-title span").textContent = this.verdict(net.label);
        const pair = this.shown().length > 1;
        const paths = this.sentences.map((s, k) => ({ ...s, walk: s.walks[net.label], name: pair ? "AB"[k] : "" }));
        return rnnkit.drawPanel(this.planes[i], this.data, net.p, paths, this.step);
      }));
    }

    verdict(label) {
      const shown = this.shown(), last = (s) => Math.min(this.step, s.words.length);
      return shown.map((s, i) => {
        const { margins, positive } = s.walks[label], answer = says(margins[last(s)]);
        return shown.length > 1 ? "AB"[i] + " " + answer : answer + " (" + chance(positive[last(s)]) + ")";
      }).join(", ");
    }

    csv() {
      const lines = [["sentence", "words read", "word", "right answer",
        ...this.nets.flatMap(({ label }) => ["probability of positive", "hidden unit 1", "hidden unit 2"].map((what) => label + ": " + what))]];
      this.shown().forEach((s, i) => s.answers.forEach((right, t) => lines.push(["AB"[i], t, this.word(s, t),
        right < 0 ? "" : ANSWERS[right], ...this.nets.flatMap(({ label }) => [s.walks[label].positive[t], ...s.walks[label].states[t]])])));
      return lines;
    }
  }

  rnnkit.enliven("sentence", SentencePlayer);
})();
