// The scoreboard's filters: hide the rows that do not fit, and say how many are left.
"use strict";

function setUpScoreboard(board) {
  const form = board.querySelector(".rnn-filter");
  const shown = form.querySelector(".rnn-shown");
  const selects = [...form.querySelectorAll("select")];
  const rows = [...board.querySelectorAll("tbody tr")];

  function apply() {
    for (const row of rows) {
      row.hidden = selects.some((one) => one.value !== "" && row.dataset[one.dataset.filter] !== one.value);
    }
    const left = rows.filter((row) => !row.hidden).length;
    shown.textContent = `${left} of ${rows.length} claims`;
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", apply);
  form.hidden = false;
  apply();
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".rnn-scoreboard").forEach(setUpScoreboard);
});
