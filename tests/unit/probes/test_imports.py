import subprocess
import sys

MODULES = (
    "adder",
    "additions",
    "automaton",
    "by_class",
    "carry",
    "dimension",
    "dynamics",
    "embedding",
    "examples",
    "flipflop",
    "gradients",
    "horizon",
    "ink",
    "lengths",
    "neighbours",
    "order",
    "perturbation",
    "plane",
    "readout",
    "separation",
    "solutions",
    "structure",
    "success",
    "trajectory",
    "updates",
    "walks",
    "weights",
    "window",
    "words",
)


def test_importing_the_probes_loads_no_heavy_library():
    imports = "".join(f"import rnnkit.probes.{name}\n" for name in MODULES)
    heavy = {"torch", "sklearn", "openTSNE", "scipy", "plotly"}
    code = f"{imports}import sys\nprint(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
