"""Puts needs into a shopper's words: synonyms, vague phrases, word order, slips of the finger, half-typed words."""

from __future__ import annotations

from random import Random

from tfrec.data.demo.needs import Need
from tfrec.data.demo.structure import product_types
from tfrec.data.demo.texts import some, usual
from tfrec.data.demo.vocabulary import Vocabulary

_TYPO, _HALF_TYPED, _CAPITALS = 0.09, 0.05, 0.05
_AFTER = "~"


class QueryWriter:
    """Writes queries in one language.

    Args:
        vocabulary: the words.
        brands: the name of every brand.
        random: the source of all choices.
    """

    def __init__(self, vocabulary: Vocabulary, brands: list[str], random: Random) -> None:
        self._words = vocabulary
        self._brands = brands
        self._random = random
        self._schemes = [kind.size_scheme for kind in product_types()]

    def write(self, need: Need) -> str:
        """One way to type the need.

        Args:
            need: the need.

        Returns:
            the text of the query.
        """
        random, words = self._random, self._words
        joiner = words.joiner or some(random, ("", " "))
        forms = {attribute: self._form(need, attribute, value) for attribute, value in need.wishes}
        if need.kind == "vague":
            use = dict(need.wishes)["use"]
            parts = [some(random, words.forms("use", "vague", use))]
            parts += [form.lstrip(_AFTER) for attribute, form in forms.items() if attribute != "use"]
            joiner = words.joiner or " "
        else:
            forms["type"] = usual(random, words.forms(need.scope, "shopper", need.value))
            pattern = some(random, words.patterns["query"])[0]
            told = [forms[slot] for slot in pattern if slot in forms]
            parts = [form for form in told if not form.startswith(_AFTER)]
            parts += [form[len(_AFTER) :] for form in told if form.startswith(_AFTER)]
        text = joiner.join(parts)
        if random.random() < _TYPO:
            text = self._slip(text)
        if random.random() < _HALF_TYPED:
            text = self._cut(text)
        return text.title() if random.random() < _CAPITALS else text

    def _form(self, need: Need, attribute: str, value: int) -> str:
        if attribute == "brand":
            return self._brands[value].lower()
        if attribute == "size":
            return usual(self._random, self._words.sizes[self._schemes[need.value]][value]).lower()
        return usual(self._random, self._words.forms(attribute, "shopper", value))

    def _slip(self, text: str) -> str:
        """One slip of the finger inside a word: a letter swapped, lost, doubled or mistaken."""
        random = self._random
        places = [i for i in range(1, len(text) - 1) if text[i] != " " and text[i + 1] != " "]
        if len(places) < 2:
            return text
        i = places[int(len(places) * random.random())]
        kind = int(4 * random.random())
        if kind == 0:
            return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
        if kind == 1:
            return text[:i] + text[i + 1 :]
        if kind == 2:
            return text[: i + 1] + text[i:]
        mistakable = [j for j in range(len(text)) if text[j] in self._words.confusions]
        if not mistakable:
            return text
        j = mistakable[int(len(mistakable) * random.random())]
        return text[:j] + some(random, self._words.confusions[text[j]]) + text[j + 1 :]

    def _cut(self, text: str) -> str:
        """The last word only half typed, as in a search box that answers while one types."""
        start = text.rfind(" ") + 1
        length = len(text) - start
        keep = 3 if self._words.joiner else 2
        return text[: start + max(keep, int(length * (0.5 + 0.3 * self._random.random())))] if length > keep else text
