"""Text files in dialects that Arrow does not know, rewritten so that it can part their rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

from tfrec.data.tables.dialect import Dialect
from tfrec.data.tables.opened import open_bytes
from tfrec.errors import DataError

_BLOCK = 8 << 20
_LONGEST = 1 << 30  # signs of a field
_LINE, _TAB, FIELD = "\x1d", "\x1e", "\x1f"  # stand for escaped signs until Arrow has parted the fields


def unescaped(column: pl.Expr) -> pl.Expr:
    """The texts with the signs that stand-ins stood for."""
    return column.str.replace_all(_LINE, "\n").str.replace_all(_TAB, "\t")


def rewrite(plain: Path, target: IO[bytes], dialect: Dialect, escaped: bool, width: int = 0) -> None:
    """Writes the rows so that Arrow can part them by FIELD: escaped signs and line breaks in quotes as stand-ins.

    Args:
        plain: the file as UTF-8.
        target: what is written.
        dialect: of the file.
        escaped: whether signs are escaped by a backslash and tabs separate the fields.
        width: fields to which rows with fewer are filled up; 0 leaves them.
    """
    separator, field = dialect.separator.encode(), FIELD.encode()
    with open_bytes(plain) as raw:
        raw.read(dialect.body)
        if escaped or dialect.quoting == "none":
            for line in _unescaped_lines(raw) if escaped else raw:
                row = line.rstrip(b"\r\n").replace(separator, field)
                missing = width - 1 - row.count(field) if width and line.strip() else 0
                target.write(row + field * missing + b"\n")
        else:
            lines = io.TextIOWrapper(raw, encoding="utf-8", newline="")  # type: ignore[arg-type]
            if len(dialect.separator) > 1:
                raise DataError(f"The separator {dialect.separator!r} does not go with quotes: set quoting: none.")
            csv.field_size_limit(_LONGEST)
            escape = "\\" if dialect.quoting == "backslash" else None
            for record in csv.reader(lines, delimiter=dialect.separator, escapechar=escape, doublequote=escape is None):
                record += [""] * (width - len(record)) if any(record) else []
                target.write(
                    FIELD.join(text.replace("\n", _LINE).replace("\r", "") for text in record).encode() + b"\n"
                )
    target.flush()


def _unescaped_lines(raw: IO[bytes]) -> Iterator[bytes]:
    rest = line = b""
    while block := raw.read(_BLOCK):
        block = rest + block
        ends = len(block) - len(block.rstrip(b"\\"))  # an escape must not be cut from its sign
        cut = len(block) - ends % 2
        *lines, line = (line + re.sub(rb"\\(.)", _unescaped, block[:cut], flags=re.S)).split(b"\n")
        yield from lines
        rest = block[cut:]
    if line + rest:
        yield line + rest


def _unescaped(match: re.Match[bytes]) -> bytes:
    sign = match.group(1)
    return _ESCAPES.get(sign, sign)


_ESCAPES = {
    b"N": b"\\N", b"n": _LINE.encode(), b"\n": _LINE.encode(), b"t": _TAB.encode(), b"\t": _TAB.encode(),
    b"r": b" ", b"0": b"", b"b": b"", b"Z": b"",
}  # fmt: skip
