"""Which experiment a search took part in, as its log says: a version of A/B, or the teams of an interleaved list.

In UBI it is the object query_attributes.experiment, as `tfrec.serving.client.Experiment` writes it; in a table the
column `experiment` holds the same as JSON, or an experiment's name beside the column `variant`.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl

_TEXTS = ("name", "method", "variant", "failed")
_NUMBERS = ("latency_ms_a", "latency_ms_b", "results_a", "results_b")
_LISTS: dict[str, Any] = {
    "listed": pl.String,
    "teams": pl.String,
    "rank_a": pl.Int32,
    "rank_b": pl.Int32,
    "propensities": pl.Float64,
}
# As records have it; all leaves are texts, which any JSON value can be read as.
EXPERIMENT = pl.Struct(
    {**dict.fromkeys((*_TEXTS, *_NUMBERS), pl.String), **dict.fromkeys(_LISTS, pl.List(pl.String))}
)  # fmt: skip
# As a joined log's column `attribution` is decoded.
ATTRIBUTION = pl.Struct(
    {
        **dict.fromkeys(_TEXTS, pl.String), **dict.fromkeys(_NUMBERS, pl.Float64),
        **{name: pl.List(kind) for name, kind in _LISTS.items()},
    }
)  # fmt: skip
_VARIANTS = {name: team for team, names in {"a": "a control", "b": "b treatment"}.items() for name in names.split()}
METHODS = ("ab", "team_draft", "balanced", "randomised")


def experiment_text(frame: pl.DataFrame) -> pl.Expr:
    """query_attributes.experiment of records as JSON texts, null where there is none."""
    kind: Any = frame.schema.get("query_attributes")
    if kind == pl.String:
        return pl.col("query_attributes").str.json_path_match("$.experiment")
    fields = {field.name: field.dtype for field in kind.fields} if isinstance(kind, pl.Struct) else {}
    if "experiment" not in fields:
        return pl.lit(None, pl.String)
    found = pl.col("query_attributes").struct.field("experiment")
    if not isinstance(fields["experiment"], pl.Struct):
        return found.cast(pl.String, strict=False)
    return pl.when(found.is_not_null()).then(found.struct.json_encode())


def attributions(experiment: pl.Series, variant: pl.Series) -> tuple[pl.Series, int]:
    """Experiments as JSON of one form, known keys alone; "" where a row takes part in none.

    Args:
        experiment: texts: an experiment's name, or its JSON.
        variant: texts; whose version a row is of, where `experiment` is a name.

    Returns:
        the texts, and how many could not be read.
    """
    texts, unread = [], 0
    for value, of in zip(experiment, variant, strict=True):
        found = _plain(value, of) if value else ""
        unread += found is None
        texts.append(found or "")
    return pl.Series("attribution", texts, pl.String), unread


def _plain(value: str, variant: str) -> str | None:
    told: Any = {"name": value, "method": "ab", "variant": variant}
    if value.startswith("{"):
        try:
            told = json.loads(value)
        except (ValueError, RecursionError):
            return None
        if not any(entry is not None for entry in told.values()):
            return ""  # a struct of nothing, which a columnar file has in the place of none
    try:
        kept: dict[str, Any] = {name: str(told[name]) for name in _TEXTS if told.get(name) is not None}
        kept |= {name: float(told[name]) for name in _NUMBERS if told.get(name) is not None}
        for name, kind in _LISTS.items():
            if told.get(name) is not None:
                as_kind = str if kind == pl.String else float if kind == pl.Float64 else int
                kept[name] = [as_kind(entry or ("" if as_kind is str else 0)) for entry in told[name]]
    except (TypeError, ValueError, AttributeError):
        return None
    kept["variant"] = _VARIANTS.get(kept.get("variant", "").strip().lower(), kept.get("variant", ""))
    if kept.get("method") not in METHODS or not kept.get("name"):
        return None
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def with_attribution(searches: pl.DataFrame) -> pl.DataFrame:
    """The searches that took part in an experiment, with the fields of ATTRIBUTION as columns."""
    some = searches.filter(pl.col("attribution") != "")
    if not some.height:
        fields = {field.name: field.dtype for field in ATTRIBUTION.fields}
        return some.drop("attribution").with_columns(pl.lit(None, kind).alias(name) for name, kind in fields.items())
    return some.with_columns(pl.col("attribution").str.json_decode(ATTRIBUTION)).unnest("attribution")
