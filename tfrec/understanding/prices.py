"""Price wishes in a query: "under 50", "between 20 and 40", "bis 50 €", "低于50元"."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tfrec.tensorflow_setup import tf
from tfrec.understanding.function_words import (
    AND,
    AT_LEAST,
    AT_LEAST_AFTER,
    AT_MOST,
    AT_MOST_AFTER,
    BETWEEN,
    MONEY,
)
from tfrec.understanding.normal_form import any_of

Tensor = Any
NUMBER = r"[0-9]+(?:[.,][0-9]+)*"
_MONEY = rf"(?:\p{{Sc}}|{any_of(MONEY)})"
_AMOUNT = rf" (?:({_MONEY}) )?({NUMBER})(?: ({_MONEY}))?"


class PriceWish(NamedTuple):
    """What B queries say of prices.

    Attributes:
        least: float32 [B], -inf where nothing is said.
        most: float32 [B], inf where nothing is said.
        rest: string [B], the queries in normal form without these words.
    """

    least: Tensor
    most: Tensor
    rest: Tensor


class _Form(NamedTuple):
    """One way to say it.

    Attributes:
        pattern: of a whole text with a blank at either end; its first group is what stands before, its last what after.
        least: the group of the lower bound; 0 = none.
        most: the group of the upper bound; 0 = none.
        money: groups of signs and names of money.
        last: number of the last group.
        needs_money: whether it says nothing of prices without any.
    """

    pattern: str
    least: int
    most: int
    money: list[int]
    last: int
    needs_money: bool


def _form(parts: list[str], least: int, most: int, needs_money: bool = False) -> _Form:
    """A form of patterns and of amounts, written "#"; least and most say which amount is which bound, 0 = none."""
    numbers = [0, *(3 * place for place in range(1, parts.count("#") + 1))]
    pattern = "".join(_AMOUNT if part == "#" else f" {part}" for part in parts)
    money = [group for number in numbers[1:] for group in (number - 1, number + 1)]
    return _Form(f"^(.*?){pattern}( .*)$", numbers[least], numbers[most], money, numbers[-1] + 2, needs_money)


_FORMS = [
    _form([any_of(BETWEEN), "#", any_of(AND), "#"], 1, 2),
    _form(["#", any_of(AND), "#"], 1, 2, needs_money=True),
    _form([any_of(AT_MOST), "#"], 0, 1),
    _form(["#", any_of(AT_MOST_AFTER)], 0, 1),
    _form([any_of(AT_LEAST), "#"], 1, 0),
    _form(["#", any_of(AT_LEAST_AFTER)], 1, 0),
]


class PriceWishes(tf.Module):  # type: ignore[misc]
    """Reads bounds of the price.

    A bound without a sign or name of money counts only where the shop has prices on both sides of it: "kids under 3"
    says nothing of prices in a shop whose cheapest item costs 5. Currencies are not changed into each other.

    Args:
        prices: of the items, float [N]; NaN = none.
    """

    def __init__(self, prices: np.ndarray) -> None:
        super().__init__(name="prices")
        known = prices[np.isfinite(prices)]
        self.known = bool(len(known))
        self._cheap, self._dear = map(float, np.quantile(known, [0.01, 0.99]) if self.known else (0.0, 0.0))
        filled = np.where(np.isfinite(prices), prices, np.nan).astype(np.float32)
        self._prices = tf.Variable(filled, trainable=False, dtype=tf.float32, name="prices")

    def __call__(self, texts: Tensor) -> PriceWish:
        """What normal texts string [B] wish; numbers that measure something else begin with a mark and do not count."""
        batch = tf.shape(texts)[0]
        least, most = tf.fill([batch], np.float32(-np.inf)), tf.fill([batch], np.float32(np.inf))
        if not self.known:
            return PriceWish(least, most, texts)
        texts = tf.strings.join([" ", texts, " "])
        for form in _FORMS:
            found = tf.strings.regex_full_match(texts, form.pattern)
            low, high = _number(texts, form, form.least, found, -np.inf), _number(texts, form, form.most, found, np.inf)
            told = self._paid(texts, form, found)
            if not form.needs_money:
                told |= (low < np.float32(self._dear)) & (high > np.float32(self._cheap))
            fits = found & told & (low <= high)
            least = tf.where(fits, tf.maximum(least, low), least)
            most = tf.where(fits, tf.minimum(most, high), most)
            texts = tf.where(fits, tf.strings.regex_replace(texts, form.pattern, rf"\1\{form.last}"), texts)
        return PriceWish(least, most, tf.strings.strip(tf.strings.regex_replace(texts, " +", " ")))

    def mask(self, wish: PriceWish) -> Tensor:
        """The items within the wish, bool [B, N]; one without a price is within no wish but that of any price."""
        prices = tf.convert_to_tensor(self._prices)[tf.newaxis]
        inside = (prices >= wish.least[:, tf.newaxis]) & (prices <= wish.most[:, tf.newaxis])
        silent = tf.math.is_inf(wish.least) & tf.math.is_inf(wish.most)
        return inside | silent[:, tf.newaxis]

    def _paid(self, texts: Tensor, form: _Form, found: Tensor) -> Tensor:
        """Whether an amount has a sign or name of money, bool [B]."""
        groups = [tf.strings.regex_replace(texts, form.pattern, rf"\{group}") for group in form.money]
        return found & tf.not_equal(tf.strings.join(groups), "")


def _number(texts: Tensor, form: _Form, group: int, found: Tensor, nothing: float) -> Tensor:
    """The amount of a group, float32 [B]: "1.200,50" and "1,200.5" are read alike."""
    if not group:
        return tf.fill(tf.shape(texts), np.float32(nothing))
    number = tf.where(found, tf.strings.regex_replace(texts, form.pattern, rf"\{group}"), "0")
    number = tf.strings.regex_replace(number, r"[.,]([0-9]{1,2})$", r"_\1")
    return tf.strings.to_number(tf.strings.regex_replace(tf.strings.regex_replace(number, "[.,]", ""), "_", "."))


def conditions(wish: PriceWish) -> Tensor:
    """The wish as conditions on the column price, string [B, 2]: "price>=20", "price<=40", "" where nothing is said."""
    low = tf.strings.join(["price>=", _written(wish.least)])
    high = tf.strings.join(["price<=", _written(wish.most)])
    return tf.stack(
        [tf.where(tf.math.is_inf(wish.least), "", low), tf.where(tf.math.is_inf(wish.most), "", high)], axis=1
    )


def _written(numbers: Tensor) -> Tensor:
    return tf.strings.regex_replace(tf.strings.as_string(numbers, precision=2), r"[.]?0+$", "")
