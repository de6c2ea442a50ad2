"""Which weeks of a log are held out: those in which searches are evaluated by time give no labels either."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tfrec.config import Config, DataConfig
from tfrec.data.ages import DAY
from tfrec.data.personalised.events import events_of, log_actions

NEVER = 2**62  # a second that no log reaches
_PAST = 0.5  # of the log's time, the least that must be left to learn from


@dataclass(frozen=True)
class HeldOutWeeks:
    """The time of a log in which nothing is learned.

    Attributes:
        dev: first second of the weeks that choose.
        test: first second of the weeks that are only reported, at least `dev`.
        evaluated: whether the searches of these weeks are; a log too short to learn from what is left is not split by
            time, and what purchases hold out of it is left out.
        labels_before: labels come from what was done before this second; None: from the whole log, of whose shoppers
            nobody is evaluated.
    """

    dev: int = NEVER
    test: int = NEVER
    evaluated: bool = True
    labels_before: int | None = None

    @property
    def split(self) -> pl.Expr:
        """train, dev or test, by the column time."""
        late = pl.when(pl.col("time") >= self.test).then(pl.lit("test"))
        return late.when(pl.col("time") >= self.dev).then(pl.lit("dev")).otherwise(pl.lit("train")).alias("split")


def held_out_weeks(
    config: Config, data: DataConfig, shares: Sequence[Path], rows: pl.DataFrame, interactions: Iterable[pl.DataFrame],
    cuts: dict[str, int],
) -> HeldOutWeeks:  # fmt: skip
    """The last days of a log by data.split, and nothing that purchases still train on.

    Args:
        config: the whole configuration: what becomes of ids.
        data: section data.
        shares: folders of the joined log.
        rows: item_id and item of the catalogue.
        interactions: parts of the purchases of all splits; nothing where they have no times to compare.
        cuts: first second of the dev and of the test window of purchases, where there are some.
    """
    searches, actions = log_actions(shares, rows)  # read again for the table: held meanwhile it would crowd the labels
    split = data.split
    if not searches.height or split.dev_days == split.test_days == 0:
        return HeldOutWeeks()
    first, last = int(searches["time"].min()), int(searches["time"].max())  # type: ignore[arg-type]
    test = max(last - round(split.test_days * DAY) + 1, cuts.get("test", 0)) if split.test_days > 0 else last + 1
    own = test - round(split.dev_days * DAY) if split.dev_days > 0 else test
    dev = min(max(own, cuts.get("dev", 0)) if split.dev_days > 0 else test, test)
    if dev - first < _PAST * (last - first):
        bought = min(cuts.values(), default=NEVER)
        return HeldOutWeeks(bought, bought, evaluated=False)
    known = _anyone_known(searches.filter(pl.col("time") >= dev), events_of(config, searches, actions, interactions))
    return HeldOutWeeks(dev, test, labels_before=dev if known else None)


def _anyone_known(searches: pl.DataFrame, events: pl.DataFrame) -> bool:
    """Whether some search has a history: else there is nothing about its shopper that labels could tell."""
    first = events.group_by("user_id").agg(pl.col("known").min())
    return bool(searches.join(first, on="user_id").select((pl.col("known") < pl.col("time")).any()).item())
