"""Weeks of a log in which nothing is learned: where they begin, and that no label comes from them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.data.logged_shop import DAY, ROWS, bought_table, joined_log, table_of
from tfrec.config import Config
from tfrec.data.personalised.table import personalised_searches
from tfrec.data.personalised.weeks import NEVER, HeldOutWeeks, held_out_weeks
from tfrec.data.prepare import prepare


def _weeks(share: Path, bought: pl.DataFrame | None = None, **cuts: int) -> HeldOutWeeks:
    split = {"dev_days": 10, "test_days": 5}
    tree = {"items": "x.csv", "search_log": "log", "privacy": {"hash_ids": []}, "split": split}
    config = Config.model_validate({"data": tree})
    return held_out_weeks(config, config.data, [share], ROWS, [] if bought is None else [bought], cuts)


def test_weeks_are_held_out_of_a_log_that_leaves_enough_to_learn_from(tmp_path: Path) -> None:
    days = (0, 20, 40)
    actions = [(n, "a", "click", day * DAY + 9) for n, day in enumerate(days)]
    share = joined_log(tmp_path / "known", [("u", day * DAY, "sofa", "ab") for day in days], actions)
    dev, test = 25 * DAY + 1, 35 * DAY + 1
    assert _weeks(share) == HeldOutWeeks(dev, test, True, dev)
    later = {"dev": 28 * DAY, "test": 37 * DAY}
    assert _weeks(share, **later) == HeldOutWeeks(28 * DAY, 37 * DAY, True, 28 * DAY), "purchases train until then"
    strangers = joined_log(tmp_path / "strangers", [(f"u{n}", day * DAY, "sofa", "ab") for n, day in enumerate(days)],
                       actions)  # fmt: skip
    assert _weeks(strangers) == HeldOutWeeks(dev, test, True, None), "nobody has a history: labels of the whole log"
    assert _weeks(strangers, bought_table([("u2", "c", DAY)])).labels_before == dev
    short = joined_log(tmp_path / "short", [("u", 38 * DAY, "sofa", "ab"), ("u", 40 * DAY, "sofa", "ab")],
                   [(0, "a", "click", 38 * DAY + 9), (1, "a", "click", 40 * DAY + 9)])  # fmt: skip
    assert _weeks(short) == HeldOutWeeks(NEVER, NEVER, False, None)
    assert table_of(short, None, split={"dev_days": 10}).table["split"].to_list() == ["train"]
    weeks = _weeks(short, dev=38 * DAY - 9, test=41 * DAY)
    assert weeks == HeldOutWeeks(38 * DAY - 9, 38 * DAY - 9, False, None)
    config = Config.model_validate({"data": {"items": "x.csv", "search_log": "log", "privacy": {"hash_ids": []}}})
    found = personalised_searches(config, config.data, [short], ROWS, [], weeks, set(), 0)
    assert not found.table.height and sum(found.told.values()) == 2, "what purchases hold out trains nothing"


@pytest.mark.parametrize("known", [True, False])
def test_clicks_of_held_out_weeks_give_no_labels_where_shoppers_are_evaluated(tmp_path: Path, known: bool) -> None:
    names = ["lamp", "sofa", "rug", "vase"]
    (tmp_path / "items.csv").write_text("item_id,title\n" + "".join(f"{name},a {name}\n" for name in names))
    rows = []
    for day in range(60):
        late = day >= 50
        for query, clicked in (("light", "vase" if late else "lamp"), ("new" if late else "old", "rug")):
            for turn in range(10):
                search, visitor = f"{day}-{query}-{turn}", f"u{turn}" if known else f"{day}-{query}-{turn}"
                at = 1_735_689_600 + day * DAY + turn * 600
                rows += [(search, query, name, "shown", visitor, at, place) for place, name in enumerate(names)]
                rows.append((search, query, clicked, "click", visitor, at + 20, names.index(clicked)))
        if day == 48:  # a search of a training week, bought in the held-out ones
            rows += [("end", "light", name, "shown", "u0", at + 7000, place) for place, name in enumerate(names)]
            rows.append(("end", "light", "sofa", "purchase", "u0", at + 3 * DAY, 1))
    columns = ["query_id", "query", "item_id", "action", "visitor_id", "timestamp", "position"]
    pl.DataFrame(rows, schema=columns, orient="row").write_csv(tmp_path / "log.csv")
    tree = {"root": str(tmp_path), "items": "items.csv", "search_log": "log.csv", "split": {"dev_days": 9.9}}
    shop = prepare(Config.model_validate({"runs_dir": str(tmp_path / "runs"), "data": tree}))
    labels = shop.log_labels
    assert set(labels["query"]) == ({"light", "old"} if known else {"light", "old", "new"})
    clicks = dict(labels.filter(pl.col("query") == "light").select("item_id", "clicks").iter_rows())
    assert clicks["lamp"] == 500 and clicks.get("vase", 0) == (0 if known else 100)
    assert labels["purchases"].sum() == (0 if known else 1)
    told = shop.report["search_log"]["cleaning"]
    kind = "searches of the held-out weeks (data.split), no labels"
    assert (told[kind]["count"] if known else kind not in told) == (200 if known else True)
    assert shop.report["search_log"]["insights"], "what is searched is told of all weeks"
