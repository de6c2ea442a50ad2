"""`tfrec compare` on a shop's own files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.comparing.shoppers import ITEMS, rankings, tastes, write_events
from tfrec.cli.main import app
from tfrec.export.ranking import Ranking


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    write_events(folder / "events.ndjson", "team_draft", 120, 1.5, before=300)
    (folder / "items.csv").write_text("item_id,title\n" + "".join(f"P{item},thing {item}\n" for item in range(ITEMS)))
    (folder / "shop.yaml").write_text("name: compared\ndata: {items: items.csv, search_log: events.ndjson}\n")
    return folder / "shop.yaml"


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["compare", *words])
    return done.exit_code, done.output if done.exit_code else done.stdout  # progress of a slow reading goes to stderr


def test_an_experiment_is_read_from_the_shops_log_and_nothing_is_left_behind(shop: Path) -> None:
    code, told = run("analyse", "-c", str(shop), "--planned", "120")
    assert code == 0, told
    assert "june: team_draft, 180 searches of 120 sessions, 120 units (visitors)" in told
    assert "prefer b" in told and "Guard, latency in ms" in told and "seen before" not in told
    found = json.loads(run("analyse", "-c", str(shop), "--json", "--unit", "session")[1])
    assert found["fixed"]["difference"] > 0 and found["units"] == 120
    assert not [path for path in (shop.parent / "runs").rglob("*") if path.is_file() and "parquet" in path.name]


def test_a_plan_says_how_many_sessions_each_effect_needs(shop: Path) -> None:
    code, told = run("plan", "-c", str(shop), "--effect", "0.05", "--effect", "9", "--json")
    assert code == 0, told
    found = json.loads(told)
    [plan] = found["plans"]
    assert plan["effect"] == 0.05 and plan["interleaving"] * 10 < plan["ab"]
    assert 0.05 < found["most"] < 9 and found["sessions"] > 250


def test_a_mistake_is_one_sentence(shop: Path) -> None:
    code, told = run("analyse", "-c", str(shop), "--experiment", "july")
    assert code == 2 and "The log has no experiment 'july', but 'june'." in told
    assert run("plan", "-c", str(shop), "--effect", "-1")[0] == 2


def test_a_version_that_nobody_saw_is_estimated_where_the_log_can_tell(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version is the better one of the interleaved two; then one that shows what nobody was shown."""
    taste = rankings(tastes(), 2.0, 5)

    class Version:
        shift = 0

        def search(self, queries: list[str], k: int, _: str) -> Ranking:
            ids = [[f"P{item + self.shift}" for item in taste[int(query.split()[0])][:k]] for query in queries]
            return Ranking(np.array(ids, object), np.zeros((len(queries), k), np.float32))

    version = Version()
    monkeypatch.setattr("tfrec.lifecycle.experiments.LoadedModel.open", lambda path: version)
    code, told = run("estimate", "7", "-c", str(shop))
    assert code == 3, "of the second place on, a draft says little"
    code, told = run("estimate", "7", "-c", str(shop), "--depth", "1", "--json")
    found = json.loads(told)
    assert code == 0 and found["overlap"]["supported"] > 0.95
    assert found["dr"]["gain"] > 0 and abs(found["overlap"]["mean_weight"] - 1) < 0.2
    version.shift = 50
    code, told = run("estimate", "7", "-c", str(shop))
    assert code == 3 and "No estimate: 100% of the ranking's places hold an item that the log never" in told
