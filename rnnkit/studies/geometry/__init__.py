"""The geometry of hidden states (Horoi, Lajoie & Wolf)."""

from rnnkit.studies.geometry.study import Geometry

__all__ = ["Geometry"]
