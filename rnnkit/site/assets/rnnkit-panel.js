/* What a sentence player shows of its walks: a panel per net, and a table of the steps. */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const { border, ANSWERS } = rnnkit.sentences;
  const { sides, place, marked, beside } = rnnkit.plane;
  const { element, chance, verdict, row, heads } = rnnkit;
  const AROUND = 20, EDGE = 5, LONG = 60; // rows of a long table: around the present step, at the start and at the end

  /* Draw one net's plane: sides of its readout, and for each sentence the path up to a step. */
  function drawPanel(plane, { panel, names }, parameters, sentences, step) {
    return rnnkit.drawn(plane, panel, (data, layout) => {
      sides(data, { ...border(parameters), limit: layout.xaxis.range[1], nameLimits: panel.nameLimits });
      sentences.forEach((sentence, i) => path(data.slice(4 + 3 * i, 7 + 3 * i), sentence, step, names));
      layout.width = layout.height = plane.clientWidth;
    });
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
    const sheet = element("table", {}, heads("words read", "word", ...labels, "right answer"), body);
    const region = rnnkit.scrolled(sheet, name + " step by step");
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
      const { margins, positive } = sentence.walks[label];
      return [chance(positive[t]) + " ", ...(right < 0 ? [] : verdict((margins[t] > 0) === (right === 1)))];
    });
    return row(t, [word, ...cells, right < 0 ? "–" : ANSWERS[right]], isNow);
  }

  Object.assign(rnnkit, { drawPanel, stepTable });
})();
