"""``python -m benchmarks [NAME] [--json]``: time rnnkit against what one would pick instead.

``python -m benchmarks psmnist --batch 1000 --seq-len 784`` times a training step of the paper's size.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from types import ModuleType
from typing import Any

from benchmarks import lab, population, psmnist, psmnist_cuda, timing, training_step, truncation

BENCHMARKS: dict[str, ModuleType] = {
    "training_step": training_step,
    "truncation": truncation,
    "population": population,
    "lab": lab,
    "psmnist": psmnist,
    "psmnist_cuda": psmnist_cuda,
}
SIZES = ("batch", "seq_len", "models")  # of `psmnist.Work` that the command line sets


def positive(text: str) -> int:
    """An argument that must be an integer of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer of at least 1")
    return int(text)


def models(text: str) -> tuple[str, ...]:
    """An argument that must be names of the study's models, with commas between them."""
    names = tuple(text.split(","))
    if unknown := [name for name in names if name not in psmnist.Work.models]:
        allowed = ", ".join(psmnist.Work.models)
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no model; models: {allowed}")
    return names


def parser() -> argparse.ArgumentParser:
    """The command line."""
    title = (__doc__ or "").splitlines()[0]
    result = argparse.ArgumentParser(prog="python -m benchmarks", description=title)
    result.add_argument("name", nargs="?", choices=[*BENCHMARKS, "all"], default="all", help="default: all")
    result.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    result.add_argument(
        "--repeats", type=positive, help="rounds of each race; each benchmark has its own default"
    )
    size = result.add_argument_group(
        "training steps, of psmnist and psmnist_cuda; the paper's size: 1000 and 784"
    )
    size.add_argument("--batch", type=positive, help=f"sequences in a batch (default: {psmnist.Work.batch})")
    size.add_argument("--seq-len", type=positive, help=f"steps of each (default: {psmnist.Work.seq_len})")
    size.add_argument("--models", type=models, metavar="MODEL,..", help="those to time (default: all six)")
    return result


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """What is passed on to each benchmark that runs."""
    sizes = {key: value for key in SIZES if (value := getattr(options, key)) is not None}
    passed: dict[str, Any] = {} if options.repeats is None else {"repeats": options.repeats}
    of_name = psmnist_cuda if options.name == "psmnist_cuda" else psmnist
    return passed | ({"work": of_name.Work(**sizes)} if sizes else {})


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for and print it."""
    command_line = parser()
    options = command_line.parse_args(arguments)
    asked = settings(options)
    if "work" in asked and options.name not in ("psmnist", "psmnist_cuda"):
        command_line.error(
            f"--batch, --seq-len and --models are of psmnist and psmnist_cuda, not of {options.name}: "
            "python -m benchmarks psmnist --batch 1000 --seq-len 784"
        )
    names = list(BENCHMARKS) if options.name == "all" else [options.name]
    counts = tuple(count for count in (1, 2) if count <= (os.cpu_count() or 1))
    about = timing.machine()
    results = {}
    for name in names:
        print(f"{name} ...", file=sys.stderr)
        results[name] = BENCHMARKS[name].run(num_threads=counts, **asked)
    measured = any(results.values())
    if options.json:
        print(json.dumps({"machine": about, "benchmarks": results}, indent=2))
        return 0 if measured else 1
    if not measured:
        print(*(BENCHMARKS[name].report(results[name]) for name in names), sep="\n", file=sys.stderr)
        return 1
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    if (about["load"] or 0) > 0.5:
        print(
            "Other work was running at the start: ratios still compare, seconds are longer than they need be."
        )
    for name in names:
        print(f"\n{name}\n{BENCHMARKS[name].report(results[name])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
