"""Grades of judges as a shop's own file of searches."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from tfrec.data.judging.strokes import GRADES, Grades

COLUMNS = ("query", "item_id", "gain", "weight", "title", "judges", "grades")


def judgments_csv(grades: Grades, titles: Mapping[str, str], machines: Mapping[str, float]) -> str:
    """CSV that `data.searches` reads: a row for each query and item, and beside it who gave it which grade.

    The gain is the mean of the judges' grades over the highest grade, from 0 to 1, and the weight 1. A language model
    has no say where people have judged; its own pairs have its weight.

    Args:
        grades: of every judged pair.
        titles: by item id, to be read by people; others are empty.
        machines: language model among the judges -> weight of its labels; with 0 its grades are left out.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for (query, item), given in grades.items():
        people = {judge: grade for judge, grade in given.items() if judge not in machines}
        told = people or {judge: grade for judge, grade in given.items() if machines[judge] > 0}
        if not told:
            continue
        weight = 1.0 if people else max(machines[judge] for judge in told)
        gain = sum(told.values()) / len(told) / max(GRADES)
        who, what = "|".join(told), "|".join(map(str, told.values()))
        rows.writerow([query, item, f"{gain:.4g}", f"{weight:.4g}", titles.get(item, ""), who, what])
    return text.getvalue()
