"""What every grader needs, read once: submissions are graded in processes forked from one that has imported this.

Only graders are forked. Student code runs in a kernel, a program of its own, as before.
"""

from __future__ import annotations

import warnings

from rnnkit.lazily import skip_grammars


def _read() -> None:
    """Import nbgrader, and let what builds tables at its first use build them."""
    import nbformat
    import nbgrader.converters  # noqa: F401
    from nbconvert.filters import Highlight2HTML

    import rnnkit.labs.execution
    import rnnkit.labs.marking  # noqa: F401

    nbformat.validate(nbformat.v4.new_notebook())
    Highlight2HTML(pygments_lexer="ipython3")("1 + 1")


# In the server that graders are forked from: nbgrader's libraries have warnings for its authors, not for teachers.
warnings.simplefilter("ignore")
skip_grammars()
_read()
