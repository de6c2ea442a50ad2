"""The attribution of a compared answer survives: client -> event file -> joined log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tfrec.config.preparation import CleaningConfig
from tfrec.config.search_log import SearchLogConfig
from tfrec.data.logs.attribution import with_attribution
from tfrec.data.logs.joining import Joined, joined
from tfrec.data.logs.reading import log_rows
from tfrec.data.report import TableReport
from tfrec.serving.client import Client, ClientError, Compared, Experiment, Hit

WHEN = datetime(2025, 3, 1, 12, tzinfo=timezone.utc)


class Answers(Client):
    """Answers as a server would, or fails."""

    def __init__(self, items: Sequence[str] | None) -> None:
        self._items = items

    def search(self, queries: Any, k: int = 10, *_: Any, **__: Any) -> list[list[Hit]]:  # type: ignore[override]
        if self._items is None:
            raise ClientError("UNAVAILABLE", "No server answers.")
        return [[Hit(item, 9.0 - place) for place, item in enumerate(self._items[:k])]]


def read(path: Path, **settings: object) -> Joined:
    config = SearchLogConfig.model_validate({"path": path.name, **settings})
    report = TableReport("search_log", CleaningConfig())
    return joined(pl.concat(list(log_rows(path, config, path.parent, CleaningConfig(), report))), config)


def clicked(item: str, query_id: str) -> dict[str, Any]:
    return {
        "action_name": "click", "query_id": query_id, "client_id": "ann", "timestamp": "2025-03-01T12:00:09Z",
        "event_attributes": {"object": {"object_id": item}},
    }  # fmt: skip


@pytest.mark.parametrize("method", ["team_draft", "balanced", "ab"])
@pytest.mark.parametrize("form", ["ndjson", "parquet"])
def test_what_a_click_belongs_to_survives_the_event_file(method: Any, form: str, tmp_path: Path) -> None:
    with Experiment(Answers(["S1", "S2", "S3"]), Answers(["S1", "S4", "S2"]), "june", method) as experiment:
        answer = experiment.search("red sofa", "s7", k=3)
        assert experiment.search("red sofa", "s7", k=3).hits == answer.hits
    records = [answer.ubi_query("q1", "ann", "s7", when=WHEN), clicked(answer.hits[1].item_id, "q1")]
    records.append({**records[0], "query_id": "q2", "user_query": "lamp"})
    del records[2]["query_attributes"]
    path = tmp_path / f"events.{form}"
    if form == "ndjson":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    else:
        pl.DataFrame(records, infer_schema_length=None).write_parquet(path)
    found = read(path)
    assert found.searches.height == 2
    [told] = with_attribution(found.searches).to_dicts()
    assert told["items"] == [hit.item_id for hit in answer.hits]
    assert (told["name"], told["method"], told["query"]) == ("june", method, "red sofa")
    for name, value in answer.attribution.items():
        assert told[name] == value, name
    assert found.actions["item_id"].to_list() == [answer.hits[1].item_id]
    if method == "team_draft":
        assert [hit.team for hit in answer.hits][0] == "" and {hit.team for hit in answer.hits[1:]} == {"a", "b"}
        assert answer.attribution["propensities"][0] == 1.0
    if method == "ab":
        assert answer.attribution["variant"] in ("a", "b")


def test_a_table_names_an_experiment_and_a_variant(tmp_path: Path) -> None:
    lines = [
        "visitor_id,timestamp,action,query,item_id,experiment,variant",
        "ann,2025-01-01T10:00:00Z,search,sofa,,june,treatment",
        "bob,2025-01-01T10:00:00Z,search,sofa,,june,Control",
        "eve,2025-01-01T10:00:00Z,search,sofa,,,",
        'joe,2025-01-01T10:00:00Z,search,sofa,,"{""name"": 5, ""method"": ""team_draft"", ""teams"": [""a""]}",',
        "zoe,2025-01-01T10:00:00Z,search,sofa,,{broken,",
    ]
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    found = with_attribution(read(tmp_path / "log.csv").searches).sort("visitor")
    assert found.select("visitor", "name", "method", "variant").rows() == [
        ("ann", "june", "ab", "b"), ("bob", "june", "ab", "a"), ("joe", "5", "team_draft", ""),
    ]  # fmt: skip


def test_where_one_version_fails_the_other_answers_and_nothing_is_credited() -> None:
    with Experiment(Answers(["S1", "S2"]), Answers(None), "june") as experiment:
        answer = experiment.search("sofa", "s1")
    assert [hit[0::2] for hit in answer.hits] == [("S1", ""), ("S2", "")]
    assert answer.attribution["failed"] == "b" and "teams" not in answer.attribution
    with Experiment(Answers(None), Answers(None), "june") as experiment, pytest.raises(ClientError):
        experiment.search("sofa", "s1")


def test_half_of_the_sessions_get_each_variant() -> None:
    experiment = Experiment(Answers([]), Answers([]), "june", "ab")
    given = [experiment.variant(f"s{n}") for n in range(2000)]
    assert 900 < given.count("a") < 1100
    experiment.close()


def test_an_experiment_of_no_method_is_refused() -> None:
    with pytest.raises(ClientError, match="must be one of team_draft, balanced, ab"):
        Experiment(Answers([]), Answers([]), "june", "best")  # type: ignore[arg-type]


def test_empty_answers_merge() -> None:
    with Experiment(Answers([]), Answers(["S1"]), "june") as experiment:
        answer: Compared = experiment.search("sofa", "s1")
        assert [hit[0::2] for hit in answer.hits] == [("S1", "b")]
    with Experiment(Answers([]), Answers([]), "june", "balanced") as experiment:
        assert experiment.search("sofa", "s1").hits == []
