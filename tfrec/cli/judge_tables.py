"""What `tfrec judge report` prints: judges, how far they agree, and pairs to talk about."""

from __future__ import annotations

from typing import Any

from tfrec.pipeline.judging.report import JudgingReport


def told_of(report: JudgingReport, most: int) -> list[Any]:
    """Sentences and tables for the terminal.

    Args:
        report: what was judged.
        most: doubtful pairs that are shown.
    """
    from rich.markup import escape
    from rich.table import Table

    told: list[Any] = [f"{report.pairs:,} pairs of {report.queries:,} queries are judged."]
    judges = Table(title="Judges", title_justify="left", title_style="bold")
    judges.add_column("judge", overflow="fold")
    for name in ("0", "1", "2", "3", "all", "mean"):
        judges.add_column(name, justify="right")
    for judge, counts in report.by_judge.items():
        total = sum(counts)
        mean = sum(grade * count for grade, count in enumerate(counts)) / total
        judges.add_row(escape(judge), *(f"{count:,}" for count in [*counts, total]), f"{mean:.2f}")
    if report.by_judge:
        told.append(judges)
    alpha = report.alpha
    if alpha.value is None:
        told.append("Agreement needs pairs that two judged, and grades that differ.")
    else:
        told.append(
            f"Krippendorff's alpha (ordinal) {alpha.value:.3f}{alpha.between} by {alpha.units:,} pairs that several "
            "judged; from .8 on grades are taken for reliable, from .667 on for usable with care."
        )
    for one, other, kappa, pairs in report.kappas:
        value = "not to be told" if kappa is None else f"{kappa:.3f}"
        told.append(escape(f"Weighted kappa (quadratic) of {one} and {other}: {value}, {pairs:,} pairs."))
    told += [escape(sentence) for one in report.machines for sentence in one.sentences()]
    if report.doubtful:
        doubts = Table(title="Pairs to talk about", title_justify="left", title_style="bold")
        for name in ("query", "item", "grades"):
            doubts.add_column(name, overflow="fold")
        for doubt in report.doubtful[:most]:
            given = ", ".join(f"{judge} {grade}" for judge, grade in doubt.grades.items())
            doubts.add_row(escape(doubt.query), escape(doubt.item_id), escape(given))
        told.append(doubts)
    return told
