"""Models, datasets and probes for looking inside recurrent neural networks."""

__version__ = "0.1.0"
