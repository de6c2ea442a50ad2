"""The calls of `import tfrec` with what people give them: one sentence each, and short to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tfrec
from tfrec.config import Config, parse_config
from tfrec.errors import ConfigError, EvaluationError, TrainingError

SHOP: dict[str, Any] = {"name": "shop", "data": {"items": "items.csv", "searches": "searches.csv"}}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Config(nme="x", data={"items": "i.csv"}), "unknown key nme, the nearest key is name"),
        (
            lambda: Config(**SHOP, training={"epoch": 3}),
            "unknown key training.epoch, the nearest key is training.epochs",
        ),
        (lambda: Config(**SHOP, training={"epochs": "many"}, seed=-1), "seed: .*; training.epochs: input should be"),
        (lambda: Config.model_validate({**SHOP, "trainig": {}}), "unknown key trainig, the nearest key is training"),
        (lambda: setattr(parse_config(SHOP), "trainig", 3), "Config: unknown key trainig, the nearest key is training"),
        (lambda: setattr(parse_config(SHOP).training, "epochs", -1), "TrainingConfig: epochs: input should be greater"),
        (lambda: setattr(parse_config(SHOP).training, "epochs", True), "a valid number, not true"),
        (lambda: tfrec.train(5), "A configuration is needed, or the path of its file, not a int"),
        (lambda: tfrec.train("nowhere.yaml"), "There is no configuration file nowhere.yaml"),
        (lambda: tfrec.load("nowhere.yaml"), "There is no configuration file nowhere.yaml"),
        (lambda: tfrec.prepare(Path("nowhere.yaml")), "There is no configuration file nowhere.yaml"),
        (lambda: tfrec.prepare({**SHOP, "nme": "x"}), "unknown key nme"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(make: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_prepare_takes_the_path_of_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item_id,title\n" + "".join(f"I{n},lamp {n}\n" for n in range(20)))
    (tmp_path / "searches.csv").write_text("query,item_id\n" + "".join(f"lamp {n},I{n}\n" for n in range(20)))
    (tmp_path / "shop.yaml").write_text("name: shop\ndata: {items: items.csv, searches: searches.csv}\n")
    shop = tfrec.prepare(str(tmp_path / "shop.yaml"))
    assert shop.size == 20 and shop.folder.parent == tmp_path / "runs" / "shop" / "data"
    assert repr(shop) == f"ShopData('{shop.folder}': 20 items, searches)"


def test_evaluate_and_export_say_what_they_take() -> None:
    from tfrec.pipeline.trained import TrainedShop

    shop = TrainedShop(parse_config(SHOP), None, None, "", {})  # type: ignore[arg-type]
    with pytest.raises(EvaluationError, match="'test' or 'folds', not on 'train': it has seen its training"):
        tfrec.evaluate(shop, "train")
    with pytest.raises(EvaluationError, match="'dev', 'test' or 'folds', not on 'valid'"):
        tfrec.evaluate(shop, "valid")
    for call in (tfrec.evaluate, tfrec.export):
        with pytest.raises(TrainingError, match=r"takes what tfrec.train or tfrec.load gave, not a Config"):
            call(parse_config(SHOP))


def test_reports_and_metrics_are_short_to_look_at() -> None:
    import numpy as np

    from tfrec.evaluation.metrics import evaluate_rankings
    from tfrec.evaluation.table import build_report

    truth = {f"q{n}": {f"i{n}": 1.0} for n in range(300)}
    generator = np.random.default_rng(0)
    systems = {
        name: evaluate_rankings(truth, {q: [(f"i{n}", 1.0) for n in generator.permutation(300)[:50]] for q in truth})
        for name in ("tfrec", "BM25")
    }
    report = build_report(systems, ["BM25"], title="Search")
    for shown in (report, systems["tfrec"]):
        assert len(repr(shown)) < 300 and "\n" not in repr(shown), repr(shown)
    assert repr(report).startswith("Report('Search', n = 300, nDCG@10: tfrec 0.")
