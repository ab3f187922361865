"""From executed notebooks to a static site that needs no network."""
