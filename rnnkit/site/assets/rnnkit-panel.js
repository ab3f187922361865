/* What a sentence player shows of its walks: a panel per net, and a table of the steps. */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const { border, halfPlane, middle, chance, ANSWERS } = rnnkit.sentences;
  const AROUND = 20, EDGE = 5, LONG = 60; // rows of a long table: around the present step, at the start and at the end
  const NEAR = [0.13, 0.1]; // two numbers closer than this would cover each other

  const copy = (value) => JSON.parse(JSON.stringify(value));

  function element(name, attributes, ...children) {
    const node = Object.assign(document.createElement(name), attributes);
    node.append(...children);
    return node;
  }

  /* Draw one net's plane: sides of its readout, and for each sentence the path up to a step. */
  async function drawPanel(plane, { panel, names }, parameters, sentences, step) {
    const data = copy(panel.traces), layout = copy(panel.layout);
    const { normal, offset } = border(parameters), limit = layout.xaxis.range[1];
    const sides = [halfPlane(normal, offset, limit), halfPlane(normal.map((w) => -w), -offset, limit)];
    sides.forEach((corners, i) => place(data[i], corners.length ? [...corners, corners[0]] : []));
    const named = [...ANSWERS].reverse().map((name, i) => ({ name, at: middle(sides[i]) }))
      .filter(({ at }) => at.every((c, i) => Math.abs(c) < panel.nameLimits[i]));
    place(data[2], named.map(({ at }) => at));
    data[2].text = named.map(({ name }) => name);
    sentences.forEach((sentence, i) => path(data.slice(4 + 3 * i, 7 + 3 * i), sentence, step, names));
    layout.template = rnnkit.themed(layout.template);
    layout.width = layout.height = plane.clientWidth;
    await window.Plotly.react(plane, data, layout, { displayModeBar: false, scrollZoom: false });
    plane.querySelectorAll("svg").forEach((node) => node.setAttribute("aria-hidden", "true"));
  }

  function place(trace, points) {
    trace.x = points.map((point) => point[0]);
    trace.y = points.map((point) => point[1]);
  }

  /* One sentence's line, steps and present state; nothing for an empty one. */
  function path([line, steps, now], { words, walk, name }, step, names) {
    if (!words.length) return;
    const t = Math.min(step, words.length), states = walk.states.slice(0, t + 1), shown = marked(states);
    place(line, states);
    place(steps, shown.map((mark) => states[mark.step]));
    steps.text = shown.map((mark) => mark.text);
    steps.textposition = shown.map((mark) => beside(states, mark.step));
    steps.customdata = shown.map(({ step: k }) => "after word " + k + ": " + names[words[k - 1]]);
    place(now, [states[t]]);
    now.text = ["<b>" + (name || t) + "</b>"];
    now.textposition = name ? apart(states[t], name) : beside(states, t);
  }

  /* Steps to mark, none where the path has been before; numbered, unless another number or the present is near. */
  function marked(states) {
    const places = new Set(), numbered = [states[states.length - 1]], marks = [];
    states.forEach((state, step) => {
      const where = state.map((value) => Math.round(value * 200)).join();
      if (step === 0 || places.has(where)) return;
      places.add(where);
      const crowded = numbered.some((other) => NEAR.every((d, i) => Math.abs(other[i] - state[i]) < d));
      if (!crowded) numbered.push(state);
      marks.push({ step, text: crowded ? "" : String(step) });
    });
    return marks;
  }

  /* Where a step's number stands: off the line, and inside the panel. */
  function beside(states, step) {
    const [x, y] = states[step], before = states[Math.max(step - 1, 0)];
    if (Math.abs(y - before[1]) > Math.abs(x - before[0])) return x < 0.75 ? "middle right" : "middle left";
    return y < 0.85 ? "top center" : "bottom center";
  }

  /* Where the names of two sentences stand, even when both are in one place. */
  function apart([x, y], name) {
    if (name === "A") return x > -0.8 ? "middle left" : "middle right";
    return y > -0.8 ? "bottom center" : "top center";
  }

  /* The steps of one sentence as a table that scrolls; of a long one the start, the end and what is near the step. */
  function stepTable(sentence, { name, labels, names, step }) {
    const T = sentence.words.length, now = Math.min(step, T), body = element("tbody", {});
    let before = -1;
    for (let t = 0; t <= T; t++) {
      if (T > LONG && t > EDGE && t < T - EDGE && Math.abs(t - now) > AROUND) continue;
      if (t > before + 1) body.append(gap(t - before - 1, labels.length + 3));
      body.append(line(sentence, t, t === now, labels, t ? names[sentence.words[t - 1]] : "start"));
      before = t;
    }
    const heads = ["", "word", ...labels, "right answer"].map((textContent) => element("th", { scope: "col", textContent }));
    heads[0].append(element("span", { className: "rnn-unseen", textContent: "words read" }));
    const sheet = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
    const region = element("div", { className: "rnn-table", tabIndex: 0 }, sheet);
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", name + " step by step");
    requestAnimationFrame(() => {
      const row = region.querySelector("[aria-current]");
      region.scrollTop = row.offsetTop - region.clientHeight / 2;
    });
    const title = element("p", { textContent: name + ": probability of “positive”" });
    return element("div", {}, title, region);
  }

  function gap(count, width) {
    const text = "… " + count + (count === 1 ? " word …" : " words …");
    return element("tr", {}, element("td", { colSpan: width, className: "rnn-gap", textContent: text }));
  }

  function line(sentence, t, isNow, labels, word) {
    const right = sentence.answers[t];
    const cells = labels.map((label) => {
      const { margins, positive } = sentence.walks[label], cell = element("td", { textContent: chance(positive[t]) + " " });
      if (right < 0) return cell;
      const good = (margins[t] > 0) === (right === 1);
      const sign = element("span", { className: good ? "rnn-good" : "rnn-bad", textContent: good ? "✓" : "✗" });
      sign.setAttribute("aria-hidden", "true");
      cell.append(sign, element("span", { className: "rnn-unseen", textContent: good ? "right" : "wrong" }));
      return cell;
    });
    const row = element("tr", {}, element("th", { scope: "row", textContent: t }), element("td", { textContent: word }),
      ...cells, element("td", { textContent: right < 0 ? "–" : ANSWERS[right] }));
    if (isNow) row.setAttribute("aria-current", "step");
    return row;
  }

  Object.assign(rnnkit, { element, drawPanel, stepTable });
})();
