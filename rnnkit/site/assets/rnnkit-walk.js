/* What a reader may type for a sentence, and how a small recurrent net reads it, as in rnnkit/figures/player. */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});

  const TOKEN = /[xX×*]\s*([0-9]+)|([.…+\-−–])|([^\s.…+\-−–×*,;:!?]+)/g;
  const SAME = { "−": "-", "–": "-", "…": "." };

  /* A text as runs {word, count, text}; word is -1 and text what was typed where it is not understood. */
  function runs(text, aliases, limit) {
    const number = (digits) => Math.min(Number(digits.slice(0, 6)), limit + 1);
    const known = (name) => Object.prototype.hasOwnProperty.call(aliases, name);
    const found = [];
    for (const [token, times, sign, name] of text.matchAll(TOKEN)) {
      const last = found[found.length - 1];
      if (times !== undefined) {
        if (last && last.word >= 0) last.count = Math.min(last.count * number(times), limit + 1);
        else found.push({ word: -1, count: 0, text: token });
        continue;
      }
      let key = sign ? SAME[sign] || sign : name.toLowerCase(), count = sign === "…" ? 3 : 1;
      const repeated = /^(.+?)x([0-9]+)$/.exec(key);
      if (!known(key) && repeated && known(repeated[1])) [key, count] = [repeated[1], number(repeated[2])];
      found.push(known(key) ? { word: aliases[key], count, text: sign ? key : name } : { word: -1, count: 0, text: token });
    }
    return found;
  }

  /* What was understood: {words, unknown, cut}. */
  function reading(found, limit) {
    const words = [];
    for (const run of found) {
      for (let i = 0; i < run.count && words.length <= limit; i++) words.push(run.word);
    }
    const unknown = [...new Set(found.filter((run) => run.word < 0).map((run) => run.text))];
    return { words: words.slice(0, limit), unknown, cut: words.length > limit };
  }

  /* Runs as a text that reads as the same: each word as it was typed, and x30 where it stands four times or more. */
  function typed(found) {
    return merged(found).map(({ word, count, text }) => {
      const bare = word < 0 ? text : text.replace(/x[0-9]+$/i, "");
      return count > 3 ? bare + " x" + count : new Array(Math.max(count, 1)).fill(bare).join(" ");
    }).join(" ");
  }

  /* One run for each word that stands several times in a row, in the same spelling. */
  function merged(found) {
    const result = [];
    for (const run of found) {
      const last = result[result.length - 1];
      if (run.word >= 0 && run.count === 0) continue;
      if (last && run.word >= 0 && last.word === run.word && last.text === run.text) last.count += run.count;
      else result.push(Object.assign({}, run));
    }
    return result;
  }

  /* Right answers of the Count rule before the first word and after each: 1, 0, or -1 where there is none. */
  function answers(words, kinds) {
    let balance = 0;
    return [-1, ...words.map((word) => {
      balance += kinds[word];
      return balance > 0 ? 1 : balance < 0 ? 0 : -1;
    })];
  }

  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const logistic = (value) => 0.5 * (1 + Math.tanh(0.5 * value));

  /* The equations of torch.nn.RNN and torch.nn.GRU: {states: (T + 1) lists, positive: (T + 1)}. */
  function walk(cell, p, words) {
    const size = p.weight_hh[0].length;
    const images = p.embedding.map((vector) => p.weight_ih.map((row, i) => dot(row, vector) + p.bias_ih[i]));
    const states = [new Array(size).fill(0)];
    for (const word of words) {
      const h = states[states.length - 1], image = images[word];
      const inner = p.weight_hh.map((row, i) => dot(row, h) + p.bias_hh[i]);
      states.push(h.map((old, i) => {
        if (cell === "rnn") return Math.tanh(image[i] + inner[i]);
        const reset = logistic(image[i] + inner[i]), update = logistic(image[size + i] + inner[size + i]);
        const fresh = Math.tanh(image[2 * size + i] + reset * inner[2 * size + i]);
        return (1 - update) * fresh + update * old;
      }));
    }
    const { normal, offset } = border(p);
    const margins = states.map((state) => dot(normal, state) + offset);
    return { states, margins, positive: margins.map(logistic) };
  }

  function border(p) {
    return { normal: p.weight_out[1].map((w, i) => w - p.weight_out[0][i]), offset: p.bias_out[1] - p.bias_out[0] };
  }

  /* Corners of the part of the square [-limit, limit]² where normal · h + offset > 0. */
  function halfPlane(normal, offset, limit) {
    const square = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map((corner) => corner.map((c) => c * limit));
    const corners = [];
    square.forEach((here, i) => {
      const there = square[(i + 1) % 4], inside = dot(normal, here) + offset, next = dot(normal, there) + offset;
      if (inside > 0) corners.push(here);
      if (inside > 0 !== next > 0) corners.push(here.map((c, k) => c + ((there[k] - c) * inside) / (inside - next)));
    });
    return corners;
  }

  /* Centre of area of a polygon; NaN where it is empty. */
  function middle(corners) {
    let x = 0, y = 0, twice = 0;
    corners.forEach((here, i) => {
      const there = corners[(i + 1) % corners.length], cross = here[0] * there[1] - there[0] * here[1];
      x += (here[0] + there[0]) * cross;
      y += (here[1] + there[1]) * cross;
      twice += cross;
    });
    return [x / (3 * twice), y / (3 * twice)];
  }

  const ANSWERS = ["negative", "positive"];
  const says = (margin) => ANSWERS[margin > 0 ? 1 : 0];

  /* A probability in two digits, which never claims to be certain. */
  function chance(value) {
    return value > 0.995 && value < 1 ? ">\u00a00.99" : value < 0.005 && value > 0 ? "<\u00a00.01" : value.toFixed(2);
  }

  rnnkit.sentences = { runs, reading, typed, merged, answers, walk, border, halfPlane, middle, says, chance, ANSWERS };
})();
