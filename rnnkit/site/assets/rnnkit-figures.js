/* Draws the book's figures when they come into view, and lets their controls change them.
 *
 * No framework and no fetch: the pages must work from file://. Each figure is a script that calls
 * rnnkitFigure(key, {data, layout, controls, bindings, arrays, shared, table}); long arrays are scripts of their own
 * that call rnnkitArray(key, {shape, dtype, lo, step, missing | labels, data}), which several figures may share.
 *
 * For tests: a figure has data-drawn="true" once it is drawn, data-state (JSON: control -> position) once the drawing
 * shows that state, and data-error when it could not be drawn. window.rnnkit.figures maps each box to its figure.
 */
(function () {
  "use strict";

  const ROOT = document.currentScript.src.replace(/[^/]*$/, "");
  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const NARROW = 520; // px of the figure's box below which legend and colour bar go under the plot
  const PLAY_MS = 450;
  const specs = {}, arrays = {}, loads = {}, figures = new Map();

  window.rnnkitFigure = (key, spec) => { specs[key] = spec; };
  window.rnnkitArray = (key, payload) => { arrays[key] = rnnkit.decode(payload); };

  function load(name) {
    if (!loads[name]) {
      loads[name] = new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = ROOT + name;
        script.onload = resolve;
        script.onerror = () => { delete loads[name]; reject(new Error("could not load " + name)); };
        document.head.appendChild(script);
      });
    }
    return loads[name];
  }

  function setPath(target, path, value) {
    const parts = path.split(/[.[\]]+/).filter(Boolean);
    const leaf = parts.pop();
    parts.forEach((name, i) => {
      if (target[name] === undefined) target[name] = /^\d+$/.test(parts[i + 1] || leaf) ? [] : {};
      target = target[name];
    });
    target[leaf] = value;
  }

  const copy = (value) => JSON.parse(JSON.stringify(value));
  const isDark = () => document.documentElement.dataset.theme === "dark";
  const isCalm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  class Figure {
    constructor(box) {
      this.box = box;
      this.plot = box.querySelector(".rnn-plot");
      this.key = box.dataset.fig;
      this.started = false;
      this.busy = false;
      this.moved = new Set();
      figures.set(box, this);
    }

    async start() {
      if (this.started) return;
      this.started = true;
      try {
        await Promise.all([load("figs/" + this.key + ".js"), load("plotly.min.js")]);
        this.spec = specs[this.key];
        await Promise.all(this.spec.shared.map((key) => load("figs/a-" + key + ".js")));
        this.arrays = Object.fromEntries(Object.entries(this.spec.arrays).map(([k, v]) => [k, rnnkit.decode(v)]));
        this.spec.shared.forEach((key) => { this.arrays[key] = arrays[key]; });
        this.state = Object.fromEntries(this.spec.controls.map((c) => [c.name, c.start]));
        this.plot.textContent = "";
        await this.draw();
        this.connect();
        this.box.dataset.drawn = "true";
      } catch (error) {
        this.fail(error);
      }
    }

    fail(error) {
      this.box.dataset.error = String(error.message || error);
      const note = document.createElement("p");
      note.className = "rnn-error";
      note.setAttribute("role", "alert");
      note.textContent = "This figure could not be drawn: " + this.box.dataset.error;
      this.plot.replaceChildren(note);
    }

    /* Value of a binding in the present state. */
    value(binding) {
      const indices = binding.over.map((name) => this.state[name]);
      if (binding.array) return rnnkit.part(this.arrays[binding.array], indices);
      return indices.reduce((values, index) => values[index], binding.values);
    }

    /* The whole figure, from its script, the state, the page's theme and the width. */
    async draw() {
      const data = copy(this.spec.data), layout = copy(this.spec.layout);
      for (const binding of this.spec.bindings) {
        setPath(binding.trace === null ? layout : data[binding.trace], binding.attr, this.value(binding));
      }
      layout.template = rnnkit.themed(layout.template);
      layout.uirevision = "kept"; // a reader's zoom and camera survive a change of theme or width
      layout.autosize = true;
      delete layout.width;
      const width = this.plot.clientWidth;
      this.narrow = width < NARROW;
      rnnkit.snug(layout);
      if (this.narrow) rnnkit.narrowed(data, layout, width);
      // A finger that scrolls the page must not be caught by a flat plot.
      if (window.matchMedia("(pointer: coarse)").matches) layout.dragmode = layout.scene ? layout.dragmode : false;
      await window.Plotly.react(this.plot, data, layout, {
        responsive: true, displaylogo: false, scrollZoom: false,
        displayModeBar: this.narrow || window.matchMedia("(hover: none)").matches ? false : "hover",
        modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
      });
      this.quiet();
      this.box.dataset.state = JSON.stringify(this.state);
    }

    /* The description says what the picture shows; its hundreds of loose labels would only be noise. */
    quiet() {
      this.plot.querySelectorAll("svg, canvas").forEach((node) => node.setAttribute("aria-hidden", "true"));
    }

    connect() {
      for (const control of this.spec.controls) {
        const row = [...this.box.querySelectorAll(".rnn-control")].find((r) => r.dataset.control === control.name);
        const input = row.querySelector("input, select");
        input.disabled = false;
        input.addEventListener("input", () => { this.stop(); this.set(control, Number(input.value)); });
        control.input = input;
        control.output = row.querySelector("output");
        control.play = row.querySelector(".rnn-play");
        if (!control.play) continue;
        control.play.hidden = isCalm() || control.values.length < 2;
        control.play.disabled = false;
        control.play.addEventListener("click", () => (this.playing === control ? this.stop() : this.run(control)));
      }
      const csv = this.box.querySelector(".rnn-csv");
      csv.disabled = false;
      csv.addEventListener("click", () => download(this.key + ".csv", this.csv()));
      new ResizeObserver(() => this.refit()).observe(this.plot);
    }

    set(control, position) {
      this.state[control.name] = position;
      control.input.value = position;
      if (control.output) {
        control.output.textContent = control.values[position];
        control.input.setAttribute("aria-valuetext", control.values[position]);
      }
      this.moved.add(control.name);
      if (!this.busy) {
        this.busy = true;
        requestAnimationFrame(() => this.follow());
      }
    }

    /* Bring the drawing to the present state: one update for all that moved while the last was drawn. */
    async follow() {
      try {
        while (this.moved.size) {
          const moved = this.moved, shown = JSON.stringify(this.state);
          this.moved = new Set();
          await this.update(this.spec.bindings.filter((b) => b.over.some((name) => moved.has(name))));
          this.box.dataset.state = shown;
        }
      } catch (error) {
        this.stop();
        this.fail(error);
      }
      this.busy = false;
    }

    async update(bindings) {
      const traces = [...new Set(bindings.filter((b) => b.trace !== null).map((b) => b.trace))];
      const styles = {}, layout = {};
      for (const binding of bindings) {
        let value = this.value(binding);
        if (binding.trace === null) {
          if (this.narrow && binding.attr === "title.text") value = rnnkit.wrapped(value, this.plot.clientWidth);
          layout[binding.attr] = value;
        } else {
          // One entry per trace; undefined leaves a trace as it is.
          styles[binding.attr] = styles[binding.attr] || new Array(traces.length).fill(undefined);
          styles[binding.attr][traces.indexOf(binding.trace)] = value;
        }
      }
      if (traces.length) await window.Plotly.update(this.plot, styles, layout, traces);
      else if (Object.keys(layout).length) await window.Plotly.relayout(this.plot, layout);
    }

    run(control) {
      this.stop();
      this.playing = control;
      control.play.dataset.playing = "true";
      control.play.setAttribute("aria-label", "Pause " + control.label);
      const last = control.values.length - 1;
      if (this.state[control.name] === last) this.set(control, 0);
      const next = () => {
        if (this.playing !== control) return;
        if (!this.busy) this.set(control, this.state[control.name] + 1);
        if (this.state[control.name] >= last) this.stop();
        else this.timer = setTimeout(next, PLAY_MS);
      };
      this.timer = setTimeout(next, PLAY_MS);
    }

    stop() {
      if (!this.playing) return;
      clearTimeout(this.timer);
      delete this.playing.play.dataset.playing;
      this.playing.play.setAttribute("aria-label", "Play " + this.playing.label);
      this.playing = null;
    }

    refit() {
      const narrow = this.plot.clientWidth < NARROW;
      if (this.plot.clientWidth > 0 && narrow !== this.narrow) this.draw().catch((error) => this.fail(error));
    }

    /* The table behind the figure, or, where it has none, the points as drawn. */
    csv() {
      if (this.spec.table) {
        const { names, columns } = this.spec.table;
        return rows([names, ...columns[0].map((_, i) => columns.map((column) => column[i]))]);
      }
      const lines = [["trace", "x", "y", "z"]];
      this.plot._fullData.forEach((trace, index) => {
        const name = trace.name || "trace " + index;
        if (trace.z && Array.isArray(trace.z) && trace.z[0] && trace.z[0].length !== undefined) {
          trace.z.forEach((line, j) => Array.from(line).forEach((z, i) => lines.push([name, i, j, z])));
          return;
        }
        const columns = [trace.x, trace.y, trace.z], length = Math.max(...columns.map((c) => (c ? c.length : 0)));
        for (let i = 0; i < length; i++) lines.push([name, ...columns.map((c) => (c ? c[i] : ""))]);
      });
      return rows(lines);
    }
  }

  function rows(lines) {
    const cell = (value) => {
      const text = value === null || value === undefined ? "" : String(value);
      return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
    };
    return lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
  }

  function download(name, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /* Calls start once the reader is near an element, or prints the page. */
  function near(element, start) {
    window.addEventListener("beforeprint", start);
    if (!("IntersectionObserver" in window)) return start();
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      start();
    }, { rootMargin: "400px 0px" }).observe(element);
  }

  /* Calls follow after each change between the light and the dark page. */
  function onTheme(follow) {
    let dark = isDark();
    new MutationObserver(() => {
      if (dark === isDark()) return;
      dark = isDark();
      follow();
    }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  }

  function onReady(begin) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
    else begin();
  }

  Object.assign(rnnkit, { figures, load, near, onTheme, onReady, isCalm, rows, download });
  onReady(() => {
    const boxes = [...document.querySelectorAll(".rnn-fig[data-fig]")].map((box) => new Figure(box));
    boxes.forEach((figure) => near(figure.box, () => figure.start()));
    onTheme(() => {
      boxes.filter((f) => f.box.dataset.drawn).forEach((f) => f.draw().catch((error) => f.fail(error)));
    });
  });
})();
