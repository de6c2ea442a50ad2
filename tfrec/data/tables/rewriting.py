"""Text files in dialects that Arrow does not know, rewritten so that it can part their rows."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import IO

import polars as pl

from tfrec.data.tables.dialect import Dialect
from tfrec.data.tables.opened import open_bytes
from tfrec.errors import DataError

_BLOCK = 8 << 20
_LINE, _TAB, FIELD = "\x1d", "\x1e", "\x1f"  # stand for escaped signs until Arrow has parted the fields


def unescaped(column: pl.Expr) -> pl.Expr:
    """The texts with the signs that stand-ins stood for."""
    return column.str.replace_all(_LINE, "\n").str.replace_all(_TAB, "\t")


def rewrite(plain: Path, target: IO[bytes], dialect: Dialect, escaped: bool) -> None:
    """Writes the rows so that Arrow can part them: separators of several bytes as one, escaped signs as stand-ins."""
    with open_bytes(plain) as raw:
        raw.read(dialect.body)
        if escaped:
            rest = b""
            while block := raw.read(_BLOCK):
                block = rest + block
                ends = len(block) - len(block.rstrip(b"\\"))  # an escape must not be cut from its sign
                cut = len(block) - ends % 2
                target.write(re.sub(rb"\\(.)", _unescaped, block[:cut], flags=re.S))
                rest = block[cut:]
            target.write(rest)
        elif dialect.quoting == "none":
            for line in raw:
                target.write(line.replace(dialect.separator.encode(), FIELD.encode()))
        else:
            lines = io.TextIOWrapper(raw, encoding="utf-8", newline="")  # type: ignore[arg-type]
            if len(dialect.separator) > 1:
                raise DataError(f"The separator {dialect.separator!r} does not go with quotes: set quoting: none.")
            for record in csv.reader(lines, delimiter=dialect.separator):
                target.write(
                    FIELD.join(field.replace("\n", _LINE).replace("\r", "") for field in record).encode() + b"\n"
                )
    target.flush()


def _unescaped(match: re.Match[bytes]) -> bytes:
    sign = match.group(1)
    return _ESCAPES.get(sign, sign)


_ESCAPES = {
    b"N": b"\\N", b"n": _LINE.encode(), b"\n": _LINE.encode(), b"t": _TAB.encode(), b"\t": _TAB.encode(),
    b"r": b" ", b"0": b"", b"b": b"", b"Z": b"",
}  # fmt: skip
