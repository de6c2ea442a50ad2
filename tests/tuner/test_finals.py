"""Who wins: a gain that is not luck over fresh seeds; and what the search leaves for people and tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrec.config import Config, load_config
from tfrec.config.tuning import TuneConfig
from tfrec.errors import BusyError
from tfrec.tuner.budget import is_spent
from tfrec.tuner.finals import Finalist, Finals, finalists_of, gains
from tfrec.tuner.folder import Order, Outcome, alone_at_search, trial_folder, write_curve, write_order
from tfrec.tuner.halving import Halt
from tfrec.tuner.importance import importance
from tfrec.tuner.plan import Plan
from tfrec.tuner.plots import time_front
from tfrec.tuner.report import html_report
from tfrec.tuner.results import TrialResult, best_of
from tfrec.tuner.search import report_as_it_stands, search
from tfrec.tuner.search_result import SearchResult
from tfrec.tuner.space import space_of
from tfrec.tuner.tables import sentences


def _trial(number: int, score: float | None, stopped: str = "finished", **values: Any) -> TrialResult:
    return TrialResult(number, values, score, 10.0 + number, 5, 12.0, stopped if score is not None else "")


def test_only_whole_trials_above_the_default_are_finalists() -> None:
    trials = [
        _trial(0, 0.5, a=1), _trial(1, 0.9, "hopeless", a=2), _trial(2, 0.8, "rung", a=3), _trial(3, 0.7, a=4),
        _trial(4, 0.7, a=4), _trial(5, None, a=5), _trial(6, 0.6, "patience", a=6), _trial(7, 0.5, a=7),
    ]  # fmt: skip
    assert [trial.number for trial in finalists_of(trials, 5)] == [3, 6]
    assert [trial.number for trial in finalists_of(trials, 1)] == [3]


def test_the_mean_gain_is_the_difference_of_the_dev_scores() -> None:
    rng = np.random.default_rng(0)
    own, other = ({"search": dict(zip("abc", rng.random(3), strict=True)),
                   "recommendation": {str(n): v for n, v in enumerate(rng.random(50))}} for _ in range(2))  # fmt: skip

    def score(values: dict[str, dict[str, float]]) -> float:
        return float(np.mean([np.mean(list(part.values())) for part in values.values()]))

    assert gains(own, other).mean() == pytest.approx(score(own) - score(other))
    assert gains(own, own).tolist() == [0.0] * 53


@pytest.mark.parametrize(("gain", "wins"), [(0.08, True), (0.002, False)])
def test_a_finalist_wins_by_a_gain_that_is_not_luck(gain: float, wins: bool) -> None:
    from tfrec.tuner import finals

    rng = np.random.default_rng(1)

    def outcome(plus: float) -> Outcome:
        return Outcome(0.5 + plus, facts={"values": {"search": {f"q{n}": 0.5 + plus + e for n, e in enumerate(noise)}}})

    rows = []
    for _ in range(3):
        noise = rng.normal(0, 0.1, 60)
        mine = outcome(gain)
        noise = rng.normal(0, 0.1, 60)
        rows.append((mine, outcome(0.0)))
    compared, crossed = finals._compare([mine for mine, _ in rows], [other for _, other in rows], 0)
    trial = _trial(3, 0.6)
    found = Finals([1, 2, 3], [0.5] * 3, [Finalist(trial, [0.5 + gain] * 3, compared, crossed)], 0.025)
    assert (found.winner is trial) == wins and compared is not None and compared.seeds == 3 and crossed is not None


@pytest.mark.slow
def test_a_better_configuration_is_found_and_everything_is_left_for_people(
    analytic: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    import polars as pl

    vary = {
        "training.learning_rate": {"low": 1e-5, "high": 1e-4, "log": True},
        "augment.policy": ["none", "light"],
        "augment.magnitude": {"low": 0.5, "high": 2.0, "when": {"augment.policy": ["light"]}},
    }
    monkeypatch.setenv("ANALYTIC_FAILS", "2:training")
    config = analytic(evaluations=3, oracle="random", trials=9, vary=vary, finals={"finalists": 1, "seeds": 2})
    result = search(config, "analytic_objective")
    assert result is not None and result.finals is not None and result.finals.winner is result.best
    assert result.best.number and all(seed != config.seed for seed in result.finals.seeds)
    found = load_config(result.best_config)
    assert found.training.learning_rate == result.best.values["training.learning_rate"] and found.seed == config.seed
    folder = result.best_config.parent
    assert not list(folder.glob("finals/*/checkpoints")) and result.candidate_config is None
    table = pl.read_parquet(folder / "trials.parquet")
    assert table["number"].to_list() == list(range(9)) and table["status"][2] == "failed"
    assert table["score"].to_list() == [trial.score for trial in result.trials]
    without = table.filter(pl.col("augment.policy") == "none")
    assert without["augment.magnitude"].null_count() == len(without) > 0
    assert any("is better than the default" in sentence for sentence in sentences(result))
    page = (folder / "report.html").read_text("utf-8")
    _check_page(page)
    assert all(title in page for title in ("Parallel coordinates", "Importance", "Learning curves", "Time and score"))
    assert "it diverged: lower the rate" in page and "<script" not in page and "http" not in page
    assert _hparams(folder / "tensorboard" / "trial_0") == {"training.learning_rate": 1e-5, "augment.policy": "none"}
    (folder / "result.json").unlink()  # as while it runs
    report_as_it_stands(Plan(config, space_of(config), "analytic_objective"))
    assert "The search has not ended; 9 trials have." in (folder / "report.html").read_text("utf-8")
    with alone_at_search(folder), pytest.raises(BusyError, match="is in use: process .* is searching there since"):
        search(config, "analytic_objective")


def test_what_a_search_says_is_escaped(analytic: Callable[..., Config], tmp_path: Path) -> None:
    trials = [_trial(0, 0.5, **{"encoder.freeze": "none"}), _trial(1, 0.6, **{"encoder.freeze": "pattern:<b>&"})]
    failed = replace(_trial(2, None), reason="<script>alert(1)</script>")
    result = SearchResult([*trials, failed], trials[1], None, tmp_path / "<i>.yaml")
    config = analytic(vary={"encoder.freeze": ["none", "pattern:<b>&"]})
    page = html_report(Plan(config, space_of(config)), result)
    _check_page(page)
    assert "<b>" not in page and "<i>" not in page and "<script" not in page and "pattern:&lt;b&gt;&amp;" in page


def test_a_trial_cut_short_is_best_only_where_none_is_whole() -> None:
    assert best_of([_trial(0, 0.5), _trial(1, 0.9, "rung"), _trial(2, 0.6)]) == _trial(2, 0.6)
    assert best_of([_trial(0, None), _trial(1, 0.9, "rung")]) == _trial(1, 0.9, "rung")


def test_unequal_steps_in_the_same_minutes_are_told(tmp_path: Path) -> None:
    trials = [replace(_trial(n, 0.5, rate=0.1 * n), steps=steps) for n, steps in enumerate((100, 60, 95))]
    told = " ".join(sentences(SearchResult(trials, trials[0], None, tmp_path / "best.yaml")))
    assert "between 60 and 100 steps" in told
    trials[1] = replace(trials[1], values={"training.batch_size": 128})
    assert "same minutes" not in " ".join(sentences(SearchResult(trials, trials[0], None, tmp_path / "best.yaml")))


def test_time_is_kept_for_the_finals() -> None:
    trials = [_trial(n, 0.5) for n in range(4)]  # of 12 s each
    settings = TuneConfig(minutes=2.9, finals={"finalists": 2, "seeds": 3})  # type: ignore[arg-type]
    assert not is_spent(settings, trials[:1], 1, 0), "12 + 12 + 9 * 12 s"
    assert is_spent(settings, trials[:4], 1, 1), "4 * 12 + 2 * 12 + 9 * 12 s"
    assert not is_spent(settings, trials[:4], 2, 1) and not is_spent(TuneConfig(), trials, 1, 9)


def test_a_trial_below_the_median_is_hopeless_unless_it_is_the_default(
    analytic: Callable[..., Config], tmp_path: Path
) -> None:
    for number, score in enumerate((0.1, 0.5, 0.6, 0.7)):
        write_order(trial_folder(tmp_path, number), analytic(), Order(number, "x"))
        write_curve(trial_folder(tmp_path, number), {1: [10, score], 2: [20, score + 0.1]})

    def says(number: int, score: float, progress: float = 0.5) -> str | None:
        history = [{"step": 0, "score": 0.9}, {"step": 10, "score": score}]  # untrained scores do not count
        there = trial_folder(tmp_path / str(score), number)
        for other in range(4):
            if other != number:
                write_order(trial_folder(tmp_path / str(score), other), analytic(), Order(other, "x"))
                write_curve(trial_folder(tmp_path / str(score), other), {1: [10, 0.1 + 0.2 * other]})
        there.mkdir(parents=True, exist_ok=True)
        return Halt(there, Order(number, "x", stop_hopeless=True), 2)(progress, history)

    assert says(9, 0.05) == "hopeless" and says(9, 0.65) is None
    assert says(0, 0.04) is None, "the default trains to its end"
    assert says(9, 0.03, 1.0) is None, "at its end there is nothing to save"


def test_what_decides_the_score_is_important() -> None:
    rng = np.random.default_rng(0)
    trials = []
    for number in range(30):
        x, y = rng.random(2)
        trials.append(_trial(number, float(x), decides=float(x), idle=float(y), same=1.0))
    shares = importance(trials, ["idle", "decides", "same"])
    assert next(iter(shares)) == "decides" and shares["decides"] > 0.8 and sum(shares.values()) == pytest.approx(1)
    assert importance(trials[:5], ["idle"]) == {}


def test_the_front_holds_what_is_faster_or_better() -> None:
    trials = [_trial(0, 0.5), _trial(1, 0.4), _trial(2, 0.6), _trial(3, 0.6), _trial(4, None), _trial(5, 0.7)]
    assert [trial.number for trial in time_front(trials)] == [0, 2, 5]


def _check_page(page: str) -> None:
    """Every element is closed, so that a browser shows what was meant."""
    empty, stack = {"meta", "line", "rect", "circle"}, []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            if tag not in empty or (tag == "circle"):
                stack.append(tag)

        def handle_startendtag(self, tag: str, attrs: Any) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert stack.pop() == tag

    Reader().feed(page)
    assert not stack and "nan" not in page.split("<svg", 1)[1]


def _hparams(folder: Path) -> dict[str, Any]:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.plugins.hparams import plugin_data_pb2

    (file,) = folder.glob("events*")
    for event in EventFileLoader(str(file)).Load():
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "hparams":
                data = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
                if data.HasField("session_start_info"):
                    hparams = data.session_start_info.hparams
                    return {name: getattr(hparams[name], hparams[name].WhichOneof("kind")) for name in hparams}
    return {}
