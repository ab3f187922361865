"""Study 001: rows of digits, recall and binary addition (Anirudh R, EE6132 lab report)."""

from rnnkit.studies.lab.study import Lab

__all__ = ["Lab"]
