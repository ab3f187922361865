"""``python -m benchmarks [NAME] [--json]``: time rnnkit against what one would pick instead."""

from __future__ import annotations

import argparse
import json
import os
import sys
from types import ModuleType

from benchmarks import lab, population, psmnist, psmnist_cuda, timing, training_step, truncation

BENCHMARKS: dict[str, ModuleType] = {
    "training_step": training_step,
    "truncation": truncation,
    "population": population,
    "lab": lab,
    "psmnist": psmnist,
    "psmnist_cuda": psmnist_cuda,
}


def positive(text: str) -> int:
    """An argument that must be an integer of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer of at least 1")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    result.add_argument("name", nargs="?", choices=[*BENCHMARKS, "all"], default="all", help="default: all")
    result.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    result.add_argument(
        "--repeats", type=positive, help="rounds of each race; each benchmark has its own default"
    )
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for and print it."""
    options = parser().parse_args(arguments)
    names = list(BENCHMARKS) if options.name == "all" else [options.name]
    settings = {} if options.repeats is None else {"repeats": options.repeats}
    counts = tuple(count for count in (1, 2) if count <= (os.cpu_count() or 1))
    about = timing.machine()
    results = {}
    for name in names:
        print(f"{name} ...", file=sys.stderr)
        results[name] = BENCHMARKS[name].run(num_threads=counts, **settings)
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
