"""What a layout's expected.json holds: the tables as tfrec understood them, and everything it counted on the way."""

from __future__ import annotations

from typing import Any

from tfrec.data.discovery.understood import Understood


def told(found: Understood) -> dict[str, Any]:
    """The tables as plain JSON, without the columns that are made of others."""
    tables = {}
    for name, frame in found.frames.items():
        report = found.reports[name].to_json()
        shown = frame.drop([column for column in ("text", "key", "item") if column in frame.columns])
        tables[name] = {
            "columns": shown.columns,
            "rows": [[round(v, 4) if isinstance(v, float) else v for v in row] for row in shown.rows()],
            "read": report["rows_read"],
            "faults": report["faults"]["kinds"],
            "changed": {kind: entry["count"] for kind, entry in report["cleaning"].items()},
        }
    return tables
