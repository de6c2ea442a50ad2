"""The asyncio client of a catalogue whose parts lie on several servers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from tfrec.serving.client.answers import parts
from tfrec.serving.client.calls import Connection
from tfrec.serving.client.checks import refused, seconds, whole
from tfrec.serving.client.connection import Tls
from tfrec.serving.client.diverse import candidates, diverse_hits
from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.inputs import history_rows, query_and_history, text_rows, wishes
from tfrec.serving.client.merging import merged_hits, merged_items, merged_statistics
from tfrec.serving.client.operations import Lists, Texts
from tfrec.serving.client.results import Answer, Hit, Parts
from tfrec.serving.client.shard import Shard
from tfrec.serving.client.shards import Outputs, Shards, Survey


class AsyncShardedClient:
    """Asks servers that each hold a part of one catalogue (`tfrec export --shards N`), and merges their answers.

    The merged answer is that of one server with the whole catalogue. A shard that does not answer is left out: the
    answer is marked (`partial`, `missing`), and the next ones are whole again once it is back.

    Args:
        shards: of each shard, in order, the address of its server, or of several that hold the same shard: these take
            turns, and where one is late the next is asked as well.
        model: the served model's name.
        timeout: seconds that a shard has for one of its answers (a request takes two to five, one after the other).
        retries: further attempts at a shard whose servers cannot be reached.
        max_message_bytes: largest request or answer.
        hedge_after: seconds without an answer after which the next server is asked as well, of a fifth of the calls.
        tls, token, token_file: see `Client`.
        version: to ask for; None takes the newest that all shards have.

    Raises:
        ClientError: from every method, with a `code` and one sentence.
    """

    def __init__(
        self,
        shards: Sequence[str | Sequence[str]],
        model: str = "tfrec",
        timeout: float = 2.0,
        retries: int = 1,
        max_message_bytes: int = 64 << 20,
        *,
        hedge_after: float = 0.1,
        tls: Tls | None = None,
        token: str | None = None,
        token_file: str | Path | None = None,
        version: int | None = None,
    ) -> None:
        if isinstance(shards, str) or not shards:
            raise refused('Give the shards as a list: ["host-0:8500", "host-1:8500"], or a list of addresses for each.')

        def connect(name: str) -> Connection:
            return Connection(name, timeout, 0, max_message_bytes, tls, token, token_file)

        targets = [[names] if isinstance(names, str) else list(names) for names in shards]
        made = [Shard(names, connect, whole(retries, "The number of retries", 0, 10)) for names in targets]
        patience = seconds(timeout)
        self._shards = Shards(made, model, version, patience, seconds(hedge_after, "The time before a hedged request"))

    async def search(
        self, queries: Texts, k: int = 10, *, filters: Sequence[str] = (), diversity: float = 0.0
    ) -> Answer:
        """Finds items for typed words; see `Client.search`."""
        return await self._ranked(query_and_history(queries, None), k, filters, diversity, False)

    async def recommend(
        self, histories: Lists, k: int = 10, *, filters: Sequence[str] = (), diversity: float = 0.0,
        exclude_seen: bool = True,
    ) -> Answer:  # fmt: skip
        """Finds items for shoppers; see `Client.recommend`."""
        return await self._ranked(query_and_history(None, histories), k, filters, diversity, exclude_seen)

    async def personalised_search(
        self, queries: Texts, histories: Lists, k: int = 10, *, filters: Sequence[str] = (), diversity: float = 0.0,
        exclude_seen: bool = False,
    ) -> Answer:  # fmt: skip
        """Finds items for typed words and the shopper's history together; see `Client.personalised_search`."""
        return await self._ranked(query_and_history(queries, histories), k, filters, diversity, exclude_seen)

    async def similar_items(
        self, item_ids: Texts, k: int = 10, *, filters: Sequence[str] = (), diversity: float = 0.0
    ) -> Answer:
        """Finds the nearest other items of each item; nothing for an unknown one."""
        ids = text_rows(item_ids)
        inputs = {"query": np.full(len(ids), "", object), "history": ids[:, None]}
        return await self._ranked(inputs, k, filters, diversity, True, of_item=True)

    async def explain(self, queries: Texts | None, histories: Lists | None, item_ids: Lists) -> list[list[Parts]]:
        """Takes scores apart: how much each scorer adds to an item's score; see `Client.explain`, but `sure` is None.

        Raises:
            ClientError: UNAVAILABLE where a shard does not answer, for scores are not those of the whole without it.
        """
        inputs, wanted = query_and_history(queries, histories), history_rows(item_ids)
        if len(wanted) != len(inputs["query"]):
            raise refused(f"{len(inputs['query'])} requests need as many lists of items, not {len(wanted)}.")
        survey, missing = await self._shards.survey(), set[int]()
        missing |= set(range(len(self._shards.shards))) - survey.facts.keys()
        request = await self._request(survey, missing, inputs, False)
        more = {"statistics": await self._statistics(survey, missing, request), "item_ids": wanted}
        told = await self._shards.every(survey, missing, "shard_explained", {**request, **more})
        if missing:
            names = ", ".join(map(str, sorted(missing)))
            raise ClientError("UNAVAILABLE", f"No explanation without shard {names}, which does not answer: start it.")
        outputs = next(iter(told.values()))
        summed = {**outputs, "parts": np.sum([one["parts"] for one in told.values()], axis=0)}
        return parts(summed, [len(row) for row in item_ids])

    async def embed_query(self, queries: Texts | None = None, histories: Lists | None = None) -> np.ndarray:
        """Vectors of queries, of histories, or of both together: unit vectors float32 [B, D]."""
        survey = await self._shards.survey()
        request = await self._request(survey, set(), query_and_history(queries, histories), False)
        return request["vectors"]

    async def _ranked(
        self, inputs: dict[str, np.ndarray], k: int, filters: Sequence[str], diversity: float, exclude: bool,
        of_item: bool = False,
    ) -> Answer:  # fmt: skip
        k = whole(k, "k", 1, 2**31 - 1)
        more = wishes(len(inputs["query"]), filters, diversity, None, None)
        given = inputs, k, more.get("filters"), float(diversity), exclude, of_item
        try:
            return await self._merged(await self._shards.survey(), *given)
        except ClientError as error:
            if error.code not in ("NOT_FOUND", "UNAVAILABLE"):
                raise
        # The version is gone, or what was known of the shards is old.
        return await self._merged(await self._shards.survey(anew=True), *given)

    async def _merged(
        self, survey: Survey, inputs: dict[str, np.ndarray], k: int, conditions: Any, diversity: float, exclude: bool,
        of_item: bool,
    ) -> Answer:  # fmt: skip
        shards, missing = self._shards, set(range(len(self._shards.shards))) - survey.facts.keys()
        request = await self._request(survey, missing, inputs, of_item)
        batch = len(inputs["query"])
        looked_at = max(k, candidates(k)) if diversity else k
        more = {
            "statistics": await self._statistics(survey, missing, request),
            "filters": np.full([batch, 0], "", object) if conditions is None else conditions,
            "excluded": request["rows"] if exclude else np.full([batch, 1], -1, np.int32),
            "k": np.int32(looked_at),
        }
        found = await shards.every(survey, missing, "shard_top", {**request, **more})
        hits = merged_hits(list(found.values()), looked_at)
        if diversity:
            hits = await self._diverse(survey, missing, hits, k, diversity)
        if of_item:
            hits = [one if row >= 0 else [] for one, row in zip(hits, request["rows"][:, 0], strict=True)]
        return Answer(hits, missing)

    async def _statistics(self, survey: Survey, missing: set[int], request: dict[str, np.ndarray]) -> np.ndarray:
        """What fusion normalises by, over all shards, float32 [B, S, 4]."""
        if not survey.any.scorers:
            return np.zeros([len(request["words"]), 0, 4], np.float32)
        told = await self._shards.every(survey, missing, "shard_statistics", request)
        sizes = [survey.facts[number].size for number in told]
        return merged_statistics([outputs["statistics"] for outputs in told.values()], sizes)

    async def _diverse(
        self, survey: Survey, missing: set[int], hits: list[list[Hit]], k: int, diversity: float
    ) -> list[list[Hit]]:
        pool = candidates(k)
        ids = history_rows([[hit.item_id for hit in row[:pool]] for row in hits])
        told = await self._shards.every(survey, missing, "shard_items", {"item_ids": ids})
        _, vectors = merged_items(list(told.values()))
        return [diverse_hits(row, near, k, diversity) for row, near in zip(hits, vectors, strict=True)]

    async def _request(
        self, survey: Survey, missing: set[int], inputs: dict[str, np.ndarray], of_item: bool
    ) -> dict[str, np.ndarray]:
        """Words, vectors and rows of the history, as shards take them."""
        query, history = inputs["query"], inputs["history"]
        if any(any(row) for row in history.tolist()):
            told: dict[int, Outputs] = await self._shards.every(survey, missing, "shard_items", {"item_ids": history})
            rows, past = merged_items(list(told.values()))
        else:
            rows, past = np.full([len(query), 1], -1, np.int32), None
        if past is None:
            past = np.zeros([len(query), 1, survey.any.dimension], np.float32)
        if of_item:
            return {"words": query, "vectors": past[:, 0], "rows": rows}
        made = await self._shards.any(survey, missing, "shard_request", {"query": query, "rows": rows, "past": past})
        return {"words": made["words"], "vectors": made["vectors"], "rows": rows}

    async def close(self) -> None:
        """Closes the connections."""
        await self._shards.close()

    async def __aenter__(self) -> AsyncShardedClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
