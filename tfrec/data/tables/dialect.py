"""The dialect of a delimited text file, found by looking: separator, quoting, header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.config.files import TableConfig
from tfrec.data.tables.opened import SAMPLED, open_bytes
from tfrec.data.tables.titles import LOOKED_AT, titles_above, told

_LOOK = 1 << 20
_QUOTES_READ = 64 << 20
_SEPARATORS = (",", ";", "\t", "|", "，", "::", "\x01")
_RULE = re.compile(r"\s*-{2,}\s*")  # below a header, as SQL Server draws it
_NOTHING = "\x1f"  # parts no fields: no text holds it
_MANY = 0.9  # of the first rows, from which they agree
_NAMES = {"\t": "tabs", _NOTHING: "line breaks alone"}


@dataclass(frozen=True)
class Dialect:
    """How a text file writes its rows.

    Attributes:
        separator: between fields.
        quoting: none, double or backslash.
        header: the columns' names, each once; "" for columns without one.
        twice: names that the file has more than once.
        body: bytes before the first row.
        first_row: the number of the first row, counted as a spreadsheet does.
        rows: the first rows as texts.
    """

    separator: str
    quoting: str
    header: list[str]
    twice: list[str]
    body: int
    first_row: int
    rows: list[list[str]]


def find_dialect(
    path: Path, name: str, table: TableConfig, kind: str, wanted: Collection[str], notes: list[str]
) -> Dialect:
    """Looks at the start of a UTF-8 file, and at all its quotes where it is tab-separated.

    Args:
        path: the file.
        name: its name, for notes.
        table: settings that are not to be found.
        kind: csv or tsv, by the file's name: what is likeliest.
        wanted: columns that the header is expected to have.
        notes: gets a sentence about each finding that the name does not tell.
    """
    with open_bytes(path) as raw:
        start = raw.read(_LOOK)
    mark = 3 if start.startswith(b"\xef\xbb\xbf") else 0
    text = start[mark:].decode("utf-8", "ignore")
    if len(start) == _LOOK:
        text = text[: text.rfind("\n") + 1] or text
    usual = "\t" if kind == "tsv" else ","
    hint = re.match(r"sep=(.)\r?\n", text)
    if hint:
        mark, text = mark + len(hint.group().encode()), text[hint.end() :]
    separator = table.separator or (hint.group(1) if hint else _separator(text, usual, table, wanted))
    quoting: str = table.quoting
    if quoting == "auto":
        quoting = _quoting(path, text, separator, kind, mark)
    if separator != usual and table.separator is None:
        notes.append(f"{name}: fields are separated by {_NAMES.get(separator, repr(separator))} (separator sets it)")
    if quoting != ("none" if separator == "\t" and kind == "tsv" else "double") and table.quoting == "auto":
        notes.append(f"{name}: {_TOLD[quoting]} (quoting sets it)")
    records = _Records(text, separator, quoting)
    looked = _Records(text, separator, quoting).some(LOOKED_AT) if table.header else []
    above = records.some(titles_above(looked))
    header = records.next_filled() if table.header else list(table.names)
    if above:
        notes.append(told(name, above, records.number + (1 if hint else 0)))
    under = looked[len(above) + 1 : len(above) + 2]
    if under and all(_RULE.fullmatch(field) for field in under[0]):
        records.next_filled()
        notes.append(f"{name}: a line of dashes below the header is left out")
    body = records.passed if table.header else 0
    first = records.number + 1 + (1 if hint else 0)
    rows = records.some(SAMPLED)
    names, twice = _names(header, rows, name, notes)
    return Dialect(separator, quoting, names, twice, mark + len(text[:body].encode()), first, rows)


_TOLD = {
    "none": "quotes are characters like any other",
    "double": "fields are in quotes",
    "backslash": "quotes, tabs and line breaks are escaped by a backslash",
}


class _Records:
    """Records of a text by Python's reader, with how far it has read."""

    def __init__(self, text: str, separator: str, quoting: str) -> None:
        if len(separator) > 1:
            text, separator = text.replace(separator, "\x1f" + "\0" * (len(separator.encode()) - 1)), "\x1f"
        self._buffer = io.StringIO(text, newline="")
        quotes: Any = (
            csv.QUOTE_NONE if quoting == "none" or (quoting == "backslash" and separator == "\t") else csv.QUOTE_MINIMAL
        )
        escape = "\\" if quoting == "backslash" else None
        self._reader = csv.reader(
            self._buffer, delimiter=separator, quoting=quotes, escapechar=escape, doublequote=escape is None
        )
        self.number = 0

    @property
    def passed(self) -> int:
        """Characters that are read."""
        return self._buffer.tell()

    def next_filled(self) -> list[str]:
        """The next record that has a field; [] at the end."""
        try:
            for record in self._reader:
                self.number += 1
                if any(field.strip("\0 \ufeff") for field in record):
                    return [field.lstrip("\0") for field in record]
        except csv.Error:
            pass
        return []

    def some(self, most: int) -> list[list[str]]:
        """Up to so many records."""
        found: list[list[str]] = []
        while len(found) < most and (record := self.next_filled()):
            found.append(record)
        return found


def _separator(text: str, usual: str, table: TableConfig, wanted: Collection[str]) -> str:
    best, most, alone = usual, (-1.0,) * 4, False
    for separator in dict.fromkeys((usual, *_SEPARATORS)):
        quoting = (
            table.quoting if table.quoting != "auto" else ("none" if separator == "\t" and usual == "\t" else "double")
        )
        rows = _Records(text, separator, quoting).some(100)
        rows = rows[titles_above(rows) :] if table.header else rows
        width = len(rows[0]) if rows else 0
        if width < 2:
            alone = alone or (separator == usual and len({len(row) for row in rows}) > 1)
            continue
        named = len(set(map(str.strip, rows[0])) & set(wanted)) if table.header else int(width == len(table.names))
        agree = sum(len(row) == width for row in rows) / len(rows)
        score = (float(named), float(agree >= _MANY), float(separator == usual and named > 0), float(width))
        if score > most:
            best, most = separator, score
    # one name and rows of different lengths: a list, as of queries, whose texts hold commas
    return _NOTHING if most[0] < 0 and alone else best


def _quoting(path: Path, text: str, separator: str, kind: str, mark: int) -> str:
    """none, double or backslash, by what all quotes and backslashes of the file say."""
    if separator == "\t" and "\\" in text and _escaped(text):
        return "backslash"
    if len(separator) > 1:
        return "none"
    if separator != "\t":
        inside = '\\"' in text and not _well_quoted(text, separator, 2)[0]
        return "backslash" if inside and _well_quoted(text, separator, 2, escaped=True)[0] else "double"
    with open_bytes(path) as raw:
        raw.read(mark)
        whole = raw.read(_QUOTES_READ)
    if b'"' not in whole:
        return "none" if kind == "tsv" else "double"
    # in CSV with tabs a field may hold lines of any number of them
    width = text.split("\n", 1)[0].count("\t") + 1 if kind == "tsv" else len(whole)
    sound, needed = _well_quoted(whole.decode("utf-8", "replace"), separator, width, cut=len(whole) == _QUOTES_READ)
    return "double" if sound and (needed or kind != "tsv") else "none"


def _escaped(text: str) -> bool:
    """Whether tab-separated text is a dump of a database: \\N alone in a field, or a row broken after a backslash."""
    if re.search(r"(?:^|[\t\n])\\N(?:[\t\r\n]|$)", text):
        return True
    lines = text.split("\n")[:-1]
    usual = Counter(line.count("\t") for line in lines).most_common(1)
    return any(line.endswith("\\") and line.count("\t") < usual[0][0] for line in lines)


def _well_quoted(text: str, separator: str, width: int, escaped: bool = False, cut: bool = False) -> tuple[bool, bool]:
    """(whether every quote belongs to a field that is quoted as CSV is, whether one of them needed its quotes)."""
    inner = r'(?:[^"\\]|\\.|"")*' if escaped else r'(?:[^"]|"")*'
    field = re.compile(rf'(?:(?<=[{re.escape(separator)}\n\r])|\A)"({inner})"(?=[{re.escape(separator)}\r\n]|\Z)', re.S)
    needed = swallowed = False
    quoted_first = 0

    def look(match: re.Match[str]) -> str:
        nonlocal needed, swallowed, quoted_first
        value = match.group(1)
        quoted_first += match.start() < first
        needed = needed or '""' in value or separator in value or "\n" in value
        swallowed = swallowed or any(line.count(separator) >= max(1, width - 1) for line in value.split("\n")[1:])
        return ""

    first = text.find("\n")
    left = field.sub(look, text)
    return left.count('"') <= cut and not swallowed, needed or quoted_first >= max(1, width)


def _names(header: list[str], rows: list[list[str]], file: str, notes: list[str]) -> tuple[list[str], list[str]]:
    """Names of all columns that the rows have: blank ones where the header has none, doubled ones numbered."""
    names = [name.strip("\ufeff \t\r\u00a0\u3000") for name in header]
    if rows:
        width, times = Counter(map(len, rows)).most_common(1)[0]
        more = width - len(names)
        if times > len(rows) / 2 and more == 1 and any(row[-1].strip() for row in rows if len(row) == width):
            notes.append(f"{file}: the header has one name fewer than the rows have fields: the first has none")
            names = ["", *names]
        elif times > len(rows) / 2 and more > 0 and not any("".join(row[len(names) :]).strip() for row in rows):
            names += [""] * more
        elif times > len(rows) / 2 and more < 0 and not any(names[width:]):
            names = names[:width]
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(f"{name} ({seen[name]})" if name and seen[name] > 1 else name)
    twice = [name for name, times in seen.items() if name and times > 1]
    if twice:
        notes.append(f"{file} has {', '.join(map(repr, twice))} more than once: later ones are called {twice[0]!r} (2)")
    return found, twice
