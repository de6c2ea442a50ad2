"""Spacing, case, accents, width and measures against texts whose variants are known."""

from __future__ import annotations

import pytest

from tfrec.augment.operation import Resources
from tfrec.augment.operations import OPERATIONS
from tfrec.augment.randomness import row_keys
from tfrec.augment.unit_tables import alternatives
from tfrec.tensorflow_setup import tf

BRANDS = Resources(protected=frozenset({"nike", "new balance", "one pint two pack"}))


def variants(name: str, text: str, strength: float = 0.01, count: int = 200) -> set[str]:
    """All that becomes of a text under many keys; at a low strength one place changes."""
    keys = row_keys(tf.strings.as_string(tf.range(count)), 1, 1)
    found = OPERATIONS[name](strength, BRANDS)(tf.fill([count], text), keys)
    return {variant.decode() for variant in found.numpy()}


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("e-reader", {"e reader", "ereader"}),
        ("e reader", {"e-reader", "ereader"}),
        ("lace-up shoes", {"lace up shoes", "laceup shoes"}),
        ("crème brûlée", {"crème-brûlée", "crèmebrûlée"}),
        ("кофе-машина", {"кофе машина", "кофемашина"}),
        ("nike shoes", {"nike shoes"}),
        ("not red", {"not red"}),
        ("12-inch 4 pack", {"12-inch 4 pack"}),
        ("男款 夏季", {"男款 夏季"}),
        ("sofa", {"sofa"}),
        ("blue, sofa", {"blue, sofa"}),
        ("", {""}),
    ],
)
def test_spacing(text: str, truth: set[str]) -> None:
    assert variants("spacing", text) == truth


def test_spacing_never_melts_three_words() -> None:
    for variant in variants("spacing", "soft blue sofa cover", strength=1.0):
        assert variant.replace("-", "").replace(" ", "") == "softbluesofacover"
        assert len(variant.replace("-", " ").split()) >= 2
        assert variant.count("-") + variant.count(" ") >= 1


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("Red sofa", {"red sofa", "RED SOFA", "Red Sofa"}),
        ("straße Ñandú", {"straße ñandú", "STRASSE ÑANDÚ", "Straße Ñandú"}),
        ("中 Xl", {"中 xl", "中 XL", "中 Xl"}),
        ("a\x00b", {"a\x00b"}),
    ],
)
def test_case_noise(text: str, truth: set[str]) -> None:
    assert variants("case_noise", text, strength=1.0) == truth


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("café", {"cafe"}),
        ("cafe\u0301", {"cafe"}),
        ("Müller Größe", {"Muller Grosse", "Mueller Groesse"}),
        ("ёлка чайник", {"елка чайник"}),
        ("łódź", {"lodz"}),
        ("مُدَرِّس", {"مدرس"}),
        ("नमस्ते กำลัง がぎ 한국", {"नमस्ते กำลัง がぎ 한국"}),
        ("и\u0306од", {"и\u0306од"}),
        ("\u0301", {"\u0301"}),
        ("plain text", {"plain text"}),
    ],
)
def test_accent_noise(text: str, truth: set[str]) -> None:
    assert variants("accent_noise", text, strength=1.0) == truth


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("Ｔ恤 １２ｃｍ", {"T恤 12cm"}),
        ("T恤 XL", {"Ｔ恤 ＸＬ"}),
        ("ｶﾞﾗｽ ﾊﾟﾝ", {"ガラス パン"}),
        ("ＸＬ", {"XL"}),
        ("plain café", {"plain café"}),
    ],
)
def test_width_noise(text: str, truth: set[str]) -> None:
    assert variants("width_noise", text, strength=1.0) == truth


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("tv 40in", {"tv 40 in", 'tv 40"'} | {f"tv 40{g}{u}" for g in ("", " ", "-") for u in ("inch", "inches")}),
        ("rice 5 kgs", {"rice 5kgs", "rice 5kg", "rice 5 kg", "rice 5-kg"}
         | {f"rice 5{g}{u}" for g in ("", " ", "-") for u in ("kilogram", "kilograms")}),
        ('6" pan', {f"6{g}{u} pan" for g in ("", " ", "-") for u in ("in", "inch", "inches")}),
        ("60 %", {"60%", "60percent", "60 percent", "60-percent"}),
        ("厚12cm", {"厚12厘米", "厚12公分"}),
        ("500毫升 杯", {"500ml 杯"}),
        ("9x12 frame", {"9 x 12 frame", "9×12 frame"}),
        ("1,000 nails", {"1000 nails"}),
        ("1/2 rope", {"0.5 rope", "½ rope"}),
        ("size 7 1/2", {"size 7 1/2"}),
        ("3 in 1 tool", {"3 in 1 tool"}),
        ("size 8 in blue", {"size 8 in blue"}),
        ("size 8 w", {"size 8 w"}),
        ("wi-fi 5g router", {"wi-fi 5g router"}),
        ("4G, lte", {"4G, lte"}),
        ("2.4g mouse", {"2.4g mouse"}),
        ("tape 3m", {"tape 3m"}),
        ("jeans 32w 34l", {"jeans 32w 34l"}),
        ("shoe 9w", {"shoe 9w"}),
        ("new balance 12 oz", {f"new balance 12{g}{u}" for g in ("", " ", "-") for u in ("ounce", "ounces")}
         | {"new balance 12oz"}),
        ("one pint two pack glue", {"one pint two pack glue"}),
        ("salt 50g", {f"salt 50{g}{u}" for g in ("", " ", "-") for u in ("gr", "gram", "grams")} | {"salt 50 g"}),
        ("12, in", {"12, in"}),
        ("tv", {"tv"}),
    ],
)  # fmt: skip
def test_unit_forms(text: str, truth: set[str]) -> None:
    assert variants("unit_forms", text) == truth


def test_two_and_2_before_what_is_counted() -> None:
    assert "2 pack" in variants("unit_forms", "two pack")
    assert "two pack" in variants("unit_forms", "2 pack")
    assert variants("unit_forms", "two sofas") == {"two sofas"}


def test_a_measure_keeps_its_punctuation_and_its_neighbours() -> None:
    assert 'pan 12", red 3 lb' in variants("unit_forms", "pan 12in, red 3 lb")
    for variant in variants("unit_forms", "pan 12in, red 3 lb", strength=1.0):
        assert variant.startswith("pan 12") and ", red 3" in variant


def test_every_form_of_a_measure_leads_back_to_its_kind() -> None:
    forms = alternatives()
    for word, scripts in forms.items():
        for others in scripts:
            assert others[0] == word and len(set(others)) == len(others)
            assert set(others) <= set(forms)


def test_places_are_changed_by_strength() -> None:
    text, keys = "12in pan 5 lb box 3 oz can 40 ml cup", row_keys(tf.strings.as_string(tf.range(100)), 1, 1)
    counts = []
    for strength in (0.0, 0.01, 0.5, 1.0):
        found = OPERATIONS["unit_forms"](strength, BRANDS)(tf.fill([100], text), keys).numpy()
        changed = [sum(old not in new.decode() for old in ("12in ", "5 lb ", "3 oz ", "40 ml ")) for new in found]
        counts.append(sum(changed) / 100)
    assert counts[0] == 0 and 1 <= counts[1] < 1.1 and 1.8 < counts[2] < 2.6 and counts[3] == 4
