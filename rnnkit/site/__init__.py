"""From executed notebooks to a static site that needs no network."""

from rnnkit.site.build import build_site
from rnnkit.site.stage import stage_book, stage_notebook

__all__ = ["build_site", "stage_book", "stage_notebook"]
