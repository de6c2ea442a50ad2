"""Cells that name several pictures: addresses one after the other, or a list as JSON writes it."""

from __future__ import annotations

import polars as pl

_NEXT = r"\s*[,|;\s]\s*(https?://|/)"  # between the addresses of one cell
_BETWEEN = "\u001f"
_LIST = r"^\s*\[\s*[\"'].*[\"']\s*\]\s*$"


def pictures_of(cell: pl.Expr) -> pl.Expr:
    """The pictures that a cell names, List(String); names of files may hold blanks and commas, so one alone stays."""
    bare = cell.str.replace(r"^\s*\[\s*[\"']", "").str.replace(r"[\"']\s*\]\s*$", "")
    listed = bare.str.replace_all(r"[\"']\s*,\s*[\"']", _BETWEEN)
    parted = cell.str.replace_all(_NEXT, _BETWEEN + "$1")
    return pl.when(cell.str.contains(_LIST)).then(listed).otherwise(parted).str.split(_BETWEEN)


def first_picture(cell: pl.Expr) -> pl.Expr:
    """The first of them, String; "" for none."""
    return pictures_of(cell).list.first().fill_null("").str.strip_chars()
