/* What a figure takes from its page: the theme's colours, and an arrangement that fits the width. */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});

  const copy = (value) => JSON.parse(JSON.stringify(value));

  /* Ink, line and grid of the page's present theme, set in rnnkit.css, put into the figure's template. */
  function themed(template) {
    const style = getComputedStyle(document.documentElement);
    const [ink, line, grid] = ["ink", "line", "grid"].map((name) => style.getPropertyValue("--rnn-" + name).trim());
    const result = copy(template || {}), layout = (result.layout = result.layout || {});
    const colors = { gridcolor: grid, zerolinecolor: grid, linecolor: line, tickcolor: line };
    layout.font = Object.assign({}, layout.font, { color: ink });
    for (const name of ["xaxis", "yaxis"]) layout[name] = Object.assign({}, layout[name], colors);
    layout.scene = layout.scene || {};
    for (const name of ["xaxis", "yaxis", "zaxis"]) {
      layout.scene[name] = Object.assign({}, layout.scene[name], colors);
    }
    return result;
  }

  /* SVG text does not wrap: break a title between words. */
  function wrapped(text, width) {
    const limit = Math.max(20, Math.floor(width / 8));
    return text.split("<br>").map((whole) => {
      const lines = [""];
      for (const word of whole.split(" ")) {
        const line = lines[lines.length - 1];
        if (line && line.length + 1 + word.length > limit) lines.push(word);
        else lines[lines.length - 1] = line ? line + " " + word : word;
      }
      return lines.join("<br>");
    }).join("<br>");
  }

  /* No room is kept for a title that is not there, nor for flat axes around a scene. */
  function snug(layout) {
    const room = layout.title && layout.title.text ? {} : { t: 16 };
    if (layout.scene) Object.assign(room, { l: 0, r: 0, b: 16 });
    layout.margin = Object.assign(room, layout.margin);
  }

  /* On a phone: legend and colour bars under the plot, the title over several lines. */
  function narrowed(data, layout, width) {
    const plot = Math.max(200, layout.height - 140);
    const has = { title: layout.title && layout.title.text, legend: layout.showlegend !== false };
    if (has.title) {
      layout.title.text = wrapped(layout.title.text, width);
      Object.assign(layout.title, { x: 0.02, xref: "container", font: Object.assign({ size: 13 }, layout.title.font) });
      const lines = layout.title.text.split("<br>").length;
      layout.margin = Object.assign({ t: 20 + 20 * lines }, layout.margin);
    }
    let y = -60 / plot;
    const below = { orientation: "h", x: 0.5, xanchor: "center", y: y, yanchor: "top" };
    const bars = data.map((trace) => (trace.marker && trace.marker.colorbar ? trace.marker : trace))
      .concat(layout.coloraxis || [])
      .filter((holder) => holder.colorbar || holder.showscale === true);
    for (const holder of bars) holder.colorbar = Object.assign({}, holder.colorbar, below, { thickness: 10, len: 1 });
    if (bars.length) y -= 70 / plot;
    if (has.legend) layout.legend = Object.assign({}, layout.legend, below, { x: 0, xanchor: "left", y: y });
    layout.font = Object.assign({ size: 11 }, layout.font);
  }

  Object.assign(rnnkit, { themed, snug, narrowed, wrapped });
})();
