"""Study 000: six recurrent architectures on permuted sequential MNIST (Irisarri)."""

from rnnkit.studies.psmnist.study import Psmnist

__all__ = ["Psmnist"]
