"""Whole recurrences of a wide network in compiled code: states stay in cache, gates are taken where their sums are made.

Unlike the populations beside it, this room lays lanes along the hidden units of one network. Rows are samples.
"""
