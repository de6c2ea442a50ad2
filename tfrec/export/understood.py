"""What the signature `understand` says, as Python values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Understood(NamedTuple):
    """What a query means.

    Attributes:
        text: what is searched where the query is interpreted: without its price wish and what it does not want, mended.
        language: ISO 639-1 code.
        conditions: price wishes and attributes as `filters` take them: "price<=50", "color=red".
        denied: what is not wanted: "leather".
        measures: numbers with units: "50 cm".
        categories: category -> how likely it is, the likeliest first.
    """

    text: str
    language: str
    conditions: list[str]
    denied: list[str]
    measures: list[str]
    categories: dict[str, float]


def understood(found: Mapping[str, Any]) -> list[Understood]:
    """Takes the outputs of the signature apart, one value per query."""
    return [
        Understood(
            _text(found["text"][row]),
            _text(found["language"][row]),
            _texts(found["conditions"][row]),
            _texts(found["denied"][row]),
            _texts(found["measures"][row]),
            dict(zip(_texts(found["categories"][row]), map(float, found["shares"][row]), strict=False)),
        )
        for row in range(len(found["text"]))
    ]


def _text(cell: bytes) -> str:
    return cell.decode("utf-8", "replace")


def _texts(row: Any) -> list[str]:
    return [_text(cell) for cell in row if cell]
