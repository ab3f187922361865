"""Records on disk, their provenance, and the ledger of claims."""

from rnnkit.results.claims import Claim, Control, load_claims
from rnnkit.results.compare import Change, changes_text, compare
from rnnkit.results.intervals import Interval, best, median, median_difference, newcombe, student, wilson
from rnnkit.results.judging import VERDICTS
from rnnkit.results.keys import RecordKey
from rnnkit.results.lock import run_lock
from rnnkit.results.provenance import git_revision, peak_memory_bytes, provenance
from rnnkit.results.records import DamagedRecord, Record
from rnnkit.results.store import RecordInfo, Store
from rnnkit.results.units import UNITS
from rnnkit.results.verdicts import ClaimResult, evaluate

__all__ = [
    "UNITS",
    "VERDICTS",
    "Change",
    "Claim",
    "ClaimResult",
    "Control",
    "DamagedRecord",
    "Interval",
    "Record",
    "RecordInfo",
    "RecordKey",
    "Store",
    "best",
    "changes_text",
    "compare",
    "evaluate",
    "git_revision",
    "load_claims",
    "median",
    "median_difference",
    "newcombe",
    "peak_memory_bytes",
    "provenance",
    "run_lock",
    "student",
    "wilson",
]
