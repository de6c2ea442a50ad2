"""Writes titles, descriptions and columns of the demo shop's items, as untidily as a real shop does.

Every latent attribute is told in at least one place, but seldom in all: the title may leave the colour to its column,
the use to a sentence of the description ("cosy when frost bites") or only to the name of a product line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from tfrec.data.demo.catalogue import NONE, Catalogue
from tfrec.data.demo.structure import product_types
from tfrec.data.demo.vocabulary import Vocabulary

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_Choice = TypeVar("_Choice")
_IN_TITLE = {"colour": 0.65, "material": 0.6, "use": 0.4, "feature": 0.6, "style": 0.65, "band": 0.4, "noise": 0.4}
_IN_TEXT = {"use": 0.6, "feature": 0.5, "material": 0.35, "colour": 0.15, "style": 0.3}
_IN_COLUMN = {"colour": 0.8, "material": 0.7}
_SERIES_TELLS_USE = 0.35
# Shops know that people type other words, and sometimes put these in as well: "Settee Sofa", "Midnight Dark Blue".
_BOTH_WORDS = {"type": 0.45, "colour": 0.25, "material": 0.2, "style": 0.2}


@dataclass(frozen=True)
class ItemText:
    """What the shop writes about one item."""

    title: str
    description: str
    color: str
    material: str


def usual(random: Random, forms: Sequence[_Choice]) -> _Choice:
    """One of the alternatives, the first ones more often."""
    return forms[int(len(forms) * random.random() ** 1.7)]


def some(random: Random, forms: Sequence[_Choice]) -> _Choice:
    """One of the alternatives, all alike."""
    return forms[int(len(forms) * random.random())]


def brand_names(count: int, vocabulary: Vocabulary, random: Random) -> list[str]:
    """`count` different invented brand names."""
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(some(random, part) for part in vocabulary.brand_parts)] = None
    return list(names)


class ItemWriter:
    """Writes the items of one catalogue in one language.

    Args:
        catalogue: the latent items.
        vocabulary: the words.
        brands: the name of every brand.
        random: the source of all choices.
    """

    def __init__(self, catalogue: Catalogue, vocabulary: Vocabulary, brands: list[str], random: Random) -> None:
        self._latents = {name: values.tolist() for name, values in catalogue.latents.items()}
        self._vocabulary = vocabulary
        self._brands = brands
        self._random = random
        self._types = product_types()
        self._same_category = [
            [other for other, there in enumerate(self._types) if there.category == here.category and other != index]
            for index, here in enumerate(self._types)
        ]

    def write(self, item: int) -> ItemText:
        """Writes one item.

        Args:
            item: its row in the catalogue.

        Returns:
            its texts.
        """
        random, words = self._random, self._vocabulary
        value = {name: values[item] for name, values in self._latents.items()}
        present = tuple(name for name in ("colour", "material", "use", "feature", "style") if value[name] != NONE)
        pattern = some(random, words.patterns["title"])
        slots = {slot for segment in pattern for slot in segment}
        in_title = {name for name in present if name in slots and random.random() < _IN_TITLE[name]}
        in_column = {name for name in _IN_COLUMN if name in present and random.random() < _IN_COLUMN[name]}
        in_text = {name for name in present if random.random() < _IN_TEXT[name]}
        if "use" in present and "series" in slots and random.random() < _SERIES_TELLS_USE:
            in_title.add("series")
        told = in_title | in_column | in_text | ({"use"} if "series" in in_title else set())
        for name in ("colour", "material", "use", "feature", "style"):
            if name in present and name not in told:
                (in_column if name in _IN_COLUMN else in_text).add(name)

        shown = {name: self._named(name, value[name]) for name in present}
        kind = usual(random, words.forms("type", "shop", value["type"]))
        title_kind = self._with_typed_word("type", value["type"], kind)
        # One product line per use, so its name tells the use to those who have learned it.
        series = words.series[value["use"]] if value["use"] != NONE else ""
        filled = {name: shown[name] for name in in_title if name in shown}
        filled |= {"brand": self._brands[value["brand"]], "type": title_kind}
        if "series" in in_title:
            filled["series"] = series
        if value["audience"] != NONE:
            audience = usual(random, words.forms("audience", "shop", value["audience"]))
            if "audience" in slots:
                filled["audience"] = audience
            else:
                filled["type"] = words.joiner.join((audience, title_kind))
        if value["size"] != NONE:
            scheme = words.sizes[self._types[value["type"]].size_scheme]
            filled["size"] = usual(random, scheme[value["size"]])
        if value["band"] != 1 and random.random() < _IN_TITLE["band"]:
            filled["band"] = usual(random, words.forms("band", "shop", value["band"]))
        if random.random() < _IN_TITLE["noise"]:
            letters = some(random, _LETTERS) + some(random, _LETTERS)
            code = f"{letters}-{100 + int(900 * random.random())}"
            filled["noise"] = some(random, words.phrases["noise"]).format(code=code)
        return ItemText(
            title=self._title(pattern, filled, slots),
            description=self._description(value, shown, kind, series, in_text),
            color=shown["colour"] if "colour" in in_column else "",
            material=shown["material"] if "material" in in_column else "",
        )

    def _named(self, attribute: str, value: int) -> str:
        name = usual(self._random, self._vocabulary.forms(attribute, "shop", value))
        return self._with_typed_word(attribute, value, name)

    def _with_typed_word(self, attribute: str, value: int, name: str) -> str:
        """The shop's name, sometimes followed by a word that shoppers type."""
        if self._random.random() >= _BOTH_WORDS.get(attribute, 0.0):
            return name
        typed = usual(self._random, self._vocabulary.forms(attribute, "shopper", value))
        if typed.startswith("~") or typed.casefold() in name.casefold() or name.casefold() in typed.casefold():
            return name
        return f"{name}{self._vocabulary.joiner}{typed.title()}"

    def _title(self, pattern: tuple[tuple[str, ...], ...], filled: dict[str, str], slots: set[str]) -> str:
        words = self._vocabulary
        segments = [words.joiner.join(filled[slot] for slot in segment if slot in filled) for segment in pattern]
        if "size" in filled and "size" not in slots:
            segments.append(filled["size"])
        if self._random.random() < 0.04:
            segments.append(some(self._random, words.phrases["amp_words"]))
        separator = some(self._random, words.title_separators)
        return separator.join(segment for segment in segments if segment)

    def _description(self, value: dict[str, int], shown: dict[str, str], kind: str, series: str, told: set[str]) -> str:
        random, words = self._random, self._vocabulary
        sentences = []
        for name in ("use", "feature", "material", "colour", "style"):
            if name in told:
                text = (
                    some(random, words.forms(name, "text", value[name])) if name in ("use", "feature") else shown[name]
                )
                if name == "material" and words.forms(name, "text", value[name]) and random.random() < 0.6:
                    text = some(random, words.forms(name, "text", value[name]))
                sentences.append(some(random, words.phrases[f"{name}_sentence"]).format(text=text))
        if random.random() < 0.25:
            other = self._same_category[value["type"]]
            form = words.forms("type", "shop", other[int(len(other) * random.random())])[0]
            sentences.append(some(random, words.phrases["cross_sell"]).format(other=form))
        sentences.sort(key=lambda _: random.random())
        if random.random() < 0.6:
            opening = some(random, words.phrases["opening"])
            if series or "{series}" not in opening:
                sentences.insert(0, opening.format(type=kind, brand=self._brands[value["brand"]], series=series))
        if random.random() < 0.55:
            sentences.append(some(random, words.phrases["closing"]))
        return words.joiner.join(sentence[:1].upper() + sentence[1:] for sentence in sentences)
