"""Many small models side by side in the lanes of a CPU's vector registers, compiled by numba.

The only room that imports numba. Model ``l`` of a tile lives in lane ``l``: every arithmetic instruction does the
same for ``LANES`` models at once, so that a tile costs what one model would and no model can touch another.
"""
