"""Writing files so that a kill at any moment leaves either the old state or the new one, never a half."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import uuid
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfrec.errors import TfrecError
from tfrec.json_text import parse_json

_ASIDE = ".partial-"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {
    errno.EPERM, errno.EACCES, errno.EROFS, errno.EFBIG, errno.EIO, errno.ENOTDIR, errno.EISDIR, errno.EEXIST,
    errno.ENAMETOOLONG, errno.ELOOP, errno.EBUSY,
}  # fmt: skip
_WRAPPERS = {"tensorflow", "polars", "pyarrow"}  # whose errors hold the system's words


@contextlib.contextmanager
def atomic_directory(path: Path | str) -> Iterator[Path]:
    """Gives a temporary folder beside `path` and renames it to `path` when the block ends well.

    Left-overs of killed runs beside `path` are removed first, those of running ones are left alone. An existing folder
    is replaced; if the process dies between the two renames, the old one is found under its aside name and put back by
    the next call.

    Args:
        path: the folder to create.

    Yields:
        the folder to write into.

    Raises:
        TfrecError: the disk is full or the parent folder cannot be written.
    """
    path = Path(path)
    with speaking_os_errors(path), contextlib.ExitStack() as owned:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(path.parent):
            _recover(path)
            aside = aside_of(path)
            aside.mkdir()
            owned.enter_context(flocked(aside))
        try:
            yield aside
            sync_tree(aside)
            with _alone_in(path.parent):
                if path.exists():
                    old = path.parent / f".{path.name}.old"
                    os.rename(path, old)
                    os.rename(aside, path)
                    shutil.rmtree(old)
                else:
                    os.rename(aside, path)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def aside_of(path: Path) -> Path:
    """A name beside `path` for what is being written or removed; `remove_rests` removes what is left under it."""
    return path.parent / f".{path.name}{_ASIDE}{uuid.uuid4().hex[:8]}"


@contextlib.contextmanager
def flocked(path: Path, wait: bool = True, shared: bool = False) -> Iterator[bool]:
    """Holds the system's lock (flock) on a file or folder that exists; it goes with the process, however it ends.

    Args:
        path: file or folder.
        wait: for others to let go; without, the block is told that it has no lock.
        shared: with others who share it.

    Yields:
        whether nobody else holds it; True also where the system or the disk has no such locks, False where it cannot
        be opened or has been replaced meanwhile.
    """
    try:
        import fcntl

        handle = os.open(path, os.O_RDONLY)
    except ImportError:
        yield True
        return
    except OSError:
        yield False
        return
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(handle, kind if wait else kind | fcntl.LOCK_NB)
            free = True
        except BlockingIOError:
            free = False
        except OSError:  # a disk without locks
            free = True
        yield free and _still_there(path, handle)
    finally:
        os.close(handle)


def _still_there(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except OSError:
        return False


def hold_while(owner: object, file: Path) -> None:
    """Shares the lock on a file for as long as an object lives, so that nobody removes what is being read."""
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        handle = os.open(file, os.O_RDONLY)
        weakref.finalize(owner, os.close, handle)
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)


def _alone_in(folder: Path) -> contextlib.AbstractContextManager[Any]:
    """One process at a time makes, renames and removes in a folder; a folder that is aside has one owner anyway."""
    return contextlib.nullcontext() if _ASIDE in folder.name else flocked(folder)


def _recover(path: Path) -> None:
    old = path.parent / f".{path.name}.old"
    if old.exists():
        if path.exists():
            shutil.rmtree(old)
        else:
            os.rename(old, path)
    _remove_rests(path.parent, f".{path.name}{_ASIDE}*")


def remove_rests(folder: Path) -> None:
    """Removes what killed processes left half-written anywhere below a folder; what a living one writes stays."""
    parents = {rest.parent for rest in folder.rglob(f".*{_ASIDE}*")}
    for parent in sorted(parents):
        with contextlib.suppress(OSError), _alone_in(parent):
            _remove_rests(parent, f".*{_ASIDE}*")


def _remove_rests(folder: Path, pattern: str) -> None:
    for rest in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError), flocked(rest, wait=False) as free:
            if free and rest.is_dir():
                shutil.rmtree(rest, ignore_errors=True)
            elif free:
                rest.unlink(missing_ok=True)


def sync_tree(folder: Path) -> None:
    """Flushes every file below `folder` to the disk, so that a rename never precedes its content."""
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())


def atomic_write(path: Path | str, data: bytes | str) -> None:
    """Writes a file aside and renames it over `path`.

    Raises:
        TfrecError: the disk is full or the folder cannot be written.
    """
    path = Path(path)
    raw = data.encode("utf-8") if isinstance(data, str) else data
    with speaking_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = aside_of(path)
        with contextlib.ExitStack() as owned:
            with _alone_in(path.parent):
                handle = owned.enter_context(aside.open("wb"))
                owned.enter_context(flocked(aside))
            try:
                handle.write(raw)
                handle.flush()
                os.fsync(handle.fileno())
                os.replace(aside, path)
            finally:
                aside.unlink(missing_ok=True)


@contextlib.contextmanager
def speaking_os_errors(path: Path | str) -> Iterator[None]:
    """Turns a full disk or a forbidden folder into one sentence that names the place, whatever library met it."""
    try:
        yield
    except TfrecError:
        raise
    except Exception as error:
        sentence = told_system_error(error, path)
        if sentence is None:
            raise
        raise TfrecError(sentence) from error


def told_system_error(error: BaseException, path: Path | str | None = None) -> str | None:
    """What the system refused, in one sentence with the way out; None for errors of another kind.

    TensorFlow and polars wrap the system's errors in their own, and keep its words.

    Args:
        error: of any library.
        path: what was being written; None takes the file that the error names.
    """
    number = error.errno if isinstance(error, OSError) else None
    if number is None and (isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _WRAPPERS):
        words = str(error).lower()
        number = next((n for n in sorted(_FULL | _REFUSED) if os.strerror(n).lower() in words), None)
    place = path if path is not None else getattr(error, "filename", None) or "a file"
    if number in _FULL:
        return f"The disk is full while writing {place}: free some space and run the same command again."
    if number in _REFUSED:
        done = "written" if path is not None else "read or written"
        return f"{place} cannot be {done} ({os.strerror(number)}): choose another place or change its rights."
    return None


def write_json(path: Path | str, value: Any) -> None:
    """Writes `value` as indented JSON with sorted keys, atomically."""
    atomic_write(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path | str, kind: type = dict) -> Any:
    """Reads a JSON file.

    Args:
        path: the file.
        kind: dict or list, what it must hold.

    Raises:
        TfrecError: it holds something else, is broken, too deep or too large, or has a key twice.
    """
    try:
        value = parse_json(Path(path).read_bytes())
    except ValueError as error:
        raise TfrecError(f"{path} is not valid JSON ({error}): delete it and run the command again.") from error
    if not isinstance(value, kind):
        raise TfrecError(f"{path} holds a JSON {type(value).__name__}, not a {kind.__name__}: delete it and run again.")
    return value


def linked(source: Path, target: Path) -> None:
    """Has a file at another place too, without a copy where the file system can; neither may be written to later."""
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def sha256_file(path: Path | str) -> str:
    """The sha256 of a file's bytes as hex."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
