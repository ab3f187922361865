"""Records on disk, their provenance, and the ledger of claims."""

from rnnkit.results.keys import RecordKey
from rnnkit.results.lock import run_lock
from rnnkit.results.provenance import peak_memory_bytes, provenance
from rnnkit.results.records import DamagedRecord, Record
from rnnkit.results.store import RecordInfo, Store

__all__ = [
    "DamagedRecord",
    "Record",
    "RecordInfo",
    "RecordKey",
    "Store",
    "peak_memory_bytes",
    "provenance",
    "run_lock",
]
