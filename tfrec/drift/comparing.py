"""What has moved between the profile of a version and a shop's data as it is now."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl
from scipy.special import ndtri

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.drift import profile as then
from tfrec.drift.measures import counts_in, energy_test, psi, psi_by_chance
from tfrec.drift.profile import Embed
from tfrec.drift.profile_file import Profile
from tfrec.retrieval.tokens import Tokenizer


@dataclass(frozen=True)
class Finding:
    """One measured difference.

    Attributes:
        what: "queries: length", ...
        measure: "psi", "share" or "energy distance".
        value: as measured.
        usual: what the version's own data has (shares), else 0.
        limit: beyond which it is an alert, if it is beyond chance as well.
        count: values of now behind it.
        alert: whether it is one.
    """

    what: str
    measure: str
    value: float
    usual: float
    limit: float
    count: int
    alert: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, with the sentence."""
        return {**asdict(self), "sentence": self.sentence}

    @property
    def sentence(self) -> str:
        """In words."""
        usual = f", {self.usual:.1%} is usual" if self.measure == "share" else ""
        value = f"{self.value:.1%}" if self.measure == "share" else f"{self.value:.3f}"
        return f"{self.what}: {self.measure} {value}{usual} (limit {self.limit:g}; {self.count:,} values)"


def drift(config: Config, profile: Profile, shop: ShopData, embed_query: Embed, embed_item: Embed) -> list[Finding]:
    """Everything that is measured, alerts among it.

    Queries are those that the version's data did not have, where there are enough of them, else all; purchases are
    those since its last one.

    Args:
        config: section drift, and what the profile was made with.
        profile: of the version.
        shop: the data as it is now.
        embed_query, embed_item: the encoder of that version, for only vectors of one encoder can be compared.
    """
    return list(_Comparison(config, profile, shop).all(embed_query, embed_item))


class _Comparison:
    def __init__(self, config: Config, profile: Profile, shop: ShopData) -> None:
        self.config, self.profile, self.shop = config, profile, shop
        self.limits, self.facts = config.drift, profile.facts
        self.tokens = Tokenizer(self.facts["language"])
        self.column = self.facts["category"] if self.facts["category"] in shop.items.columns else ""

    def all(self, embed_query: Embed, embed_item: Embed) -> Iterator[Finding]:
        least, texts = self.limits.least, self.shop.item_texts
        queries = then.queries_of(self.shop)
        new = [query for query in queries if query not in self.profile.queries]
        queries, name = (new, "new queries") if len(new) >= least else (queries, "queries")
        if len(queries) >= least:
            yield from self._bins(name, "length", self.facts["queries"]["length"], then.lengths(self.tokens, queries))
            yield from self._words(name, queries)
            yield from self._vectors(name, self.profile.query_vectors, queries, embed_query)
        yield from self._table("catalogue", self.facts["items"], self.shop.items)
        yield from self._bins(
            "catalogue", "length of texts", self.facts["items"]["length"], then.lengths(self.tokens, texts)
        )
        yield from self._unknown("catalogue: items the version lacks", self.shop.item_ids)
        yield from self._vectors("catalogue", self.profile.item_vectors, texts, embed_item)
        if "purchases" in self.facts and self.shop.has_interactions:
            since = self.shop.interactions.filter(pl.col("timestamp") > self.facts["purchases"]["until"])
            if since.height >= least:
                yield from self._unknown("new purchases: of items the version lacks", since["item_id"].to_list())
                bought = self.shop.items[since["item"].to_list()]
                yield from self._table("new purchases", self.facts["purchases"], bought)

    def _table(self, name: str, facts: dict[str, Any], items: pl.DataFrame) -> Iterator[Finding]:
        if "price" in facts and "price" in items.columns:
            yield from self._bins(name, "price", facts["price"], items["price"].cast(pl.Float64).drop_nulls().to_list())
        if self.column and "categories" in facts:
            values = items[self.column].cast(pl.String).fill_null("")
            counts = dict(values.value_counts().iter_rows())
            known = [counts.pop(value, 0) for value in facts["categories"]]
            shares = list(facts["categories"].values())
            pair = [*known, sum(counts.values())], [*shares, max(1 - sum(shares), 0.0)]
            yield from self._psi(f"{name}: {self.column}", *pair, facts["count"])

    def _bins(self, name: str, what: str, reference: dict[str, Any], values: list[Any]) -> Iterator[Finding]:
        counts = counts_in(values, reference["edges"]).tolist()
        yield from self._psi(f"{name}: {what}", counts, reference["shares"], reference["count"])

    def _psi(self, what: str, counts: list[int], shares: list[float], reference: int) -> Iterator[Finding]:
        total = sum(counts)
        if min(total, reference) < self.limits.least:
            return
        value = psi(counts, shares)
        chance = psi_by_chance(len(counts), total, reference, self.limits.chance)
        alert = value > max(self.limits.psi, chance)
        yield Finding(what, "psi", value, 0.0, self.limits.psi, total, alert)

    def _words(self, name: str, queries: list[str]) -> Iterator[Finding]:
        now, before = then.unknown_words(self.tokens, self.profile.words, queries), self.facts["queries"]
        if now["words"] < self.limits.least:
            return
        # Where no query was held out, nothing is known of what is usual.
        usual, behind = (before["unknown"], before["words"]) if before["words"] else (0.0, math.inf)
        yield self._share(
            f"{name}: unknown words", now["unknown"], usual, self.limits.unknown_words, now["words"], behind
        )

    def _unknown(self, what: str, item_ids: list[str]) -> Iterator[Finding]:
        if len(item_ids) >= self.limits.least:
            share = sum(item_id not in self.profile.items for item_id in item_ids) / len(item_ids)
            yield self._share(what, share, 0.0, self.limits.unknown_items, len(item_ids), math.inf)

    def _share(self, what: str, share: float, usual: float, limit: float, count: float, behind: float) -> Finding:
        known = behind if behind < math.inf else 0.0
        pooled = (share * count + usual * known) / (count + known)
        spread = math.sqrt(max(pooled * (1 - pooled), 1e-9) * (1 / count + 1 / behind))
        alert = share - usual > max(limit, float(ndtri(1 - self.limits.chance)) * spread)
        return Finding(what, "share", share, usual, limit, int(count), alert)

    def _vectors(self, name: str, before: Any, texts: list[str], embed: Embed) -> Iterator[Finding]:
        some = then.sample(texts, self.config.seed)
        if min(len(before), len(some)) < self.limits.least:
            return
        value, p = energy_test(before, embed(some), self.config.seed)
        alert = value > self.limits.distance and p <= self.limits.chance
        yield Finding(f"{name}: vectors", "energy distance", value, 0.0, self.limits.distance, len(some), alert)
