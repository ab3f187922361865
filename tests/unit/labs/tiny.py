"""A lab of one page: an answer that a person marks, a guess, two functions; quick to run, with hidden tests."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

STEP = """
import numpy as np


def step(state, value):
    ### BEGIN SOLUTION
    return np.tanh(0.5 * state + value)
    ### END SOLUTION
"""
STEP_TESTS = """
assert step(0.0, 0.0) == 0.0, "a state of nothing and no input stay nothing"
### BEGIN HIDDEN TESTS
secret_walk = 0.25
np.testing.assert_allclose(step(secret_walk, 1.0), np.tanh(1.125), err_msg="the state counts half")
### END HIDDEN TESTS
"""
RUN = """
def run(values):
    ### BEGIN SOLUTION
    states, state = [], 0.0
    for value in values:
        state = step(state, value)
        states.append(state)
    return states
    ### END SOLUTION
"""
RUN_TESTS = """
assert len(run([1.0, 2.0])) == 2, f"one state per value, not {len(run([1.0, 2.0]))}"
### BEGIN HIDDEN TESTS
secret_values = [0.3, -0.2, 0.9]
assert run(secret_values)[0] == step(0.0, 0.3), "the first state comes after the first value"
### END HIDDEN TESTS
"""
WRONG = """
- name: whole state
  why: The state counts whole.
  cells:
    step: |
      import numpy as np

      def step(state, value):
          return np.tanh(state + value)
  marks: {step-tests: 0}
- name: one step late
  why: The state before the step is kept, not the one after it.
  cells:
    run: |
      def run(values):
          states, state = [], 0.0
          for value in values:
              states.append(state)
              state = step(state, value)
          return states
  marks: {run-tests: 0}
"""


def metadata(
    grade_id: str, *, points: float | None = None, solution: bool = False, locked: bool = True
) -> dict:
    own = {"schema_version": 3, "grade_id": grade_id, "grade": points is not None, "solution": solution}
    own |= {"locked": locked and not solution, "task": False}
    return {"nbgrader": own | ({} if points is None else {"points": points})}


def make_tiny(folder: Path) -> Path:
    """Write ``folder/tiny`` and return it."""
    cells = [
        new_markdown_cell("# A tiny lab\n\n10 points in all.", metadata=metadata("intro"), id="intro"),
        new_code_cell(STEP.strip(), metadata=metadata("step", solution=True), id="step"),
        new_code_cell(STEP_TESTS.strip(), metadata=metadata("step-tests", points=4), id="step-tests"),
        new_code_cell(RUN.strip(), metadata=metadata("run", solution=True), id="run"),
        new_code_cell(RUN_TESTS.strip(), metadata=metadata("run-tests", points=4), id="run-tests"),
        new_markdown_cell(
            "### BEGIN SOLUTION\nBecause tanh keeps it between minus one and one.\n### END SOLUTION",
            metadata=metadata("why", points=2, solution=True),
            id="why",
        ),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    lab = folder / "tiny"
    lab.mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), lab / "tiny.ipynb")
    (lab / "wrong.yml").write_text(WRONG, encoding="utf-8")
    return lab
