"""From simulated shoppers through the client and the event file to the analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.comparing.shoppers import write_events
from tests.comparing.test_attribution import read
from tfrec.comparing.analysis import Settings, analyse
from tfrec.comparing.outcomes import preferences, with_credit
from tfrec.errors import DataError


@pytest.mark.parametrize("method", ["team_draft", "balanced"])
def test_the_better_version_is_preferred(method: Any, tmp_path: Path) -> None:
    write_events(tmp_path / "events.ndjson", method, 240, 1.5)
    log = read(tmp_path / "events.ndjson")
    found = analyse(log.searches, log.actions, Settings(planned=200))
    assert (found["method"], found["units"], found["searches"]) == (method, 240, 360)
    assert found["fixed"]["shown"] and found["fixed"]["difference"] > 0
    votes = found["preferring"]
    assert votes["b"] > votes["a"] and votes["a"] + votes["b"] + votes["neither"] == 240
    assert found["sequential"]["decided_after"] > 0
    assert found["guards"]["share without results"]["a"] == 0.0
    assert found["guards"]["latency in ms"]["p95_a"] > 0
    assert {part["kind"] for part in found["slices"]} == {"frequency"}
    with pytest.raises(DataError, match="no experiment 'july', but 'june'"):
        analyse(log.searches, log.actions, Settings("july"))


def test_a_and_b_are_compared_with_what_visitors_did_before(tmp_path: Path) -> None:
    write_events(tmp_path / "events.ndjson", "ab", 400, 1.0, before=400)
    log = read(tmp_path / "events.ndjson")
    found = analyse(log.searches, log.actions, Settings())
    assert found["units"] == 400 and not found["warnings"]
    assert found["fixed"]["difference"] == pytest.approx(found["means"]["b"] - found["means"]["a"])
    assert found["cuped"]["known_before"] == 400 and found["guards"]["lists without a click"]["a"] > 0
    assert abs(found["sequential"]["difference"] - found["cuped"]["difference"]) < 1e-9
    few = log.searches.filter(~pl.col("attribution").str.contains('"variant":"b"') | (pl.col("search") % 3 == 0))
    broken = analyse(few, log.actions, Settings())
    assert "no fair split" in broken["warnings"][0]


def test_an_unequal_log_tells_what_to_name(tmp_path: Path) -> None:
    write_events(tmp_path / "events.ndjson", "ab", 10, 1.0, before=10)
    log = read(tmp_path / "events.ndjson")
    plain = log.searches.filter(pl.col("attribution") == "")
    with pytest.raises(DataError, match="No search of the log takes part"):
        analyse(plain, log.actions, Settings())
    both = log.searches.with_columns(
        pl.when(pl.col("search") % 2 == 0).then(pl.col("attribution").str.replace("june", "july"))
        .otherwise("attribution").alias("attribution")
    )  # fmt: skip
    with pytest.raises(DataError, match="several experiments: name one of"):
        analyse(both, log.actions, Settings())


def test_credit_is_as_the_papers_have_it() -> None:
    """Balanced, after Joachims: the lowest click lies at 3 in a, 2 in b, so that the first two of both count."""
    searches = pl.DataFrame(
        {"search": [0], "method": ["balanced"], "visitor": ["v"], "time": [5], "listed": [["p", "q", "r", "s"]],
         "rank_a": [[1, 0, 3, 2]], "rank_b": [[0, 1, 2, 3]]}
    )  # fmt: skip
    actions = pl.DataFrame({"search": [0, 0, 0], "item_id": ["p", "q", "r"], "action": ["click", "cart", "purchase"],
                            "amount": [0.0, 0.0, 7.0]})  # fmt: skip
    credited = with_credit(searches, actions, "click")
    assert credited.select("credit_a", "credit_b").rows() == [(1.0, 2.0)]
    assert preferences(credited, "visitor")["preference"].to_list() == [pytest.approx(1 / 3)]
    drafted = searches.with_columns(pl.lit("team_draft").alias("method"), pl.Series("teams", [["a", "b", "b", ""]]))
    assert with_credit(drafted, actions, "click").select("credit_a", "credit_b").rows() == [(1.0, 2.0)]
    assert with_credit(drafted, actions, "revenue").select("credit_a", "credit_b").rows() == [(0.0, 7.0)]
