"""Augmentation in training: batches that repeat, a second view, stricter masks, and no trace of it when it is off."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tfrec.config import Config, load_config
from tfrec.errors import ConfigError

DROPOUT = "{name: word_dropout, probability: 0.5, strength: 0.5}"
MIX = "{name: mix_positives, field: item, probability: 0.7, strength: 1.0}"


class Shop:
    """The known shop with its encoder; gives batches for overrides."""

    def __init__(self, path: Path, encoder: Any) -> None:
        from tfrec.data.prepare import prepare

        self.path, self.data, self.encoder = path, prepare(load_config(path)), encoder

    def config(self, *overrides: str) -> Config:
        return load_config(self.path, overrides)

    def batches(self, *overrides: str) -> Any:
        from tfrec.training.augmentation import shop_augmentation
        from tfrec.training.pipeline import Batches

        config = self.config(*overrides)
        augmentation = shop_augmentation(config, self.data, self.encoder) if config.augment.policy != "none" else None
        return Batches(config, self.data, self.encoder.tokenize, augmentation=augmentation)

    @functools.cached_property
    def plain(self) -> list[dict[str, Any]]:
        """The first four batches without a policy."""
        return list(self.batches().from_step(0).take(4))

    @functools.cached_property
    def dropped(self) -> list[dict[str, Any]]:
        """The first four batches with DROPOUT."""
        return list(self.batches(f"augment.operations=[{DROPOUT}]").from_step(0).take(4))


@pytest.fixture(scope="module")
def shop(known_shop: Path, known_encoder: Any) -> Shop:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(known_shop.parent / "home"))
        return Shop(known_shop, known_encoder)


def flat(batch: dict[str, Any]) -> dict[str, np.ndarray]:
    return {k: (v.flat_values if hasattr(v, "flat_values") else v).numpy() for k, v in batch.items()}


def same(first: dict[str, Any], second: dict[str, Any], *but: str) -> bool:
    a, b = flat(first), flat(second)
    return set(a) == set(b) and all(np.array_equal(a[name], b[name]) for name in a if name not in but)


def test_augmented_batches_repeat_and_can_be_entered_anywhere(shop: Shop) -> None:
    entries = f"augment.operations=[{DROPOUT}, {{name: word_swap, field: title, start: 0.5, probability: 1.0}}]"
    batches = shop.batches(entries, "training.epochs=0.5")
    first = list(batches.from_step(0).take(6))
    assert all(same(a, b) for a, b in zip(first[3:], batches.from_step(3).take(3), strict=True))
    plain = list(shop.batches("training.epochs=0.5").from_step(0).take(6))
    assert all(same(a, b, "query_tokens", "item_tokens") for a, b in zip(first, plain, strict=True))
    changed = [not same(a, b, "item_tokens") for a, b in zip(first, plain, strict=True)]
    assert sum(changed) >= 3


@pytest.mark.parametrize(("unit", "start", "share"), [("run", 0.5, 0.5), ("epochs", 0.5, 0.25)])
def test_a_schedule_counts_planned_steps_or_epochs(shop: Shop, unit: str, start: float, share: float) -> None:
    swap = f"{{name: word_swap, field: title, start: {start}, probability: 1.0, strength: 1.0}}"
    batches = shop.batches(f"augment.operations=[{swap}]", f"augment.unit={unit}", "training.epochs=2")
    first = round(share * batches.total_steps)
    plain = shop.batches("training.epochs=2").from_step(first - 1).take(batches.total_steps - first + 1)
    acts = [not same(a, b) for a, b in zip(plain, batches.from_step(first - 1), strict=False)]
    assert acts == [False] + [True] * (batches.total_steps - first)


def test_an_extra_view_stands_beside_the_query(shop: Shop) -> None:
    both = shop.batches(f"augment.operations=[{DROPOUT}]", "augment.view=extra")
    a, b, c = shop.plain[0], shop.dropped[0], next(iter(both.from_step(0)))
    assert np.array_equal(flat(c)["query_tokens"], flat(a)["query_tokens"])
    assert np.array_equal(flat(c)["view_tokens"], flat(b)["query_tokens"])
    assert "view_tokens" not in a and "view_tokens" not in b
    assert c["view_tokens"].nrows() == len(c["weight"])


def test_another_positive_is_drawn_from_the_same_group() -> None:
    from tfrec.tensorflow_setup import tf
    from tfrec.training.known_positives import KnownPositives

    known = KnownPositives([0, 0, 1, 2, 2, 2], [3, 7, 4, 0, 5, 9], 10)
    groups, items = tf.constant([0, 1, 2, 2], tf.int64), tf.constant([3, 4, 5, 9], tf.int64)
    found = [known.another(groups, items, tf.fill([4], share)).numpy().tolist() for share in (0.0, 0.49, 0.51, 0.99)]
    assert found == [[7, 4, 0, 0], [7, 4, 0, 0], [7, 4, 9, 5], [7, 4, 9, 5]]


def test_a_mixed_item_is_no_negative_of_either_items_queries(
    shop_home: Path, tmp_path: Path, known_encoder: Any
) -> None:
    """Query k is answered by items k and k + 1; mixed with strength 1, a text is the partner's."""
    from tfrec.tensorflow_setup import tf

    size = 12
    (tmp_path / "items.csv").write_text("item_id,title\n" + "".join(f"i{n:02},{'red ' * n}sofa\n" for n in range(size)))
    rows = [f"{'blue ' * k}lamp,i{k + more:02},1,train\n" for k in range(size - 1) for more in (0, 1)]
    (tmp_path / "searches.csv").write_text("query,item_id,gain,split\n" + "".join(rows) + "bed,i00,1,dev\n")
    tree = yaml.safe_load(shop_home.read_text())
    tree["data"] = {
        "root": str(tmp_path),
        "items": "items.csv",
        "searches": "searches.csv",
        "template": "{title} {title}",
        "split": {"few_queries": 0},
    }
    tree["encoder"] |= {"query_tokens": 40, "item_tokens": 40}
    path = tmp_path / "mixing.yaml"
    path.write_text(yaml.safe_dump(tree | {"runs_dir": str(tmp_path / "runs")}))
    shop = Shop(path, known_encoder)
    mix = "augment.operations=[{name: mix_positives, field: item, probability: 1.0, strength: 1.0}]"
    for batch in shop.batches(mix, "synthesis.enabled=false").from_step(0).take(4):
        queries = [int(length) - 3 for length in batch["query_tokens"].row_lengths()]
        items = batch["items"].numpy().tolist()
        partners = [2 * k + 1 - item for k, item in zip(queries, items, strict=True)]
        texts = tf.constant([shop.data.item_texts[partner] for partner in partners])
        assert batch["item_tokens"].to_list() == shop.encoder.tokenize(texts, 40).to_list()
        for row, k in enumerate(queries):
            for column in range(len(items)):
                answers = {k, k + 1} & {items[column], partners[column]}
                same_item = items[column] == items[row] or partners[column] == partners[row]
                expected = row == column or not (answers or same_item)
                assert batch["allowed"].numpy()[row, column] == expected


def test_purchases_are_never_mixed(shop: Shop) -> None:
    """One item answers each query here, so that only purchases could be mixed."""
    mixing = shop.batches(f"augment.operations=[{MIX}]")
    for a, b in zip(shop.plain, mixing.from_step(0).take(4), strict=True):
        assert same(a, b)


def test_vat_gets_a_seed_for_each_step(shop: Shop) -> None:
    seeds = [
        batch["noise_seed"].numpy().tolist()
        for batch in shop.batches("augment.adversarial.kind=vat").from_step(2).take(2)
    ]
    assert seeds == [[17, 2], [17, 3]]
    assert "noise_seed" not in next(iter(shop.batches("augment.adversarial.kind=fgm").from_step(0)))


def test_a_guard_puts_queries_back(shop: Shop) -> None:
    entries = f"augment.operations=[{DROPOUT}]"
    guarded = (shop.batches(entries, f"augment.guard={bound}") for bound in (1.0, -1.0))
    tight, loose = (list(batches.from_step(0).take(4)) for batches in guarded)
    assert all(map(same, tight, shop.plain))
    assert all(map(same, loose, shop.dropped)) and not all(map(same, loose, tight))


def test_what_the_shop_lacks_is_told_before_training(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="synonyms build"):
        shop.batches("augment.operations=[synonyms]")
    with pytest.raises(ConfigError, match=r"neither query nor item nor a column of data\.template"):
        shop.batches("augment.operations=[{name: word_swap, field: material}]")
    with pytest.raises(ConfigError, match="set its field to item"):
        shop.batches("augment.operations=[{name: field_shuffle, field: title}]")
    with pytest.raises(ConfigError, match="nearest name is word_swap"):
        shop.batches("augment.operations=[word_swip]")


@pytest.mark.slow
def test_training_learns_with_two_views_and_an_adversarial_step(shop_home: Path) -> None:
    import tfrec

    how = [
        "name=augmented", f"augment.operations=[{DROPOUT}]", "augment.view=extra", "augment.adversarial.kind=fgm",
        "training.epochs=2", "training.evaluations=1",
    ]  # fmt: skip
    summary = tfrec.train(load_config(shop_home, how)).summary
    scores = [evaluation["search nDCG@10"] for evaluation in summary["evaluations"]]
    assert max(scores) > scores[0] + 0.2


OFF = ("tfrec.augment", "tfrec.training.augmentation", "tfrec.models.adversarial", "tfrec.models.consistency")


def test_nothing_of_augment_is_imported_at_once() -> None:
    import tfrec.models.two_tower
    import tfrec.pipeline.api
    import tfrec.training.pipeline

    for module in (tfrec.pipeline.api, tfrec.models.two_tower, tfrec.training.pipeline):
        lines = Path(module.__file__).read_text("utf-8").splitlines()
        assert not [
            line
            for line in lines
            if line.startswith(tuple(f"{how} {name}" for name in OFF for how in ("from", "import")))
        ]


@pytest.mark.slow
def test_without_a_policy_nothing_of_augment_is_imported(shop_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tfrec.pipeline.api

    for name in {*OFF, *(name for name in sys.modules if name.startswith("tfrec.augment."))}:
        monkeypatch.setitem(sys.modules, name, None)  # importing it now fails
    short = ["training.epochs=0.1", "training.evaluations=1", "training.interpolation=[]"]
    tfrec.pipeline.api.train(load_config(shop_home, ["name=plain", *short]))
    with pytest.raises(ImportError):
        tfrec.pipeline.api.train(load_config(shop_home, ["name=not_plain", *short, "augment.policy=light"]))
