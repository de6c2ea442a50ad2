"""Typos against what each kind can make of a word."""

from __future__ import annotations

import pytest

from tfrec.augment.keyboards import neighbours_of
from tfrec.augment.operation import Resources
from tfrec.augment.operations import OPERATIONS
from tfrec.augment.randomness import row_keys
from tfrec.tensorflow_setup import tf

KINDS = ["typo_delete", "typo_double", "typo_insert", "typo_substitute", "typo_transpose"]


def possible(kind: str, letters: list[str]) -> set[str]:
    """All that one typo of a kind makes of a word, given by its grapheme clusters."""
    found = set()
    for place in range(1, len(letters)):
        head, letter, rest = letters[:place], letters[place], letters[place + 1 :]
        near = list(neighbours_of(letter[0]))
        made = {
            "typo_delete": [[]],
            "typo_double": [[letter, letter]],
            "typo_insert": [[letter, n] for n in near] + [[n, letter] for n in near],
            "typo_substitute": [[n] for n in near],
            "typo_transpose": [[rest[0], letter]] if rest else [],
        }[kind]
        skip = 1 if kind == "typo_transpose" else 0
        found |= {"".join([*head, *new, *rest[skip:]]) for new in made}
    return found


def many(kind: str, text: str, count: int = 200, strength: float = 0.01) -> list[str]:
    """What becomes of a text under so many keys; at a low strength one word changes."""
    operation = OPERATIONS[kind](strength, Resources(protected=frozenset({"nike"})))
    keys = row_keys(tf.strings.as_string(tf.range(count)), 1, 1)
    return [found.decode() for found in operation(tf.fill([count], text), keys).numpy()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "letters",
    [list("table"), ["c", "r", "e\u0301", "m", "e"], list("диван"), list("σπιτι")],
    ids=["en", "marks", "ru", "el"],
)
def test_one_typo_of_the_kind_and_all_of_them(kind: str, letters: list[str]) -> None:
    assert set(many(kind, "".join(letters), 600)) == possible(kind, letters)


@pytest.mark.parametrize("kind", KINDS)
def test_scripts_of_single_characters_and_short_words_stay(kind: str) -> None:
    text = "男款 夏季 ab c 的 \U0001f469\u200d\U0001f469\u200d\U0001f467  ok"
    assert set(many(kind, text, 20, strength=1.0)) == {text}


def test_accents_have_the_keys_of_the_bare_letter_and_case_is_kept() -> None:
    assert set(many("typo_substitute", "xéy")) == {f"x{n}y" for n in neighbours_of("e")} | {
        f"xé{n}" for n in neighbours_of("y")
    }
    assert set(many("typo_substitute", "TV'S")) >= {"TB'S", "TC'S"}


def test_at_least_one_word_and_more_with_more_strength() -> None:
    text = "wireless headphones with soft cushions and cable"
    counts = {
        strength: [
            sum(old != new for old, new in zip(text.split(), variant.split(), strict=True))
            for variant in many("typo_double", text, 100, strength)
        ]
        for strength in (0.0, 0.001, 0.5, 1.0)
    }
    assert set(counts[0.0]) == {0} and set(counts[0.001]) == {1} and set(counts[1.0]) == {7}
    assert 2.9 < sum(counts[0.5]) / 100 < 4.1


@pytest.mark.parametrize("kind", KINDS)
def test_brands_numbers_and_negations_are_spelt_right(kind: str) -> None:
    for variant in many(kind, "nike zoom shoes size 12.5 not waterproof 500ml", 50, strength=1.0):
        words = variant.split()
        assert [words[place] for place in (0, 4, 5, 6, 7)] == ["nike", "12.5", "not", "waterproof", "500ml"]
        assert words[2] != "shoes"


def test_white_space_stays_as_it_was() -> None:
    (variant,) = many("typo_delete", "  big  blanks\there\u00a0now ", 1, strength=1.0)
    assert [len(part) for part in variant.replace("\u00a0", "\t").replace("\t", " ").split(" ")] == [
        0,
        0,
        2,
        0,
        5,
        3,
        2,
        0,
    ]
    assert variant.count("\t") == 1 and variant.count("\u00a0") == 1


def test_neighbours_are_those_of_the_keyboard() -> None:
    assert set(neighbours_of("s")) == set("weadzx")
    assert set(neighbours_of("q")) == set("wa")
    assert set(neighbours_of("ф")) == set("йцыя")
    assert neighbours_of("中") == ""
