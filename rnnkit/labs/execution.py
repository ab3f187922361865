"""nbgrader's Execute for somebody else's code: within limits, and with tests that are looked after.

Student code and tests share a kernel, so a submission can reach everything that a test relies on. What is done:

- a test leaves no trace in the history of inputs;
- before the first cell and after every test a probe asks for wrong comparisons (``tampering``): if one passes, or
  IPython's own machinery was exchanged, no test of this submission counts;
- the outcome of a test is the kernel's reply, not what was printed: a warning costs nothing, and a value that
  student code shows while it is tested earns nothing;
- a kernel that dies, prints without end or overruns its time fails the rest of the cells, and no more than those.

Who is determined can still get past this; the page on teaching says so.
"""

from __future__ import annotations

import ast
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnkit.labs.feedback import OUTCOME_KEY
from rnnkit.labs.kernel import environment, manager_class
from rnnkit.labs.limits import Limits
from rnnkit.labs.sources import is_test
from rnnkit.labs.tampering import answer, probe
from rnnkit.labs.watch import Watch

TAMPERED, NOT_RUN = "Tampered", "NotRun"  # names of errors that stand in a test's output


class Guard:
    """What is known of one submission while it runs.

    Parameters
    ----------
    limits : Limits
    folder : Path
        Where the kernel works: its home, its temporary files, its sockets.
    order : mapping
        For :mod:`rnnkit.labs.jail`.

    Attributes
    ----------
    stopped : str
        Why the kernel was stopped or died, in sentences; empty if it was not.
    tampered : list of str
        What was found to answer wrongly.
    peak_bytes : int
        The most memory that was seen.
    """

    def __init__(self, limits: Limits, folder: Path, order: Mapping[str, Any]) -> None:
        self.limits, self.folder, self.order = limits, folder, order
        self.stopped, self.tampered = "", list[str]()
        self._watch: Watch | None = None
        self._machinery: list[Any] | None = None
        self._printed = 0

    @property
    def peak_bytes(self) -> int:
        """The most memory that was seen."""
        return self._watch.peak_bytes if self._watch else 0

    @property
    def is_new(self) -> bool:
        """Whether the kernel has not yet been asked anything."""
        return self._machinery is None and not self.stopped and not self.tampered

    def begin(self, pid: int) -> None:
        """Watch over the kernel with this process."""
        self._watch = Watch(pid, self.limits)
        self._watch.start()

    def end(self) -> None:
        """Leave no process behind."""
        if self._watch:
            self._watch.end()

    def stop(self, why: str, where: str = "") -> None:
        """Note why there is no kernel any more, and see to it that there is none."""
        if self._watch:
            self._watch.kill(why)
            why = self._watch.reason
        if not self.stopped:
            self.stopped = why + (
                f" This happened in {where}; what comes after it was not run." if where else ""
            )

    def may_print(self, content: Any) -> bool:
        """Whether what the kernel sends may still be kept; if it is too much, the kernel is stopped."""
        self._printed += len(json.dumps(content, default=str))
        if self._printed > self.limits.output_bytes and self._watch:
            self._watch.kill(f"It printed more than {self.limits.output_mb:g} MB.")
        return self._printed <= self.limits.output_bytes

    def judge(self, reply: Mapping[str, Any], nonce: str) -> None:
        """Hold the kernel's answer to a probe against its first one, which no student code had a hand in."""
        answered = answer(reply, nonce)
        wrong, machinery = answered or (["the kernel's answers"], [])
        if self._machinery is None:
            self._machinery = machinery
        elif answered and machinery != self._machinery:
            wrong = [*wrong, "IPython itself"]
        self.tampered = self.tampered or wrong


def guarded_execute(guard: Guard) -> Any:
    """nbgrader's preprocessor that runs a notebook, looked after by a guard."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from nbgrader.preprocessors import Execute

    class GuardedExecute(Execute):
        def start_new_kernel(self, **kwargs: Any) -> None:
            own = {"cwd": str(guard.folder), "env": environment(guard.folder)}
            super().start_new_kernel(**{**kwargs, **own})
            guard.begin(self.km.provisioner.process.pid)

        def preprocess(self, nb: Any, resources: Any = None, km: Any = None) -> Any:
            try:
                return super().preprocess(nb, resources, km)
            except (DeadKernelError, RuntimeError, OSError) as error:
                if guard.is_new:  # it did not even come up; else it went while it was told to end
                    guard.stop(f"The kernel could not be started ({error}).")
                    _fail_tests(nb, guard.stopped)
                return nb, resources
            finally:
                guard.end()

        def preprocess_cell(self, cell: Any, resources: Any, index: int) -> Any:
            if cell.cell_type != "code":
                return cell, resources
            try:
                if guard.is_new:
                    self._probe()
                if not guard.stopped:
                    self.execute_cell(cell, index, store_history=not is_test(cell))
                    if is_test(cell):
                        self._probe()
            except DeadKernelError:
                guard.stop("Python itself ended (exit, or a crash).", f"cell {index + 1}")
            except CellTimeoutError:
                seconds = guard.limits.cell_seconds
                guard.stop(
                    f"It took more than {seconds} s, and did not stop when asked to.", f"cell {index + 1}"
                )
            except Exception as error:  # nbclient stumbles where a kernel sends what no kernel should
                guard.stop(
                    f"It could not be understood any more ({type(error).__name__}).", f"cell {index + 1}"
                )
            if guard.stopped:
                decide(cell, NOT_RUN, guard.stopped)
            elif is_test(cell) and guard.tampered:
                decide(cell, TAMPERED, f"The tests are no longer reliable: {', '.join(guard.tampered)}.")
            return cell, resources

        def on_cell_executed(self, **kwargs: Any) -> None:
            super().on_cell_executed(**kwargs)
            if is_test(kwargs["cell"]):
                _keep_the_outcome(kwargs["cell"], kwargs["execute_reply"]["content"])

        def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
            if guard.may_print(msg.get("content")):
                return super().output(outs, msg, display_id, cell_index)
            return None

        def handle_comm_msg(self, outs: Any, msg: Any, cell_index: int) -> None:
            """Widgets have nobody to speak to here; what one would catch is an output like any other."""

        def _probe(self) -> None:
            nonce = secrets.token_hex(8)
            sent = self.kc.execute(probe(nonce), store_history=False, stop_on_error=False)
            reply = self.wait_for_reply(sent)
            guard.judge(reply["content"] if reply else {}, nonce)

    execute = GuardedExecute(kernel_manager_class=manager_class(guard.folder, guard.order))
    execute.timeout, execute.iopub_timeout, execute.startup_timeout = guard.limits.cell_seconds, 10, 120
    execute.skip_cells_with_tag = ""
    execute.shutdown_kernel = "immediate"
    return execute


def error_output(ename: str, evalue: str) -> Any:
    """An error as a cell's output."""
    from nbformat.v4 import new_output

    return new_output("error", ename=ename, evalue=evalue, traceback=[f"{ename}: {evalue}"])


def decide(cell: Any, ename: str, why: str) -> None:
    """Let a cell have failed for a reason of the grader's; its metadata say so, which no student code can write."""
    cell.outputs = [error_output(ename, why)]
    cell.metadata[OUTCOME_KEY] = why


def _fail_tests(notebook: Any, why: str) -> None:
    for cell in notebook.cells:
        if is_test(cell) and cell.cell_type == "code":
            decide(cell, NOT_RUN, why)


def _keep_the_outcome(cell: Any, reply: Mapping[str, Any]) -> None:
    """Let the outputs of a test say what the kernel replied, and nothing else."""
    if reply["status"] == "error":
        errors = [output for output in cell.outputs if output.output_type == "error"]
        cell.outputs = errors[-1:] or [error_output(reply.get("ename", ""), reply.get("evalue", ""))]
    else:
        results = [output for output in cell.outputs if output.output_type == "execute_result"][-1:]
        cell.outputs = [output for output in results if _is_partial_credit(output, cell)]


def _is_partial_credit(output: Any, cell: Any) -> bool:
    """Whether the tests themselves end in a value, and it is a number of points."""
    try:
        body = ast.parse(cell.source).body
        points = float(output.data["text/plain"])
    except (SyntaxError, ValueError, KeyError, TypeError):
        return False
    return isinstance(body[-1], ast.Expr) and 0 <= points <= float(cell.metadata["nbgrader"]["points"])
