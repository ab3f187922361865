"""Study 003: how easily small nets learn, what they could learn, and how training moves them (Mehta)."""

from rnnkit.studies.trainability.study import Trainability

__all__ = ["Trainability"]
