"""The tables that `tfrec data inspect` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tfrec.data.personalised.table import TASK as PERSONALISED
from tfrec.data.places import TABLES

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tfrec.data.shop import ShopData

_WIDTH = 60
_FIRST = 3
_LOOKED_AT = 20_000


def overview(shop: ShopData) -> Iterator[RenderableType]:
    """Everything worth a look in prepared data, part by part.

    Args:
        shop: the prepared shop.

    Yields:
        what rich prints.
    """
    report = shop.report
    yield f"[bold]{shop.folder}[/bold]  fingerprint {shop.fingerprint[:12]}"
    yield _counts(report)
    for name in TABLES:
        if name in report:
            yield _columns(name, report[name], shop.log_labels if name == "search_log" else getattr(shop, name))
    yield _splits(report)
    yield from _changes(report)
    yield from _faults(report)
    yield from _values(report)
    for name in TABLES:
        for note in report.get(name, {}).get("notes", []):
            yield _escaped(f"{name}: {note}")
    if images := report.get("images"):
        yield f"images: {images['with_image']:,} of {images['items']:,} items have a picture"
        if images["note"]:
            yield _escaped(f"images: {images['note']}")


def _table(title: str, *columns: str) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for name in columns:
        number = name in ("rows read", "kept", "faulty", "filled", "count", "row")
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    return table


def plain_table(title: str, *columns: str) -> Any:
    """An empty table for rich."""
    return _table(title, *columns)


def first_rows(name: str, frame: Any, rows_read: int) -> Any:
    """The first rows of a table as tfrec understood it.

    Args:
        name: items, searches or interactions.
        frame: the table.
        rows_read: of its files.
    """
    from datetime import datetime, timezone

    shown = [column for column in frame.columns if column not in ("text", "key", "item")]
    table = _table(f"{name.capitalize()}: {frame.height:,} of {rows_read:,} rows read, the first ones", *shown)
    for row in frame.head(_FIRST).iter_rows(named=True):
        cells = []
        for column in shown:
            value = row[column]
            if column == "timestamp":
                value = datetime.fromtimestamp(value, timezone.utc).strftime("%Y-%m-%d %H:%M")
            text = f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)
            cells.append(_escaped(text if len(text) <= _WIDTH else text[:_WIDTH] + "…"))
        table.add_row(*cells)
    return table


def reading_notes(reports: dict[str, Any]) -> Iterator[str]:
    """What reading left out, changed and noted, a sentence each without its full stop.

    Args:
        reports: the TableReport of each table.
    """
    for name, report in reports.items():
        told = report.to_json()
        for kind, count in told["faults"]["kinds"].items():
            first = next((fault for fault in told["faults"]["first"] if fault["kind"] == kind), None)
            example = f", as {first['file']}, row {first['row']}: {first['what']}" if first else ""
            yield f"{name}: {count:,} faulty rows, {kind}{example}"
        for kind, entry in told["cleaning"].items():
            example = f" ({entry['examples'][0]})" if entry["examples"] else ""
            yield f"{name}: {entry['count']:,} {kind}{example}"
        for note in told["notes"]:
            yield f"{name}: {note}"


def _escaped(text: Any) -> str:
    from rich.markup import escape

    text = str(text)
    return escape(text if len(text) <= _WIDTH * 5 else text[: _WIDTH * 5] + "…")


def _counts(report: dict[str, Any]) -> Any:
    table = _table("Tables", "table", "rows read", "kept", "faulty", "files")
    for name in TABLES:
        if name in report:
            part = report[name]
            numbers = (f"{part[key]:,}" for key in ("rows_read", "rows_kept"))
            table.add_row(name, *numbers, f"{part['faults']['count']:,}", _escaped(", ".join(part["files"])))
    return table


def _columns(name: str, part: dict[str, Any], frame: Any) -> Any:
    table = _table(name.capitalize(), "column", "filled", "kind", "examples", "what cleaning changed, before -> after")
    for column in frame.columns:
        values = frame[column].head(1000).drop_nulls().unique(maintain_order=True).to_list()
        shown = [f"{value:g}" if isinstance(value, float) else str(value) for value in values if value != ""][:3]
        examples = " | ".join(text if len(text) <= _WIDTH else text[:_WIDTH] + "…" for text in shown)
        filled = f"{100 * part['columns'].get(column, 1.0):.1f} %"
        table.add_row(column, filled, _kind(frame[column]), _escaped(examples), _escaped(_changed(column, part)))
    return table


def _kind(values: Any) -> str:
    """What a column of prepared data holds, in words."""
    from tfrec.data.discovery.columns import look_at

    if not values.dtype.is_numeric() and str(values.dtype) == "String":
        return look_at(values.head(_LOOKED_AT).fill_null("")).kind
    return "time" if values.name == "timestamp" else "number"


def _changed(column: str, part: dict[str, Any]) -> str:
    """How often each step of cleaning changed a column, with an example."""
    steps = {
        kind.removesuffix(f" in {column}"): entry
        for kind, entry in part["cleaning"].items()
        if kind.endswith(f" in {column}")
    }
    counts = ", ".join(f"{step} {entry['count']:,}" for step, entry in steps.items())
    example = next((entry["examples"][0] for entry in steps.values() if entry["examples"]), "")
    return f"{counts}: {example}" if example else counts


def _splits(report: dict[str, Any]) -> Any:
    from datetime import datetime, timezone

    from tfrec.data.split import EVERY_SPLIT, FOLDS

    splits = report["splits"]
    tables = [name for name in ("searches", "interactions", PERSONALISED) if name != PERSONALISED or name in splits]
    table = _table("Splits", "split", *tables, "starts")
    for split in EVERY_SPLIT:
        if split == FOLDS and split not in splits.get("searches", {}):
            continue
        cells = []
        for name in tables:
            sizes = splits.get(name, {}).get(split, {})
            cells.append(", ".join(f"{count:,} {what}" for what, count in sizes.items()) or "–")
        start = splits.get("cuts", {}).get(split)
        when = datetime.fromtimestamp(start, timezone.utc).strftime("%Y-%m-%d %H:%M UTC") if start else "–"
        table.add_row(split, *cells, when)
    examples = ", ".join(f"{count:,} {kind}" for kind, count in report["examples"].items())
    table.caption = f"training examples: {examples}; leaks found: {report['leak_check']['leaks']}"
    left_out = report.get(PERSONALISED, {}).get("left_out", {})
    if any(left_out.values()):
        told = ", ".join(f"{count:,} {kind}" for kind, count in left_out.items() if count)
        table.caption += f"; searches of shoppers that are no examples of words and history together: {told}"
    return table


def _changes(report: dict[str, Any]) -> Iterator[Any]:
    table = _table("What cleaning changed", "table", "change", "count", "for example")
    for name in TABLES:
        for kind, entry in report.get(name, {}).get("cleaning", {}).items():
            example = entry["examples"][0] if entry["examples"] else ""
            table.add_row(name, kind, f"{entry['count']:,}", _escaped(example))
    yield table if table.row_count else "Cleaning changed nothing."


def _faults(report: dict[str, Any]) -> Iterator[Any]:
    table = _table("Faulty rows, dropped (the first of each table)", "file", "row", "what is wrong")
    for name in TABLES:
        for fault in report.get(name, {}).get("faults", {}).get("first", []):
            table.add_row(_escaped(fault["file"]), f"{fault['row']:,}", _escaped(fault["what"]))
    yield table if table.row_count else "No faulty rows."


def _values(report: dict[str, Any]) -> Iterator[Any]:
    table = _table("Values that cannot be read, left empty (the first of each table)", "file", "row", "what is wrong")
    for name in TABLES:
        for value in report.get(name, {}).get("values", {}).get("first", []):
            table.add_row(_escaped(value["file"]), f"{value['row']:,}", _escaped(value["what"]))
    if table.row_count:
        yield table
