"""Records on disk, their provenance, and the ledger of claims."""
