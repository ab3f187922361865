"""Recurrent networks: one step and the whole sequence of each, proven equal."""
