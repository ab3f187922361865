"""Download of MNIST: several mirrors in turn, nothing under its final name before it is verified."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from rnnkit.datasets import _files
from rnnkit.datasets._files import SourceFile
from rnnkit.errors import UserError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
CONNECT_SECONDS = 4.0
SILENCE_SECONDS = 10.0


def fetch_into(folder: Path) -> None:
    """Bring the four files into `folder`; those already there and intact are kept, so a second try resumes.

    Raises
    ------
    UserError
        If downloading is switched off, no mirror delivers, or the folder cannot be written. Files that were
        fetched before stay.
    """
    for source in _files.MNIST_FILES:
        if not _intact(source, folder):
            _fetch_file(source, folder)


def _intact(source: SourceFile, folder: Path) -> bool:
    path = source.find(folder)
    if path is None:
        return False
    try:
        source.read(path)
    except UserError:
        return False
    return True


def _fetch_file(source: SourceFile, folder: Path) -> None:
    """Download one file beside its place, verify it, and rename it into its place."""
    if os.environ.get("RNNKIT_OFFLINE", "") not in ("", "0"):
        raise UserError("downloading is switched off", value=f"RNNKIT_OFFLINE={os.environ['RNNKIT_OFFLINE']}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=folder) as aside:
            part = Path(aside) / f"{source.name}.gz"
            _download_from_any(source, part)
            os.replace(part, folder / part.name)
    except OSError as error:
        raise UserError(
            f"cannot write MNIST into the cache ({error.strerror or error})",
            value=str(folder),
            hint="Free space or mend the folder's rights, or set XDG_CACHE_HOME to another place",
        ) from None


def _download_from_any(source: SourceFile, part: Path) -> None:
    """Try the mirrors in turn until one delivers the right bytes to `part`."""
    failures = []
    for mirror in MIRRORS:
        host = urlsplit(mirror).hostname
        try:
            _connect(mirror)
            _download(f"{mirror}{source.name}.gz", part)
            source.read(part)
        except (_MirrorError, UserError) as error:
            what = error.what if isinstance(error, UserError) else str(error)
            failures.append(f"{host}: {what}")
        else:
            return
    raise UserError(f"no mirror delivered {source.name} ({'; '.join(failures)})")


class _MirrorError(Exception):
    """A mirror could not be reached or broke off; the next one may do better."""


def _connect(url: str) -> None:
    """Fail within `CONNECT_SECONDS` where a host cannot be reached.

    A time limit on a request covers neither the look-up of a name nor a host's further addresses, each of
    which can take as long again; without a network that adds up to minutes.
    """
    parts = urlsplit(url)
    if getproxies().keys() & {parts.scheme, "all"}:
        return  # only the proxy can look the name up
    outcome: list[OSError | None] = []

    def attempt() -> None:
        try:
            port = parts.port or socket.getservbyname(parts.scheme)
            socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS).close()
            outcome.append(None)
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    if not outcome:
        raise _MirrorError(f"no answer within {CONNECT_SECONDS:g} s")
    if outcome[0] is not None:
        raise _MirrorError(outcome[0].strerror or str(outcome[0]))


def _download(url: str, part: Path) -> None:
    """Download `url` to `part`, with a progress bar where stderr is a terminal."""
    try:
        import pooch
        from requests import RequestException
    except ImportError as error:
        raise UserError(f"downloading needs the package {error.name}", hint="pip install pooch") from None
    from tqdm import tqdm

    # pooch sets the bar's total from the response, but takes a bar with total 0 for none.
    with tqdm(total=1, desc=part.name, unit="B", unit_scale=True, disable=None) as bar:
        get = pooch.HTTPDownloader(
            progressbar=bar, chunk_size=1 << 16, timeout=(CONNECT_SECONDS, SILENCE_SECONDS)
        )
        try:
            get(url, part, None)
        except (RequestException, ConnectionError, TimeoutError) as error:
            raise _MirrorError(_brief(error)) from None


def _brief(error: OSError) -> str:
    """One short phrase for what requests says in five nested exceptions."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"HTTP status {status}" if status else type(error).__name__
