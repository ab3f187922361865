"""Side-by-side timings of rnnkit against what one would pick instead: ``python -m benchmarks``."""
