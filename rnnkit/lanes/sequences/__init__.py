"""Whole recurrences of a wide network in compiled code: states stay in cache, sums meet gates where they arise.

Unlike the populations beside it, this room lays lanes along the hidden units of one network. Rows are samples.
"""
