/* What all players share: nets that read what a reader enters, one step at a time, in this page.
 *
 * The markup and the data come from rnnkit/figures/stepping. Panels are drawn once they come near the window and plotly.js
 * is there; what is said and the tables need neither. A kind of player brings
 *   find()   the parts of its own              read(step)  what was entered, walked anew; ends in settle()
 *   begin()  what stands there at the start    press(button)  its own buttons
 *   where()  the step in words                 lines()  what is said at this step
 *   table()  the numbers                       own()    what else the panels depend on
 *   draw()   the panels                        csv()    the download
 *
 * For tests: a player has data-drawn="true" once its panels are drawn, data-state (JSON: net, model, step, length) once they
 * show that state, and data-error when they could not be drawn. window.rnnkit.players maps each box to its player.
 */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const { element } = rnnkit;
  const PLAY_MS = 600, PLAY_TICKS = 60, SPEAK_MS = 500;
  const players = new Map();

  class Stepper {
    constructor(box) {
      this.box = box;
      this.data = JSON.parse(box.querySelector('script[type="application/json"]').textContent);
      this.nets = this.data.nets.map((net) => {
        const arrays = Object.entries(net.parameters).map(([name, payload]) => [name, rnnkit.decode(payload)]);
        return Object.assign({}, net, { arrays });
      });
      [this.net, this.model, this.first, this.step, this.length] = [0, 0, 0, 0, 0];
      this.find();
      this.connect();
      this.begin();
      players.set(box, this);
    }

    find() {
      const one = (selector) => this.box.querySelector(selector), all = (selector) => [...this.box.querySelectorAll(selector)];
      this.panels = all(".rnn-panel");
      this.planes = all(".rnn-plane");
      [this.said, this.heard, this.steps, this.slider] = [".rnn-said", ".rnn-heard", ".rnn-steps", "input[type=range]"].map(one);
      [this.output, this.play] = ["output", ".rnn-play"].map(one);
      this.texts = all("input[type=text]");
      this.chosen = all("select[data-choice]");
    }

    connect() {
      this.box.querySelector("fieldset").disabled = false;
      this.play.hidden = rnnkit.isCalm();
      this.texts.forEach((input) => input.addEventListener("input", () => this.read()));
      this.chosen.forEach((select) => select.addEventListener("change", () => {
        this[select.dataset.choice] = Number(select.value);
        this.read(this.step);
      }));
      this.slider.addEventListener("input", () => { this.stop(); this.go(Number(this.slider.value)); });
      this.box.addEventListener("click", (event) => this.pressed(event.target.closest("button")));
      this.box.querySelector(".rnn-csv").disabled = false;
    }

    pressed(button) {
      if (!button) return;
      const { nudge, example } = button.dataset;
      if (button === this.play) return this.playing ? this.stop() : this.run();
      this.stop();
      if (nudge) this.go(this.step + Number(nudge));
      else if (example) this.example(Number(example));
      else if (button.classList.contains("rnn-csv")) rnnkit.download(this.box.id + ".csv", rnnkit.rows(this.csv()));
      else this.press(button);
    }

    press() {}

    /* Parameters of the chosen model of a net, the first unless another is named. */
    parameters(net = this.nets[this.net]) {
      return Object.fromEntries(net.arrays.map(([name, array]) => [name, rnnkit.part(array, [this.model])]));
    }

    /* Under a field: what of it was not understood. */
    complain(input, text) {
      const message = this.box.querySelector("#" + input.id + "-message");
      if (message.textContent !== text) message.textContent = text;
    }

    /* After reading: as many steps as there are now, and on to one of them: the last, unless another is given. */
    settle(length, step) {
      this.length = length;
      this.slider.min = Math.min(this.first, length);
      this.slider.max = length;
      this.slider.disabled = this.play.disabled = length <= this.first;
      this.go(step === undefined ? length : step);
    }

    go(step) {
      this.step = Math.max(Math.min(this.first, this.length), Math.min(step, this.length));
      this.slider.value = this.step;
      this.output.textContent = this.step + " of " + this.length + this.where();
      this.slider.setAttribute("aria-valuetext", this.output.textContent);
      this.speak();
      this.table();
      if (!this.drawing) this.drawing = requestAnimationFrame(() => this.follow());
    }

    /* The sentences above the panels; a screen reader hears them once the reader has come to rest. */
    speak() {
      const lines = this.lines();
      this.said.replaceChildren(...lines.map((line) => element("span", { textContent: line })));
      clearTimeout(this.speaking);
      if (this.playing) return;
      this.speaking = setTimeout(() => { this.heard.textContent = lines.join(" "); }, SPEAK_MS);
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
        while (this.ready && this.box.dataset.state !== this.state()) {
          const state = this.state();
          await this.draw();
          this.box.dataset.state = state;
          this.box.dataset.drawn = "true";
        }
      } catch (error) {
        this.fail(error);
      }
      this.busy = false;
    }

    /* What the panels show, as a text that differs whenever they must be drawn anew. */
    state() {
      const { net, model, step, length } = this;
      return JSON.stringify({
        net, model, step, length, width: this.planes[0].clientWidth, theme: document.documentElement.dataset.theme || "",
        texts: this.texts.map((input) => input.value), ...this.own(),
      });
    }

    own() {
      return {};
    }

    run() {
      if (this.step === this.length) this.go(0);
      this.playing = true;
      this.play.dataset.playing = "true";
      this.label("Play", "Pause");
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
      this.label("Pause", "Play");
      this.speak();
    }

    label(before, after) {
      this.play.setAttribute("aria-label", this.play.getAttribute("aria-label").replace(before, after));
    }
  }

  /* Bring every player of a kind to life. */
  function enliven(kind, Kind) {
    rnnkit.onReady(() => {
      const all = [...document.querySelectorAll('figure.rnn-player[data-player="' + kind + '"]')].map((box) => new Kind(box));
      all.forEach((player) => rnnkit.near(player.box.querySelector(".rnn-panels"), () => player.start()));
      rnnkit.onTheme(() => all.forEach((player) => player.redraw()));
    });
  }

  Object.assign(rnnkit, { players, Stepper, enliven });
})();
