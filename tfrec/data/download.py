"""Fetching public data sets: whole and verified, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from tfrec.data.sources import SOURCES, Remote, Source
from tfrec.errors import DataError
from tfrec.files import atomic_directory, write_json
from tfrec.progress import Progress

_BLOCK = 1 << 18
_SECONDS = 30


def download(name: str, to: Path | str = "downloads", trust: bool = False, source: Source | None = None) -> Path:
    """Fetches a data set into to/name; one that is there already is left alone.

    Args:
        name: esci or online_retail.
        to: the folder of all downloads.
        trust: keep a file whose checksum is not known in advance.
        source: another source than the known one.

    Returns:
        the folder with the tables and SOURCE.json (addresses and checksums).

    Raises:
        DataError: unknown name; unreachable; wrong checksum, or an unknown one without trust; unexpected content.
    """
    if source is None:
        if name not in SOURCES:
            raise DataError(f"There is no data set {name!r} to download: choose from {', '.join(SOURCES)}.")
        source = SOURCES[name]
    folder = Path(to) / name
    missing = [table for table in source.tables if not (folder / table).exists()]
    if not missing:
        return folder
    if folder.exists() and any(folder.iterdir()):
        raise DataError(
            f"{folder} exists but lacks {', '.join(missing)}: move it away or choose another folder with --to."
        )
    with atomic_directory(folder) as aside:
        raw = aside / "raw"
        raw.mkdir()
        origin = []
        for remote in source.files:
            digest = fetch(remote, raw / remote.name, folder, source.tables)
            check(remote, digest, trust)
            origin.append({"url": remote.url, "sha256": digest, "verified": remote.sha256 is not None})
        try:
            source.convert(raw, aside)
        except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise DataError(
                f"What {source.files[0].url} sends is not the data set that was expected ({error}): "
                f"copy the tables {', '.join(source.tables)} to {folder} yourself."
            ) from error
        shutil.rmtree(raw)
        write_json(aside / "SOURCE.json", {"title": source.title, "files": origin})
    return folder


def fetch(remote: Remote, path: Path, folder: Path, tables: tuple[str, ...]) -> str:
    """Streams one file to the disk.

    Args:
        remote: what to fetch.
        path: where to.
        folder: where the user may put the tables by hand, for the message.
        tables: their names.

    Returns:
        its sha256 (hex).

    Raises:
        DataError: the server cannot be reached, refuses, or breaks off.
    """
    by_hand = f"check the network or copy the files to {folder} yourself ({', '.join(tables)})"
    digest = hashlib.sha256()
    request = urllib.request.Request(remote.url, headers={"User-Agent": "tfrec"})
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer, path.open("wb") as output:
            size = int(answer.headers.get("Content-Length") or 0)
            received = 0
            with Progress(f"Fetching {remote.name}", size or None) as progress:
                while block := answer.read(_BLOCK):
                    output.write(block)
                    digest.update(block)
                    received += len(block)
                    progress.advance(len(block))
            if size and received < size:
                raise DataError(f"{remote.url} broke off after {received} of {size} bytes: try again, or {by_hand}.")
    except urllib.error.HTTPError as error:
        raise DataError(f"{remote.url} answers {error.code} ({error.reason}): {by_hand}.") from None
    except (urllib.error.URLError, TimeoutError, http.client.HTTPException, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise DataError(f"{remote.url} cannot be reached ({reason}): {by_hand}.") from None
    return digest.hexdigest()


def check(remote: Remote, digest: str, trust: bool) -> None:
    """Compares a fetched file with its known checksum.

    Raises:
        DataError: it differs, or none is known and trust is off.
    """
    if remote.sha256 is None:
        if not trust:
            raise DataError(
                f"No checksum of {remote.url} is known; the fetched file has sha256 {digest}: compare it with a source "
                "that you trust, then run the same command with --trust to keep it."
            )
    elif digest != remote.sha256:
        raise DataError(
            f"{remote.url} has sha256 {digest} instead of {remote.sha256}: it was changed on the way or by its "
            "publisher, and nothing was kept."
        )
