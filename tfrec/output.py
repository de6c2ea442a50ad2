"""What is printed never ends a command: characters that the terminal does not know are replaced."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any


def replaceable_output() -> None:
    """Standard output and error show ? for what their encoding lacks, as in a POSIX locale, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        _reconfigure(stream, errors="replace")


def utf8_output() -> None:
    """Standard output is UTF-8 from now on, for answers that a program reads: there nothing may be replaced."""
    _reconfigure(sys.stdout, encoding="utf-8", errors="strict")


def silence_closed_output() -> None:
    """Lets the interpreter end quietly after whoever read standard output, such as head, has gone."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reconfigure(stream: Any, **how: str) -> None:
    with contextlib.suppress(AttributeError, ValueError, OSError):  # what stands in for a stream, as in a notebook
        stream.reconfigure(**how)
