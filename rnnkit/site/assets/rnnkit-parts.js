/* Small parts that the players are made of: elements, signs, tables that scroll, panels drawn by plotly. */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});

  const copy = (value) => JSON.parse(JSON.stringify(value));
  const plural = (count, word) => count + " " + word + (count === 1 ? "" : "s");

  function element(name, attributes, ...children) {
    const node = Object.assign(document.createElement(name), attributes);
    node.append(...children);
    return node;
  }

  /* A probability in two digits, which never claims to be certain. */
  function chance(value) {
    return value > 0.995 && value < 1 ? ">\u00a00.99" : value < 0.005 && value > 0 ? "<\u00a00.01" : value.toFixed(2);
  }

  /* What only a screen reader is told. */
  const unseen = (textContent) => element("span", { className: "rnn-unseen", textContent });

  /* A tick or a cross, with its word for who does not see it. */
  function verdict(good) {
    const sign = element("span", { className: good ? "rnn-good" : "rnn-bad", textContent: good ? "✓" : "✗" });
    sign.setAttribute("aria-hidden", "true");
    return [sign, unseen(good ? "right" : "wrong")];
  }

  /* A table row: its head, its cells (texts or lists of nodes), and whether it is the present step. */
  function row(head, cells, isNow) {
    const line = element("tr", {}, element("th", { scope: "row", textContent: head }),
      ...cells.map((cell) => element("td", {}, ...[cell].flat())));
    if (isNow) line.setAttribute("aria-current", "step");
    return line;
  }

  /* The head of a table: column titles, the first only for a screen reader. */
  function heads(first, ...titles) {
    const corner = element("th", { scope: "col" }, unseen(first));
    return element("thead", {}, element("tr", {}, corner, ...titles.map((textContent) => element("th", { scope: "col", textContent }))));
  }

  /* A table in a region that scrolls to the present step's row. */
  function scrolled(sheet, label) {
    const region = element("div", { className: "rnn-table", tabIndex: 0 }, sheet);
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", label);
    requestAnimationFrame(() => {
      const now = region.querySelector("[aria-current]");
      if (now) region.scrollTop = now.offsetTop - region.clientHeight / 2;
    });
    return region;
  }

  /* Draw a panel: its traces and layout as Python made them, filled in, in the page's theme, as wide as its box. */
  async function drawn(plane, panel, fill) {
    const data = copy(panel.traces), layout = copy(panel.layout);
    layout.width = plane.clientWidth;
    layout.template = rnnkit.themed(layout.template);
    fill(data, layout);
    await window.Plotly.react(plane, data, layout, { displayModeBar: false, scrollZoom: false });
    plane.querySelectorAll("svg").forEach((node) => node.setAttribute("aria-hidden", "true"));
  }

  Object.assign(rnnkit, { plural, element, chance, unseen, verdict, row, heads, scrolled, drawn });
})();
