"""What is protected: known texts with their protected words marked by a star."""

from __future__ import annotations

import pytest

from tfrec.augment.operation import Resources
from tfrec.augment.protection import Protection
from tfrec.augment.units import split_any, split_ascii
from tfrec.tensorflow_setup import tf

BRANDS = frozenset(
    {"nike", "new balance", "华为", "levi's", "strasse", "h&m", "the very long brand name of eight", "!!"}
)
MARKED = [
    "shoes for men *(Nike), size *12 *in red",
    "*New *Balance *574 for *XL feet",
    "new shoes balance",
    "balance new",
    "*not *waterproof jacket *without *hood",
    "*gluten *free oats",
    "*gluten-free oats, *non-stick pan e-reader free-standing",
    "*Levi's jeans, *large , !! *H&M",
    "top in red",
    "*the *very *long *brand *name *of *eight socks",
    "internationalisation *internationalisation7 cable *32gb",
    "*½ *m cable",
    "*STRASSE *ＮＩＫＥ *Straße “café” *„Nike“",
]  # fmt: skip


def marked(text: str, resources: Resources, quick: bool) -> str:
    units = (split_ascii if quick else split_any)(tf.constant(["another row 12", text, "in red"]))
    mask = Protection(resources).mask(units).numpy()
    rows = zip(units.words.numpy(), units.rows.numpy(), mask, strict=True)
    return " ".join("*" * bool(star) + word.decode() for word, row, star in rows if row == 1)


@pytest.mark.parametrize("text", MARKED)
def test_known_texts(text: str) -> None:
    plain = text.replace("*", "")
    assert marked(plain, Resources(protected=BRANDS), quick=False) == text
    if plain.isascii():
        assert marked(plain, Resources(protected=BRANDS), quick=True) == text


def test_phrases_of_characters() -> None:
    units = split_any(tf.constant(["华为 手机 无线 12寸 为华 两双"]))
    mask = Protection(Resources(protected=BRANDS)).mask(units).numpy()
    assert (
        "".join(word.decode() for word, star in zip(units.words.numpy(), mask, strict=True) if star)
        == "华为无线12寸两双"
    )


@pytest.mark.parametrize("quick", [True, False])
def test_each_kind_can_be_left_unprotected(quick: bool) -> None:
    text = "Nike size 12 in not red"
    off = Resources(protect_numbers=False, protect_negations=False)
    assert marked(text, off, quick) == text
    assert marked(text, Resources(protect_numbers=False), quick) == "Nike size 12 in *not *red"
    assert marked(text, Resources(protect_negations=False), quick) == "Nike size *12 *in not red"
    brand = Resources(protected=frozenset({"nike"}), protect_numbers=False, protect_negations=False)
    assert marked(text, brand, quick) == "*Nike size 12 in not red"


def test_phrases_do_not_reach_into_the_next_row() -> None:
    units = split_ascii(tf.constant(["new", "balance", "12", "in", "not", "red"]))
    mask = Protection(Resources(protected=BRANDS)).mask(units).numpy()
    assert mask.tolist() == [False, False, True, False, True, False]
