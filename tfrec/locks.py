"""Who is at work in a folder: one command at a time writes, and says so to the next."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tfrec.errors import BusyError
from tfrec.files import flocked, remove_rests, speaking_os_errors

LOCK = ".lock"
_held: dict[Path, int] = {}  # lock files of this process -> the thread that holds them
_SECONDS_BETWEEN_LOOKS = 0.2
_LOOKS = 5


@contextlib.contextmanager
def alone_at(folder: Path, doing: str, name: str = LOCK, wait: bool = False, again: bool = True) -> Iterator[None]:
    """Holds a folder for one thread of one process; the lock goes with the process, however it ends.

    The file says who holds it and since when. That file of a dead process, of another start of the machine, or of a
    copied folder holds nobody up: flock decides, and where a disk has no flock, the process's number, host and boot.
    Whoever holds it may ask again.

    Args:
        folder: made when it is not there; under the usual name of the lock, what killed processes left half-written
            in it is removed.
        doing: said to others, as in "training".
        name: of the lock file.
        wait: for the other one instead of failing.
        again: whether the thread that holds it may ask again.

    Raises:
        BusyError: another one holds it.
        TfrecError: the folder cannot be written.
    """
    file = Path(os.path.abspath(folder)) / name
    if again and _held.get(file) == threading.get_ident():
        yield
        return
    with contextlib.ExitStack() as stack:
        _take(stack, file, folder, wait)
        _held[file] = threading.get_ident()
        try:
            with speaking_os_errors(file):
                file.write_text(json.dumps(_own_card(doing)), "utf-8")
            if name == LOCK:
                remove_rests(file.parent)
            yield
        finally:
            del _held[file]
            with contextlib.suppress(OSError):
                file.unlink()


def _take(stack: contextlib.ExitStack, file: Path, folder: Path, wait: bool) -> None:
    told, looks = False, 0
    while True:
        with speaking_os_errors(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        attempt = contextlib.ExitStack()
        free = attempt.enter_context(flocked(file, wait=False))
        card = _card(file)
        if free and not (_without_flock(file) and _lives(card)):
            stack.enter_context(attempt)
            return
        attempt.close()
        looks += 1
        if not card and looks < _LOOKS:  # it has just been given back, or its holder is about to say who it is
            time.sleep(_SECONDS_BETWEEN_LOOKS / _LOOKS)
            continue
        who = _told(card)
        if not wait:
            raise BusyError(
                f"{folder} is in use: {who}; wait until that has ended, or stop it, and run the same command again."
            )
        if not told:
            print(f"Waiting for {folder}: {who}.", file=sys.stderr, flush=True)
            told = True
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _without_flock(file: Path) -> bool:
    """Whether the disk has no flock, so that only the card in the file can tell."""
    try:
        import fcntl

        with file.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except ImportError:
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False


def _own_card(doing: str) -> dict[str, Any]:
    return {
        "process": os.getpid(), "host": socket.gethostname(), "boot": _boot(), "doing": doing,
        "since": datetime.now().astimezone().isoformat(" ", "seconds"),
    }  # fmt: skip


def _card(file: Path) -> dict[str, Any]:
    try:
        card = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def _lives(card: dict[str, Any]) -> bool:
    """Whether the process on a card may still be there; one of another host cannot be asked."""
    if not card or card.get("host") != socket.gethostname():
        return bool(card)
    if card.get("boot") != _boot() or card.get("process") == os.getpid():
        return card.get("process") == os.getpid() and card.get("boot") == _boot()
    try:
        os.kill(int(card["process"]), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError, KeyError):
        pass
    return True


def _told(card: dict[str, Any]) -> str:
    if not card:
        return "another process is at work there"
    return f"process {card.get('process')} on {card.get('host')} is {card.get('doing')} there since {card.get('since')}"


def _boot() -> str:
    """This start of the machine, "" where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
    except OSError:
        return ""
