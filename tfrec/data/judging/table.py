"""Grades of judges as a shop's own file of searches."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from tfrec.data.judging.strokes import GRADES, Grades

COLUMNS = ("query", "item_id", "gain", "title", "judges", "grades")


def judgments_csv(grades: Grades, titles: Mapping[str, str]) -> str:
    """CSV that `data.searches` reads: a row for each query and item, and beside it who gave it which grade.

    The gain is the mean of the judges' grades over the highest grade, from 0 to 1.

    Args:
        grades: of every judged pair.
        titles: by item id, to be read by people; others are empty.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for (query, item), given in grades.items():
        gain = sum(given.values()) / len(given) / max(GRADES)
        who, what = "|".join(given), "|".join(map(str, given.values()))
        rows.writerow([query, item, f"{gain:.4g}", titles.get(item, ""), who, what])
    return text.getvalue()
