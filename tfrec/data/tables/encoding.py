"""The encoding of a text file, found from all its bytes, and the file as UTF-8.

Valid UTF-8 is UTF-8. A file that is UTF-8 but for a few bytes keeps it, and each of those is read as Windows-1252;
any other is told by the lines that are no ASCII (legacy.py).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tfrec.data.tables.legacy import legacy_encoding
from tfrec.data.tables.opened import is_archive, is_packed, open_bytes, temporary, unpacked

_BLOCK = 1 << 20
_SAMPLE = 64 << 10
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "iso8859-1": "cp1252", "euc_kr": "cp949"}
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_MOSTLY = 10  # valid sequences for each odd byte, from which a file is UTF-8 with odd bytes


@dataclass(frozen=True)
class Text:
    """A text file that can be read as UTF-8.

    Attributes:
        path: the file itself, or a temporary one that is UTF-8 with "\\n" as line end.
        encoding: that the file has.
    """

    path: Path
    encoding: str


def as_utf8(path: Path, wanted: str, notes: list[str], stack: ExitStack) -> Text:
    """A text file as UTF-8.

    Args:
        path: the file, packed or not.
        wanted: its encoding, or auto.
        notes: gets a sentence about what was found, unless it is plain UTF-8.
        stack: keeps the temporary file.
    """
    found = _looked_at(path)
    encoding = found.encoding if wanted == "auto" else _superset(wanted)
    plain = encoding == "utf-8" and not found.odd
    if plain and not found.only_returns:
        return Text(unpacked(path, stack) if is_packed(path) and is_archive(path) else path, encoding)
    odd = _Odd()
    target = temporary(stack)
    for text in _decoded(path, encoding, odd):
        target.write((text.replace("\r", "\n") if found.only_returns else text).encode("utf-8", "replace"))
    target.flush()
    if encoding not in ("utf-8", "utf-8-sig") and wanted == "auto":
        shown = f", as in {found.example(encoding)!r}" if found.sample else ""
        notes.append(f"{path.name} is not UTF-8 but {encoding}{shown} (encoding sets it)")
        if found.rival:
            one, other = found.differing(encoding, found.rival)
            notes.append(f"{path.name} could as well be {found.rival}, {other!r} for {one!r}: so few signs do not tell")
    if odd.count:
        some = "1 byte is" if odd.count == 1 else f"{odd.count:,} bytes are"
        notes.append(f"{path.name}: {some} not {encoding}, the first in line {odd.line:,}: read as Windows-1252")
    if found.only_returns:
        notes.append(f"{path.name} has carriage returns alone as line ends")
    return Text(Path(target.name), encoding)


def _superset(name: str) -> str:
    name = codecs.lookup(name).name
    return _SUPERSETS.get(name, name)


class _Odd:
    """Counts bytes that an encoding does not know, and reads them as Windows-1252."""

    def __init__(self) -> None:
        self.count, self.line, self._lines = 0, 0, 0

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        if not self.count:
            self.line = self._lines + error.object[: error.start].count(b"\n") + 1
        self.count += error.end - error.start
        odd = error.object[error.start : error.end]
        return "".join(
            chr(byte) if byte in b"\x81\x8d\x8f\x90\x9d" else bytes([byte]).decode("cp1252") for byte in odd
        ), error.end

    def passed(self, text: str) -> None:
        """Counts the lines that are through."""
        self._lines += text.count("\n")


def _decoded(path: Path, encoding: str, odd: _Odd) -> Iterator[str]:
    codecs.register_error("tfrec-odd", odd)
    decoder = codecs.getincrementaldecoder(encoding)("tfrec-odd")
    with open_bytes(path) as raw:
        while block := raw.read(_BLOCK):
            text = decoder.decode(block)
            odd.passed(text)
            yield text
        yield decoder.decode(b"", True)


@dataclass
class _Looked:
    encoding: str
    odd: bool
    only_returns: bool
    sample: bytes = b""
    rival: str = ""

    def example(self, encoding: str) -> str:
        lines = self.sample.decode(encoding, "replace").splitlines()
        return next((line.strip()[:60] for line in lines if line.strip()), "")

    def differing(self, one: str, other: str) -> tuple[str, str]:
        """The first words that two encodings read otherwise, as each does."""
        for raw in self.sample.split():
            read = raw.decode(one, "replace"), raw.decode(other, "replace")
            if read[0] != read[1]:
                return read[0][:60], read[1][:60]
        return self.example(one), self.example(other)


def _looked_at(path: Path) -> _Looked:
    with open_bytes(path) as raw:
        start = raw.read(_BLOCK)
        mark = next((name for sign, name in _MARKS if start.startswith(sign)), None)
        if mark is not None and mark != "utf-8-sig":
            text = start[: len(start) // 4 * 4].decode(mark, "replace")
            return _Looked(mark, False, "\r" in text and "\n" not in text)
        if mark is None and (guess := _wide(start)) is not None:
            return _Looked(guess, False, False)
        decoder = codecs.getincrementaldecoder("utf-8")()
        valid, feeds, returns = True, False, False
        block = start
        while block:
            feeds = feeds or b"\n" in block
            returns = returns or b"\r" in block
            if valid:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    valid = False
            block = raw.read(_BLOCK)
        try:
            decoder.decode(b"", valid)
        except UnicodeDecodeError:
            valid = False
    if valid:
        return _Looked("utf-8", False, returns and not feeds)
    encoding, rival, sample = _by_statistics(path)
    return _Looked(encoding, True, returns and not feeds, sample, rival)


def _wide(start: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of mostly ASCII text is zero."""
    some = start[:2000]
    if len(some) < 4 or some.count(0) < len(some) // 3:
        return None
    return "utf-16-le" if some[1::2].count(0) > some[::2].count(0) else "utf-16-be"


def _by_statistics(path: Path) -> tuple[str, str, bytes]:
    """(encoding, another one that is as likely, the lines that are no ASCII)."""
    sequences = odd = 0
    lines: list[bytes] = []
    size = 0
    with open_bytes(path) as raw:
        rest = b""
        while block := raw.read(_BLOCK):
            block, cut, rest = (rest + block).rpartition(b"\n") if b"\n" in block else (rest + block, b"", b"")
            bare, count = _SEQUENCE.subn(b"", block)
            sequences += count
            odd += len(_HIGH.findall(bare))
            if size < _SAMPLE:
                found = [line[:2000] for line in block.split(b"\n") if _HIGH.search(_SEQUENCE.sub(b"", line))]
                lines += found
                size += sum(map(len, found))
        bare, count = _SEQUENCE.subn(b"", rest)
        sequences, odd = sequences + count, odd + len(_HIGH.findall(bare))
        if size < _SAMPLE and _HIGH.search(bare):
            lines.append(rest[:2000])
    sample = b"\n".join(lines)[:_SAMPLE]
    if sequences >= _MOSTLY * odd:
        return "utf-8", "", sample
    return (*legacy_encoding(sample), sample)
