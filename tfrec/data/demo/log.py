"""The demo shop's search log: sessions of shoppers with known taste who look at lists from the top, as UBI writes them.

What attracts, and how often each place is looked at, are known, so that what the click models find can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tfrec.data.demo.catalogue import Catalogue, item_id
from tfrec.data.demo.queries import Query
from tfrec.data.demo.shoppers import DAYS, FIRST_DAY, lasting_liking, tastes_of, user_id
from tfrec.files import write_json

DEPTH = 10
EXAMINATION = 1.0 / np.arange(1, DEPTH + 1) ** 0.8
_CANDIDATES = 24
_ATTRACTION = ((1.0, 0.45), (0.5, 0.25), (0.1, 0.1), (0.0, 0.04))  # of a gain
_TAIL = 0.9  # of the frequency of queries by rank
_AGAIN = 0.4  # of searches without a click that are typed anew
_CART, _BUY = 0.35, 0.4  # of clicks on what answers the query; of carts
_CRAWLER = 600  # searches of a machine in one hour
_MACHINES = {"crawler": "Mozilla/5.0 (compatible; shopbot/1.0)", "scraper": "Mozilla/5.0 Chrome/120"}


@dataclass(frozen=True)
class _Pages:
    """What every query can show: rows of the catalogue [Q, C], gains, and attractiveness before and after midyear."""

    items: NDArray[np.int64]
    gains: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    opinion: NDArray[np.float64]


def write_search_log(
    folder: Path, catalogue: Catalogue, queries: Sequence[Query], searches: int, shoppers: int, seed: int,
    taste: float = 0.0,
) -> None:  # fmt: skip
    """Writes search_log.ndjson, and the truth as search_log_truth.parquet and search_log_truth.json.

    Few queries are typed often, most rarely. The ranker follows relevance and popularity, and errs. After midyear
    (half the days) a third of the items attract more or less than before. Whoever finds nothing may type a related
    query. Two machines search along: one says what it is, the other shows it by its haste.

    Args:
        folder: where to write.
        catalogue: the latent items.
        queries: what is typed, with relevant items; the first ones are typed most.
        searches: how many, beside those of machines.
        shoppers: how many shoppers search; they are those of the purchases.
        seed: the seed.
        taste: how much the taste by which a shopper buys decides which of the items that answer a query attract;
            0 lets all shoppers like the same.
    """
    rng = np.random.default_rng([seed, 9])
    pages = _pages(rng, catalogue, queries)
    typed, user, session, time = _sessions(rng, queries, searches, shoppers)
    late = time >= FIRST_DAY + DAYS // 2 * 86_400
    order = np.argsort(-(pages.opinion[typed] + 0.5 * rng.gumbel(size=(len(typed), _CANDIDATES))), axis=1)[:, :DEPTH]
    item, gain = pages.items[typed[:, None], order], pages.gains[typed[:, None], order]
    attractive = np.where(late[:, None], pages.after[typed[:, None], order], pages.before[typed[:, None], order])
    there = item >= 0
    machine = user >= shoppers
    if taste:
        someone = np.where(machine, 0, user)[:, None]
        attractive = _to_whom(attractive, lasting_liking(catalogue, tastes_of(shoppers, seed), someone, item), taste)
    clicked = there & (rng.random(order.shape) < attractive * EXAMINATION) & ~machine[:, None]
    cart = clicked & (rng.random(order.shape) < _CART * (gain > 0.4))
    bought = cart & (rng.random(order.shape) < _BUY)
    words = pl.Series([query.text for query in queries])
    ids = pl.Series([item_id(row) for row in range(catalogue.size)])
    names = np.array([*map(user_id, range(shoppers)), *_MACHINES])
    agents = np.array([*["Mozilla/5.0 Firefox/120"] * shoppers, *_MACHINES.values()])
    numbers = np.arange(len(typed))
    searched = pl.DataFrame(
        {"list": numbers, "user": names[user], "agent": agents[user], "session": session, "time": time,
         "words": words.gather(typed), "results": there.sum(axis=1)}
    )  # fmt: skip
    events = [_events(searched, item, there, "impression", 0)]
    events += [
        _events(searched, item, done, action, seconds)
        for done, action, seconds in ((clicked, "click", 12), (cart, "add_to_cart", 30), (bought, "purchase", 240))
    ]
    _write(folder / "search_log.ndjson", searched, pl.concat(events), ids)
    truth = np.nonzero(pages.items >= 0)
    pl.DataFrame(
        {"query": words.gather(truth[0]), "item_id": ids.gather(pages.items[truth]),
         "before": pages.before[truth], "after": pages.after[truth]}
    ).write_parquet(folder / "search_log_truth.parquet")  # fmt: skip
    write_json(folder / "search_log_truth.json", {"examination": EXAMINATION.tolist()})


def _to_whom(attractive: NDArray[np.float64], liking: NDArray[np.float64], taste: float) -> NDArray[np.float64]:
    """Attractiveness [S, P] to the shoppers who see the lists: the odds follow their liking against the list's mean."""
    shift = taste * (liking - liking.mean(axis=1, keepdims=True))
    odds = attractive / (1.0 - attractive) * np.exp(np.clip(shift, -6.0, 6.0))
    return odds / (1.0 + odds)


def _pages(rng: np.random.Generator, catalogue: Catalogue, queries: Sequence[Query]) -> _Pages:
    shape = (len(queries), _CANDIDATES)
    items, gains = np.full(shape, -1, np.int64), np.zeros(shape)
    for number, query in enumerate(queries):
        best = np.lexsort((query.items, -query.gains - 0.2 * rng.random(len(query.items))))[:_CANDIDATES]
        items[number, : len(best)], gains[number, : len(best)] = query.items[best], query.gains[best]
    looks = np.exp(rng.normal(0.0, 0.5, catalogue.size))  # a picture, a price: what no judge of relevance sees
    shifts = np.where(rng.random(catalogue.size) < 1 / 3, np.exp(rng.choice([-0.6, 0.6], catalogue.size)), 1.0)
    level = np.select([gains >= gain for gain, _ in _ATTRACTION], [chance for _, chance in _ATTRACTION])
    before = np.clip(level * looks[items], 0.01, 0.95)
    after = np.clip(before * shifts[items], 0.01, 0.95)
    popular = catalogue.popularity.argsort().argsort() / catalogue.size
    opinion = 0.3 * gains + 1.2 * popular[items] + 1.0 * rng.random(shape)
    opinion[items < 0] = -np.inf
    return _Pages(items, gains, before, after, opinion)


def _sessions(
    rng: np.random.Generator, queries: Sequence[Query], searches: int, shoppers: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Query, shopper, session and time of every search, machines' at the end, in order of time within a session."""
    often = 1.0 / np.arange(1, len(queries) + 1) ** _TAIL
    typed = rng.choice(len(queries), searches, p=often / often.sum())
    opens = np.concatenate([[True], rng.random(max(searches - 1, 0)) < 0.6])
    session = np.cumsum(opens) - 1
    # within a session, often another wording of the same wish: a query for the same kind of thing
    kinds: dict[tuple[str, int], list[int]] = {}
    for number, query in enumerate(queries):
        kinds.setdefault((query.need.scope, query.need.value), []).append(number)
    again = ~opens & (rng.random(searches) < _AGAIN)
    for place in np.flatnonzero(again).tolist():
        wish = queries[typed[place - 1]].need
        alike = kinds[wish.scope, wish.value]
        typed[place] = alike[int(rng.integers(len(alike)))]
    of_session = int(session[-1]) + 1
    activity = rng.gamma(0.7, 1.0, shoppers) + 0.05
    user = rng.choice(shoppers, of_session, p=activity / activity.sum())[session]
    start = FIRST_DAY + rng.integers(0, DAYS * 86_400 - 7_200, of_session)
    step = np.arange(searches) - np.flatnonzero(opens)[session]
    time = start[session] + step * 300 + rng.integers(0, 60, searches)
    machines = np.repeat(np.arange(len(_MACHINES)), _CRAWLER)
    crawled = rng.choice(len(queries), len(machines))
    haste = FIRST_DAY + 86_400 * 30 + np.tile(np.arange(_CRAWLER), len(_MACHINES))
    return (
        np.concatenate([typed, crawled]), np.concatenate([user, shoppers + machines]),
        np.concatenate([session, of_session + machines]), np.concatenate([time, haste]),
    )  # fmt: skip


def _events(
    searched: pl.DataFrame, item: NDArray[np.int64], done: NDArray[np.bool_], action: str, seconds: int
) -> pl.DataFrame:
    rows, places = np.nonzero(done)
    of = searched[rows]
    return of.with_columns(
        pl.Series("item", item[rows, places]), pl.Series("place", places, dtype=pl.Int64),
        pl.lit(action).alias("action"),
        pl.col("time") + seconds + (pl.Series(places, dtype=pl.Int64) if seconds else 0),
    )  # fmt: skip


def _write(path: Path, searched: pl.DataFrame, events: pl.DataFrame, ids: pl.Series) -> None:
    """Queries and events, each in the form of UBI, in order of time."""
    key = [
        pl.format("s{}", "list").alias("query_id"), pl.col("user").alias("client_id"),
        pl.format("v{}", "session").alias("session_id"), pl.lit("demo").alias("application"),
        pl.from_epoch("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("timestamp"), pl.col("words").alias("user_query"),
    ]  # fmt: skip
    kind = pl.Struct(
        {"object": pl.Struct({"object_id": pl.String}), "position": pl.Struct({"ordinal": pl.Int64}),
         "browser": pl.String, "result_count": pl.Int64}
    )  # fmt: skip
    attributes = pl.struct(
        pl.struct(pl.lit(ids.gather(events["item"])).alias("object_id")).alias("object"),
        pl.struct(pl.col("place").alias("ordinal")).alias("position"), pl.col("agent").alias("browser"),
        pl.lit(None, pl.Int64).alias("result_count"),
    )  # fmt: skip
    about = pl.struct(
        pl.lit(None, kind.fields[0].dtype).alias("object"), pl.lit(None, kind.fields[1].dtype).alias("position"),
        pl.col("agent").alias("browser"), pl.col("results").cast(pl.Int64).alias("result_count"),
    )  # fmt: skip
    queries = searched.select(
        pl.lit(None, pl.String).alias("action_name"), *key, about.alias("event_attributes"),
        pl.lit(0).alias("_rank"), "list", pl.lit(0, pl.Int64).alias("place"),
    )  # fmt: skip
    done = events.select(
        pl.col("action").alias("action_name"), *key, attributes.alias("event_attributes"), pl.lit(1).alias("_rank"),
        "list", "place",
    )  # fmt: skip
    both = pl.concat([queries, done]).sort("timestamp", "list", "_rank", "place", maintain_order=True)
    both.drop("_rank", "list", "place").write_ndjson(path)
