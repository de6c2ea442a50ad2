"""Items as training sees them: columns left out, moved, mixed, and the template that writes them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tfrec.augment.item_texts import ItemTexts, template_parts
from tfrec.augment.operation import Resources
from tfrec.augment.policy import Policy
from tfrec.augment.preview import partners_of
from tfrec.config import OperationConfig
from tfrec.tensorflow_setup import tf

NAMES = ["brand", "title", "color"]
COUNT = 300
COLUMNS = {
    "brand": [f"brand{n}" if n % 5 else "" for n in range(COUNT)],
    "title": [f"title{n} thing" for n in range(COUNT)],
    "color": [f"color{n}" if n % 3 else "" for n in range(COUNT)],
}
TEXTS = [" ".join(filter(None, (COLUMNS[name][n] for name in NAMES))) for n in range(COUNT)]
ITEMS = np.arange(COUNT)


def made(*entries: dict[str, Any], texts: tuple[dict[str, Any], ...] = (), **how: Any) -> ItemTexts:
    policy = Policy([OperationConfig.model_validate(entry) for entry in texts], Resources())
    parts = template_parts("{brand} {title} {color}", NAMES)
    chosen = [OperationConfig.model_validate({"field": "item", **entry}) for entry in entries]
    return ItemTexts(TEXTS, parts, COLUMNS, policy, chosen, **how)


def variants(items: ItemTexts, partners: Any = ITEMS, step: int = 0, chosen: Any = ITEMS) -> tuple[list[str], Any]:
    found, mixed = items(tf.constant(chosen, tf.int64), tf.constant(partners, tf.int64), 17, tf.constant(step))
    return [text.decode() for text in found.numpy()], mixed.numpy()


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{brand} {title}", [("", "brand", ""), ("", "title", "")]),
        ("{title}，{brand}", [("", "title", ""), ("", "brand", "")]),
        ("{title} - {gone} {color}.", [("", "title", ""), ("", "color", ".")]),
        ("{title} in {color}", [("", "title", ""), ("in ", "color", "")]),
        ("Of {brand}: {title} ({color})", [("Of ", "brand", ":"), ("", "title", ""), ("(", "color", ")")]),
    ],
)
def test_words_of_the_template_stay_with_their_column(template: str, expected: list) -> None:
    assert template_parts(template, NAMES) == expected


@pytest.mark.parametrize("entry", ["attribute_dropout", "field_shuffle", "mix_positives"])
@pytest.mark.parametrize("how", [{"probability": 0.0, "strength": 1.0}, {"probability": 1.0, "strength": 0.0}])
def test_nothing_happens_without_chance_or_strength(entry: str, how: dict[str, float]) -> None:
    found, mixed = variants(made({"name": entry, **how}), ITEMS[::-1])
    assert found == TEXTS and not mixed.any()


def test_a_text_that_nothing_happens_to_keeps_its_bytes() -> None:
    strange = [f"  {text}  as the shop wrote it" for text in TEXTS]
    parts = template_parts("{brand} {title} {color}", NAMES)
    entry = OperationConfig(name="attribute_dropout", field="item", probability=0.5, strength=0.5)
    found, _ = variants(ItemTexts(strange, parts, COLUMNS, Policy([], Resources()), [entry]))
    kept = [text for text in found if text.startswith("  ")]
    assert 100 < len(kept) < COUNT and set(kept) <= set(strange)


def test_dropout_leaves_out_columns_but_never_the_title() -> None:
    found, _ = variants(made({"name": "attribute_dropout", "probability": 1.0, "strength": 0.5}))
    brands = [n for n in range(COUNT) if COLUMNS["brand"][n]]
    kept = np.mean([COLUMNS["brand"][n] in found[n].split() for n in brands])
    assert kept == pytest.approx(0.5, abs=0.1)
    assert all(COLUMNS["title"][n] in found[n] for n in range(COUNT))
    everything, _ = variants(made({"name": "attribute_dropout", "probability": 1.0, "strength": 1.0}))
    assert everything == COLUMNS["title"]


def test_an_item_without_title_is_never_emptied() -> None:
    columns = {**COLUMNS, "title": [""] * COUNT}
    texts = [f"{COLUMNS['brand'][n]} {COLUMNS['color'][n]}".strip() or "nothing" for n in range(COUNT)]
    entry = OperationConfig(name="attribute_dropout", field="item", probability=1.0, strength=1.0)
    parts = template_parts("{brand} {title} {color}", NAMES)
    assert variants(ItemTexts(texts, parts, columns, Policy([], Resources()), [entry]))[0] == texts


def test_shuffling_keeps_every_word_and_reaches_every_order() -> None:
    found, _ = variants(made({"name": "field_shuffle", "probability": 1.0, "strength": 1.0}))
    assert [sorted(text.split()) for text in found] == [sorted(text.split()) for text in TEXTS]
    whole = [n for n in range(COUNT) if COLUMNS["brand"][n] and COLUMNS["color"][n]]
    orders = {tuple(word[:5] for word in found[n].split() if word != "thing") for n in whole}
    assert len(orders) == 6
    little, _ = variants(made({"name": "field_shuffle", "probability": 1.0, "strength": 0.4}))
    moved = [np.mean([a != b for a, b in zip(some, TEXTS, strict=True)]) for some in (little, found)]
    assert 0 < moved[0] < moved[1]


def test_mixing_takes_columns_of_the_partner_and_tells_so() -> None:
    partners = ITEMS[::-1]
    found, mixed = variants(made({"name": "mix_positives", "probability": 0.6, "strength": 0.5}), partners)
    assert 0.3 < mixed.mean() < 0.6
    for n, text in enumerate(found):
        own = {COLUMNS[name][n] for name in NAMES}
        other = {COLUMNS[name][partners[n]] for name in NAMES}
        words = set(text.replace(" thing", "").split())
        allowed = {value.replace(" thing", "") for value in own | other}
        assert words <= allowed and "title" in text
        assert mixed[n] == (text != TEXTS[n])
    alone, mixed = variants(made({"name": "mix_positives", "probability": 1.0, "strength": 1.0}), ITEMS)
    assert alone == TEXTS and not mixed.any()


def test_text_operations_change_their_column_only() -> None:
    entry = {"name": "word_dropout", "field": "title", "probability": 1.0, "strength": 1.0}
    found, _ = variants(made(texts=(entry,)))
    shorter = [text.replace(" thing", "") for text in TEXTS]
    assert all(text in (TEXTS[n], shorter[n]) for n, text in enumerate(found))
    assert 0.2 < np.mean([text == shorter[n] for n, text in enumerate(found)]) < 0.9


def test_a_row_does_not_depend_on_its_batch_and_repeats() -> None:
    items = made(
        {"name": "field_shuffle", "probability": 0.5, "strength": 1.0},
        {"name": "attribute_dropout", "probability": 0.5, "strength": 0.5},
        texts=({"name": "word_swap", "field": "item", "probability": 0.5, "strength": 0.5},),
    )
    whole, _ = variants(items, step=2)
    chosen = np.random.default_rng(1).permutation(COUNT)[:50]
    assert variants(items, chosen, 2, chosen)[0] == [whole[n] for n in chosen]
    assert variants(items, step=3)[0] != whole


def test_partners_answer_the_same_query() -> None:
    shop = SimpleNamespace(known_positives=(np.array([0, 0, 1]), np.array([4, 7, 5])))
    assert partners_of(shop, [4, 7, 5, 9]) == [7, 4, 5, 9]  # type: ignore[arg-type]
