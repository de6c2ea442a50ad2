"""What a condition on an item column looks like, and what is wrong with one, in one sentence. Needs no TensorFlow.

The graph knows the same rules (tfrec.retrieval.filters); here they are asked before it, because a graph's complaint
names the node and not the condition.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Literal

Kind = Literal["text", "number"]
# Both are read by TensorFlow's RE2 as well. A column's name holds none of the operators' characters.
CONDITION = r"(?s)^\s*([^<>=]*[^<>=\s])\s*(<=|>=|=)\s*(.*?)\s*$"
NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
MUST_READ = "must read column=value, column<=number or column>=number"
_CONDITION, _NUMBER = re.compile(CONDITION, re.ASCII), re.compile(NUMBER)
_BLANK = " \t\n\v\f\r"
_SHOWN = 80


def wrong_condition(conditions: Iterable[str], columns: Mapping[str, Kind] | None = None) -> str:
    """Looks for a condition that cannot be answered.

    Args:
        conditions: such as "price<=50"; blank ones are no conditions.
        columns: kind by name of the columns that can be filtered; None where that is not known.

    Returns:
        One sentence about the first wrong one, without a full stop; "" if there is none.
    """
    for condition in conditions:
        if condition.strip(_BLANK) and (told := _wrong(condition, columns)):
            return told
    return ""


def wrong_diversity(diversity: float) -> str:
    """One sentence, without a full stop, about a diversity that is not within 0..1; "" if it is."""
    if 0.0 <= diversity <= 1.0:
        return ""
    return f"diversity must lie between 0 and 1, but is {diversity:g}"


def _wrong(condition: str, columns: Mapping[str, Kind] | None) -> str:
    shown = repr(condition if len(condition) <= _SHOWN else condition[:_SHOWN] + "…")
    found = _CONDITION.match(condition)
    if found is None:
        return f"the filter {shown} cannot be read: it {MUST_READ}"
    name, operator, value = found.groups()
    kind = None
    if columns is not None:
        kind = columns.get(name)
        if kind is None:
            names = ", ".join(columns) or "none (configure retrieval.filters and export again)"
            return f"the filter {shown} asks for an unknown column; columns that can be filtered: {names}"
    if kind == "text" and operator != "=":
        return f"the filter {shown} does not fit: the column {name} holds text and can only be asked for with ="
    if (kind == "number" or operator != "=") and not _is_number(value):
        return f"the filter {shown} must have a number after {operator}, such as 1234.50"
    return ""


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and math.isfinite(float(text))
