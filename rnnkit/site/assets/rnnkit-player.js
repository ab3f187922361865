/* The sentence player: nets with two hidden units read what the reader types, in this script.
 *
 * The markup and the data come from rnnkit/figures/player. Panels are drawn once they come near the window and plotly.js
 * is there; sentences, answers and tables need neither.
 *
 * For tests: a player has data-drawn="true" once its panels are drawn, data-state (JSON: model, step, length) once they
 * show that state, and data-error when they could not be drawn. window.rnnkit.players maps each box to its player, whose
 * sentences hold {words, answers, walks: label -> {states, margins, positive}}.
 */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const { runs, reading, typed, merged, answers, walk, says, chance, ANSWERS } = rnnkit.sentences;
  const SHOWN_RUNS = 24; // runs of a sentence that are read back
  const PLAY_MS = 600, PLAY_TICKS = 60, SPEAK_MS = 500;
  const players = new Map();

  const { element } = rnnkit;
  const plural = (count, word) => count + " " + word + (count === 1 ? "" : "s");

  class Player {
    constructor(box) {
      this.box = box;
      this.data = JSON.parse(box.querySelector('script[type="application/json"]').textContent);
      this.model = 0;
      this.step = 0;
      this.sentences = [];
      this.find();
      this.connect();
      if (this.data.examples.length) this.example(0);
      else this.read();
      players.set(box, this);
    }

    find() {
      const one = (selector) => this.box.querySelector(selector), all = (selector) => [...this.box.querySelectorAll(selector)];
      this.rows = all(".rnn-sentence");
      this.inputs = this.rows.map((row) => row.querySelector("input"));
      this.panels = all(".rnn-panel");
      this.planes = all(".rnn-plane");
      [this.said, this.heard, this.steps, this.slider] = [".rnn-said", ".rnn-heard", ".rnn-steps", "input[type=range]"].map(one);
      [this.output, this.play, this.compare, this.select] = ["output", ".rnn-play", ".rnn-compare", "select"].map(one);
    }

    connect() {
      this.box.querySelector("fieldset").disabled = false;
      this.play.hidden = rnnkit.isCalm();
      this.inputs.forEach((input) => input.addEventListener("input", () => this.read()));
      this.box.addEventListener("click", (event) => this.press(event.target.closest("button")));
      this.slider.addEventListener("input", () => { this.stop(); this.go(Number(this.slider.value)); });
      this.select.addEventListener("change", () => { this.model = Number(this.select.value); this.read(this.step); });
      this.box.querySelector(".rnn-csv").disabled = false;
    }

    press(button) {
      if (!button) return;
      const { add, times, do: what, example, nudge } = button.dataset;
      if (button === this.play) return this.playing ? this.stop() : this.run();
      this.stop();
      if (add) this.edit(button, (found) => this.add(found, add, Number(times)));
      else if (what === "delete") this.edit(button, (found) => this.drop(found));
      else if (what === "clear") this.edit(button, () => []);
      else if (example) this.example(Number(example));
      else if (nudge) this.go(this.step + Number(nudge));
      else if (button === this.compare) this.open(this.rows[1].hidden);
      else if (button.classList.contains("rnn-csv")) rnnkit.download(this.box.id + ".csv", this.csv());
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
      this.inputs.forEach((input, i) => { input.value = texts[i]; });
      this.open(texts[1] !== "");
    }

    /* Show or put away the second sentence. */
    open(second) {
      if (!second) this.inputs[1].value = "";
      this.rows[1].hidden = !second;
      this.compare.setAttribute("aria-expanded", String(second));
      this.compare.textContent = second ? "Put the second sentence away" : "Compare with a second sentence";
      this.box.dataset.pair = String(second);
      this.read();
    }

    /* Read both sentences anew, and go to a step: the end, unless another is given. */
    read(step) {
      this.stop();
      const { aliases, maxWords, kinds, nets } = this.data;
      this.nets = nets.map(({ label, cell, parameters }) => ({
        label, cell, p: Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, values[this.model]])),
      }));
      this.sentences = this.inputs.map((input, i) => {
        const found = runs(input.value, aliases, maxWords), read = reading(found, maxWords);
        this.tell(this.rows[i], found, read);
        const walks = Object.fromEntries(this.nets.map(({ label, cell, p }) => [label, walk(cell, p, read.words)]));
        return { words: read.words, answers: answers(read.words, kinds), walks };
      });
      this.length = Math.max(...this.sentences.map((s) => s.words.length));
      this.slider.max = this.length;
      this.slider.disabled = this.play.disabled = this.length === 0;
      this.go(step === undefined ? this.length : step);
    }

    /* Under a field: the words as they were understood, and what was not. */
    tell(row, found, read) {
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
      const message = row.querySelector(".rnn-message"), text = faults.join(" ");
      if (message.textContent !== text) message.textContent = text;
      row.querySelector("input").setAttribute("aria-invalid", String(read.unknown.length > 0));
    }

    go(step) {
      this.step = Math.max(0, Math.min(step, this.length));
      this.slider.value = this.step;
      const words = this.shown().map((s) => (this.step <= s.words.length ? this.word(s, this.step) : "–")).join(" | ");
      this.output.textContent = this.step + " of " + this.length + (this.step ? ": " + words : "");
      this.slider.setAttribute("aria-valuetext", this.output.textContent);
      this.speak();
      this.table();
      if (!this.drawing) this.drawing = requestAnimationFrame(() => this.follow());
    }

    /* The sentences that have a place on the page: the second only while it is open. */
    shown() {
      return this.sentences.filter((_, i) => !this.rows[i].hidden);
    }

    word(sentence, step) {
      return step === 0 ? "start" : this.data.names[sentence.words[step - 1]];
    }

    /* The sentence above the panels; a screen reader hears it once the reader has come to rest. */
    speak() {
      const lines = this.length ? this.shown().map((s, i) => this.report(s, i))
        : ["Type words, or press a button: the nets read along."];
      this.said.replaceChildren(...lines.map((line) => element("span", { textContent: line })));
      clearTimeout(this.speaking);
      if (this.playing) return;
      this.speaking = setTimeout(() => { this.heard.textContent = lines.join(" "); }, SPEAK_MS);
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

    async start() {
      if (this.started) return;
      this.started = true;
      try {
        await rnnkit.load("plotly.min.js");
        this.ready = true;
        await this.redraw();
        new ResizeObserver(() => this.redraw()).observe(this.planes[0]);
      } catch (error) {
        this.fail(error);
      }
    }

    fail(error) {
      this.box.dataset.error = String(error.message || error);
      const note = element("p", { className: "rnn-error", textContent: "The panels could not be drawn: " + this.box.dataset.error });
      note.setAttribute("role", "alert");
      this.box.querySelector(".rnn-panels").replaceChildren(note);
      this.ready = false;
    }

    async follow() {
      await this.redraw();
      this.drawing = null;
    }

    async redraw() {
      if (this.busy) return;
      this.busy = true;
      try {
        while (this.ready && this.box.dataset.state !== this.state()) await this.draw();
      } catch (error) {
        this.fail(error);
      }
      this.busy = false;
    }

    /* What the panels show, as a text that differs whenever they must be drawn anew. */
    state() {
      return JSON.stringify({
        model: this.model, step: this.step, length: this.length, width: this.planes[0].clientWidth,
        theme: document.documentElement.dataset.theme || "", texts: this.inputs.map((input) => input.value),
      });
    }

    async draw() {
      const state = this.state();
      await Promise.all(this.nets.map((net, i) => {
        this.panels[i].querySelector(".rnn-panel-title span").textContent = this.verdict(net.label);
        const pair = this.shown().length > 1;
        const paths = this.sentences.map((s, k) => ({ ...s, walk: s.walks[net.label], name: pair ? "AB"[k] : "" }));
        return rnnkit.drawPanel(this.planes[i], this.data, net.p, paths, this.step);
      }));
      this.box.dataset.state = state;
      this.box.dataset.drawn = "true";
    }

    verdict(label) {
      const shown = this.shown(), last = (s) => Math.min(this.step, s.words.length);
      return shown.map((s, i) => {
        const { margins, positive } = s.walks[label], answer = says(margins[last(s)]);
        return shown.length > 1 ? "AB"[i] + " " + answer : answer + " (" + chance(positive[last(s)]) + ")";
      }).join(", ");
    }

    run() {
      if (this.step === this.length) this.go(0);
      this.playing = true;
      this.play.dataset.playing = "true";
      this.play.setAttribute("aria-label", "Pause the words");
      const stride = Math.ceil(this.length / PLAY_TICKS), pause = this.length > 20 ? PLAY_MS / 3 : PLAY_MS;
      const next = () => {
        if (!this.playing) return;
        if (!this.drawing) this.go(this.step + stride);
        if (this.step >= this.length) this.stop();
        else this.timer = setTimeout(next, pause);
      };
      this.timer = setTimeout(next, pause);
    }

    stop() {
      if (!this.playing) return;
      clearTimeout(this.timer);
      this.playing = false;
      delete this.play.dataset.playing;
      this.play.setAttribute("aria-label", "Play the words");
      this.speak();
    }

    csv() {
      const lines = [["sentence", "words read", "word", "right answer",
        ...this.nets.flatMap(({ label }) => ["probability of positive", "hidden unit 1", "hidden unit 2"].map((what) => label + ": " + what))]];
      this.shown().forEach((s, i) => s.answers.forEach((right, t) => lines.push(["AB"[i], t, this.word(s, t),
        right < 0 ? "" : ANSWERS[right], ...this.nets.flatMap(({ label }) => [s.walks[label].positive[t], ...s.walks[label].states[t]])])));
      return rnnkit.rows(lines);
    }
  }

  rnnkit.players = players;
  rnnkit.onReady(() => {
    const all = [...document.querySelectorAll("figure.rnn-player")].map((box) => new Player(box));
    all.forEach((player) => rnnkit.near(player.box.querySelector(".rnn-panels"), () => player.start()));
    rnnkit.onTheme(() => all.forEach((player) => player.redraw()));
  });
})();
