"""Reading XML feeds (RSS, Atom, Google Merchant's g: names, plain lists of products), streamed."""

from __future__ import annotations

import codecs
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl

from tfrec.data.ids import as_text
from tfrec.data.tables.json_rows import row_frame
from tfrec.data.tables.nested import Place
from tfrec.data.tables.opened import SAMPLED, Opened, open_bytes, some_values
from tfrec.errors import DataError

_ROWS = 20_000
_PREFIXES = {"http://base.google.com/ns/1.0": "g:", "http://base.google.com/cns/1.0": "c:"}
_RECORDS = ("item", "entry")
_DECLARED = re.compile(rb"^\s*<\?xml[^>]*encoding=[\"']([\w.:-]+)[\"']")


def open_feed(path: Path, stack: ExitStack) -> Opened:
    """Opens a feed. Rows are its items or entries, counted from 1; several values of one name are joined with a space.

    Where it has neither, they are the elements that come most often right below one element (products/product).

    Raises:
        DataError: also while rows are read: it is no XML, or declares entities, which could be made to swell.
    """
    name = _record_name(path)
    notes = [] if name in _RECORDS else [f"{path.name}: the elements {name!r} are the rows"]
    records = _records(path, name)
    first = list(itertools.islice(records, _ROWS))
    found = list(dict.fromkeys(key for _, row in first for key in row))
    sample = {key: [as_text(row.get(key)) for _, row in first[:SAMPLED]] for key in found}

    def frames(places: Mapping[str, Place]) -> Iterator[pl.DataFrame]:
        batch = first
        while batch:
            yield row_frame(batch, places)
            batch = list(itertools.islice(records, _ROWS))

    stack.callback(records.close)  # type: ignore[attr-defined]
    return Opened(found, found, some_values(sample), frames, notes=notes)


def _record_name(path: Path) -> str:
    """The elements that are rows, by the start of the file."""
    counts: Counter[str] = Counter()
    depth = 0
    looked = 0
    try:
        for event, element in _events(path, ("start", "end")):
            depth += 1 if event == "start" else -1
            looked += 1
            name = _bare(element.tag)
            if event == "start" and name in _RECORDS:
                return name
            if event == "end" and depth <= 2 and len(element):
                counts[name] += 1
            if looked > 20_000 and counts:
                break
    except DataError:
        if not counts:
            raise
    counts.pop("channel", None)
    if not counts:
        raise DataError(f"{path} holds no list of products that could be rows.")
    return counts.most_common(1)[0][0]


def _records(path: Path, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    parents: list[Any] = []
    for event, element in _events(path, ("start", "end")):
        if event == "start":
            parents.append(element)
            continue
        parents.pop()
        if _bare(element.tag) == name and not any(_bare(parent.tag) == name for parent in parents):
            number += 1
            yield number, _fields(element)
            if parents:
                parents[-1].clear()  # what is read goes, and with it the text between


def _events(path: Path, kinds: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    with open_bytes(path) as raw:
        source: Any = raw
        declared = _DECLARED.match(raw.read(200))
        raw.seek(0)
        if declared and not _known_to_expat(declared.group(1).decode()):
            try:
                source = codecs.getreader(declared.group(1).decode())(raw, "replace")
            except LookupError:
                raise DataError(
                    f"{path} declares the encoding {declared.group(1).decode()!r}, which nobody knows."
                ) from None
        try:
            yield from iterparse(source, kinds, forbid_dtd=False, forbid_entities=True)
        except ParseError as error:
            raise DataError(f"{path} is not whole XML ({error}): export it again.") from None
        except DefusedXmlException:
            raise DataError(f"{path} declares entities, which a feed does not need: remove its DOCTYPE.") from None


def _known_to_expat(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-16", "ascii", "iso8859-1") if _exists(encoding) else False


def _exists(encoding: str) -> bool:
    try:
        return bool(codecs.lookup(encoding))
    except LookupError:
        return False


def _fields(element: Any) -> dict[str, Any]:
    found: dict[str, Any] = {f"@{_bare(key)}": value for key, value in element.attrib.items()}
    for child in element:
        name = _name(child.tag)
        value = _fields(child) if len(child) else _text(child)
        if name in found:
            before = found[name]
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[name] = value
    return found


def _text(element: Any) -> str:
    text = (element.text or "").strip()
    return text or element.get("href") or element.get("term") or element.get("value") or ""


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]


def _name(tag: str) -> str:
    space, _, name = tag.removeprefix("{").rpartition("}")
    return _PREFIXES.get(space, "") + name
