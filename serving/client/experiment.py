"""Two versions behind one call: one list of both (interleaving), or one of the two by the shopper (A/B).

Each answer carries what an analysis needs, as the attribute `experiment` of a User Behavior Insights query.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from tfrec.comparing.interleaving import balanced, draft_propensities, ranks_in, rounds_of, stable_coins, team_draft
from tfrec.serving.client.checks import refused, whole
from tfrec.serving.client.client import Client
from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.results import Hit

Method = Literal["team_draft", "balanced", "ab"]
_TEAMS = {0: "a", 1: "b", -1: ""}
_VERSIONS = ("a", "b")
_THREADS = 64  # two for each search that is under way


class TeamHit(NamedTuple):
    """One item of a compared answer.

    Attributes:
        item_id: the shop's own id of the item.
        score: of the version that it is from; scores of two versions do not compare.
        team: "a" or "b", whose pick it is; "" where both rank it alike (and always with balanced interleaving, where
            the ranks decide).
    """

    item_id: str
    score: float
    team: str


@dataclass(frozen=True)
class Compared:
    """An answer of an experiment.

    Attributes:
        query: what was asked.
        hits: to be shown, best first.
        attribution: what the analysis needs, in JSON's types; `ubi_query` holds it.
    """

    query: str
    hits: list[TeamHit]
    attribution: dict[str, Any]

    def ubi_query(
        self, query_id: str, client_id: str, session_id: str = "", application: str = "", when: datetime | None = None
    ) -> dict[str, Any]:
        """The query record of User Behavior Insights 1.3, with the attribution; events need its query_id alone.

        Args:
            query_id: of this search.
            client_id: of the shopper's device, as in the shop's events.
            session_id: of the session.
            application: name of the application.
            when: the time; None is now.
        """
        told = {
            "query_id": query_id, "client_id": client_id, "session_id": session_id, "application": application,
            "timestamp": (when or datetime.now(timezone.utc)).isoformat(timespec="milliseconds"),
            "user_query": self.query, "query_response_object_ids": [hit.item_id for hit in self.hits],
            "query_attributes": {"experiment": self.attribution},
        }  # fmt: skip
        return {name: value for name, value in told.items() if value != ""}


class Experiment:
    """Asks two versions of a model, and merges their answers or takes one of them.

    The same session and query give the same list again, as long as both versions answer alike. Where one version
    fails, the other's answer is shown alone, marked so that it is counted and not credited.

    Args:
        a: asks what is served now, for example `Client(version="stable")`.
        b: asks the candidate, for example `Client(version="canary")`.
        name: of the experiment; another name draws anew.
        method: "team_draft" or "balanced" interleaving, or "ab": each session is given one version.

    Raises:
        ClientError: a name or method that is none.
    """

    def __init__(self, a: Client, b: Client, name: str, method: Method = "team_draft") -> None:
        if not isinstance(name, str) or not name:
            raise refused(f"The experiment's name must be a text that is not empty, not {name!r}.")
        if method not in get_args(Method):
            raise refused(f"The method must be one of {', '.join(get_args(Method))}, not {method!r}.")
        self._clients, self._name, self._method = (a, b), name, method
        self._threads = ThreadPoolExecutor(_THREADS, "tfrec-experiment")

    def __enter__(self) -> Experiment:
        return self

    def __exit__(self, *ended: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends its threads; the clients stay open."""
        self._threads.shutdown(wait=False)

    def variant(self, session: str) -> str:
        """Which version a session is given in an A/B experiment: "a" or "b"."""
        return _VERSIONS[int(stable_coins(self._name, session, count=1)[0])]

    def search(self, query: str, session: str, k: int = 10, **wishes: Any) -> Compared:
        """Searches with both versions at once (A/B: with one).

        Args:
            query: what was typed.
            session: id of the session, or of the shopper, whose answers shall stay the same.
            k: hits at most.
            wishes: further arguments of `Client.search`.

        Raises:
            ClientError: no version answered.
        """
        k = whole(k, "k", 1, 10_000)

        def ask(client: Client) -> list[Hit]:
            return client.search(query, k, **wishes)[0]

        if self._method == "ab":
            variant = self.variant(session)
            started = time.monotonic()
            hits = ask(self._clients[_VERSIONS.index(variant)])
            spent = {f"latency_ms_{variant}": _ms(started), f"results_{variant}": len(hits)}
            told = {"name": self._name, "method": "ab", "variant": variant, **spent}
            return Compared(query, [TeamHit(*hit, variant) for hit in hits], told)
        calls = [self._threads.submit(_timed, ask, client) for client in self._clients]
        found = [call.result() for call in calls]
        errors = [error for _, _, error in found if error is not None]
        if len(errors) == len(found):
            raise errors[0]
        merged = self.merged(query, session, found[0][0], found[1][0], k)
        for name, (_, spent_ms, error) in zip(_VERSIONS, found, strict=True):
            if error is None:
                merged.attribution[f"latency_ms_{name}"] = spent_ms
        return merged

    def merged(self, query: str, session: str, a: Sequence[Hit] | None, b: Sequence[Hit] | None, k: int) -> Compared:
        """One list of two answers, for callers that ask the versions themselves (`AsyncClient`).

        Args:
            query, session: what the coins belong to.
            a, b: the answers; None for one that failed.
            k: hits at most.
        """
        told: dict[str, Any] = {"name": self._name, "method": self._method}
        answers = {name: hits for name, hits in zip(_VERSIONS, (a, b), strict=True) if hits is not None}
        told |= {f"results_{name}": len(hits) for name, hits in answers.items()}
        if a is None or b is None:
            told["failed"] = next(name for name in _VERSIONS if name not in answers)
            alone = next(iter(answers.values()), [])
            return Compared(query, [TeamHit(*hit, "") for hit in alone[:k]], told)
        numbers: dict[str, int] = {}
        for hit in (*a, *b):
            numbers.setdefault(hit.item_id, len(numbers))
        rows = [np.array([[numbers[hit.item_id] for hit in hits]], np.int64).reshape(1, -1) for hits in (a, b)]
        size = min(k, len(numbers))
        coins = stable_coins(self._name, session, query, count=max(rounds_of(size), 1))[None]
        if self._method == "balanced":
            items = balanced(rows[0], rows[1], coins[:, 0], size)
            teams = np.full(items.shape, -1)
        else:
            items, teams = team_draft(rows[0], rows[1], coins, size)
            told["teams"] = [_TEAMS[team] for team in teams[0].tolist()]
            if (chances := draft_propensities(rows[0][0], rows[1][0], items[0])) is not None:
                told["propensities"] = chances.round(6).tolist()
        told["rank_a"], told["rank_b"] = (ranks_in(items, row)[0].tolist() for row in rows)
        names = list(numbers)
        told["listed"] = [names[number] for number in items[0].tolist()]
        scores = [{hit.item_id: hit.score for hit in hits} for hits in (a, b)]
        hits = []
        for number, team in zip(items[0].tolist(), teams[0].tolist(), strict=True):
            item_id = names[number]
            of = scores[1] if team == 1 or item_id not in scores[0] else scores[0]
            hits.append(TeamHit(item_id, of[item_id], _TEAMS[team]))
        return Compared(query, hits, told)


def _timed(ask: Callable[[Client], list[Hit]], client: Client) -> tuple[list[Hit] | None, float, ClientError | None]:
    started = time.monotonic()
    try:
        return ask(client), _ms(started), None
    except ClientError as error:
        return None, _ms(started), error


def _ms(started: float) -> float:
    return round((time.monotonic() - started) * 1e3, 3)
