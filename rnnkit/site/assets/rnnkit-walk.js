/* What a reader may type for a sentence, and how a small recurrent net reads it, as in rnnkit/figures/player. */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const { dot, logistic, image, read } = rnnkit.cells;

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

  /* A sentence read with one net: {states: (T + 1) lists, margins: (T + 1), positive: (T + 1)}. */
  function walk(cell, p, words) {
    const size = p.weight_hh[0].length, images = p.embedding.map((vector) => image(p, vector));
    const states = read(cell, p, words.map((word) => images[word])).map((state) => state.slice(0, size));
    const { normal, offset } = border(p);
    const margins = states.map((state) => dot(normal, state) + offset);
    return { states, margins, positive: margins.map(logistic) };
  }

  function border(p) {
    return { normal: p.weight_out[1].map((w, i) => w - p.weight_out[0][i]), offset: p.bias_out[1] - p.bias_out[0] };
  }

  const ANSWERS = ["negative", "positive"];
  const says = (margin) => ANSWERS[margin > 0 ? 1 : 0];

  rnnkit.sentences = { runs, reading, typed, merged, answers, walk, border, says, ANSWERS };
})();
