"""A question to a kernel whose right answer is known: does it still tell wrong from right?"""

from __future__ import annotations

import json
from typing import Any

# Sent to the kernel between cells. It leaves no name behind; its answer is the text of an error, which takes
# the same way as the failure of a test.
_PROBE = """
def _():
    import json, math, sys
    shell = get_ipython()
    given, wrong = shell.user_ns, []
    def expect_no(name, check):
        try:
            if check() is not False:
                wrong.append(name)
        except BaseException:
            pass
    def asserted():
        assert False
    expect_no("assert", asserted)
    expect_no("math.isclose", lambda: math.isclose(0.0, 1.0))
    for name, arguments in [("all", ([False],)), ("any", ([False],)), ("isinstance", (0, str))]:
        expect_no(name, lambda: given.get(name, eval(name))(*arguments))
    def places(name, short):
        found = [sys.modules.get(name), given.get(name), given.get(short)]
        return list({id(place): place for place in found if place is not None}.values())
    for np in places("numpy", "np"):
        for name in ["allclose", "array_equal"]:
            expect_no("numpy." + name, lambda: bool(getattr(np, name)([0.0], [1.0])))
        for name in ["allclose", "array_equal", "equal", "array_almost_equal", "almost_equal", "array_less"]:
            expect_no("numpy.testing.assert_" + name, lambda: getattr(np.testing, "assert_" + name)([1.0], [0.0]))
    for torch in places("torch", "torch"):
        zero, one = torch.zeros(1), torch.ones(1)
        for name in ["allclose", "equal"]:
            expect_no("torch." + name, lambda: getattr(torch, name)(zero, one))
        expect_no("torch.testing.assert_close", lambda: torch.testing.assert_close(zero, one))
    watched = ("run_", "showtraceback", "_showtraceback", "transform_", "compile")
    machinery = [len(shell.ast_transformers), len(shell.custom_exceptions), type(shell).__qualname__]
    machinery += sorted(name for name in vars(shell) if name.startswith(watched) and callable(vars(shell)[name]))
    machinery += [getattr(type(shell), name).__module__ for name in ["run_cell", "run_code", "showtraceback"]]
    return json.dumps([wrong, machinery])
raise RuntimeError("NONCE" + _())
"""


def probe(nonce: str) -> str:
    """The code to send; ``nonce`` makes the answer one that cannot be prepared."""
    return _PROBE.replace("NONCE", nonce)


def answer(reply: Any, nonce: str) -> tuple[list[str], list[Any]] | None:
    """What was answered wrongly, and the state of IPython; None if the kernel did not answer as it should.

    Parameters
    ----------
    reply : mapping
        The content of the kernel's reply.
    nonce : str
        The one of the question.
    """
    text = str(reply.get("evalue", ""))
    if reply.get("status") != "error" or not text.startswith(nonce):
        return None
    try:
        wrong, machinery = json.loads(text.removeprefix(nonce))
    except ValueError:
        return None
    return [str(name) for name in wrong], list(machinery)
