/* A square plane of states: its halves on either side of a line, and a path of numbered steps through it. */
(function () {
  "use strict";

  const rnnkit = (window.rnnkit = window.rnnkit || {});
  const { dot } = rnnkit.cells;
  const NEAR = [0.13, 0.1]; // two numbers closer than this would cover each other

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

  /* Fill in both sides of a line and their names: three traces, the names those of the first two. */
  function sides([above, below, titles], { normal, offset, limit, nameLimits }) {
    const halves = [halfPlane(normal, offset, limit), halfPlane(normal.map((w) => -w), -offset, limit)];
    [above, below].forEach((trace, i) => place(trace, halves[i].length ? [...halves[i], halves[i][0]] : []));
    const named = [above, below].map(({ name }, i) => ({ name, at: middle(halves[i]) }))
      .filter(({ at }) => at.every((c, i) => Math.abs(c) < nameLimits[i]));
    place(titles, named.map(({ at }) => at));
    titles.text = named.map(({ name }) => name);
  }

  function place(trace, points) {
    trace.x = points.map((point) => point[0]);
    trace.y = points.map((point) => point[1]);
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

  rnnkit.plane = { halfPlane, middle, sides, place, marked, beside };
})();
