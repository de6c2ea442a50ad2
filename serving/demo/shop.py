"""What the page asks for, made of calls to the served model and of the catalogue."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from tfrec.serving.client import Client, ClientError, Hit, Parts
from tfrec.serving.client.client import available
from tfrec.serving.demo.catalogue import Catalogue, Catalogues

# What a server answers to a signature that its model does not have (TF Serving has used both).
_LOOK_SECONDS = 1.0
_NO_SIGNATURE = ("FAILED_PRECONDITION", "INVALID_ARGUMENT", "NOT_FOUND")


class DemoShop:
    """A shop in front of a served model.

    Args:
        client: connected to the model server.
        catalogue: what is shown of the items: one catalogue, or that of each version.
    """

    def __init__(self, client: Client, catalogue: Catalogue | Catalogues) -> None:
        self._client = client
        self._catalogue = catalogue if isinstance(catalogue, Catalogue) else Catalogue()
        self._catalogues = catalogue if isinstance(catalogue, Catalogues) else None
        self._again = 0.0
        self._explains: bool | None = None

    def search(
        self, words: str, looked: Sequence[str] = (), k: int = 20, filters: Sequence[str] = (), diversity: float = 0.0
    ) -> dict[str, Any]:
        """Items for typed words, for what the shopper looked at, or for both; for neither, what sells.

        Args:
            words: what was typed, may be blank.
            looked: ids of items, oldest first, may be empty.
            k: hits at most.
            filters: conditions on item columns.
            diversity: 0..1.

        Returns:
            "hits": items as `Catalogue.item` gives them, with "score" and "parts" (scorer -> its part of the score,
            empty where the export cannot tell), and "sure" where it says how sure they are; "milliseconds": how long
            the model server took; "personal": whether `looked` had a say.

        Raises:
            ClientError: the server does not answer or refuses.
        """
        started = time.perf_counter()
        past = [list(looked)]
        if looked and words.strip():
            [hits] = self._client.personalised_search(words, past, k, filters=filters, diversity=diversity)
        elif looked:
            [hits] = self._client.recommend(past, k, filters=filters, diversity=diversity)
        else:
            [hits] = self._client.search(words, k, filters=filters, diversity=diversity)
        took = 1000 * (time.perf_counter() - started)
        return {"hits": self._shown(hits, words, past), "milliseconds": round(took, 1), "personal": bool(looked)}

    def search_image(
        self, picture: bytes, words: str = "", k: int = 20, filters: Sequence[str] = (), diversity: float = 0.0
    ) -> dict[str, Any]:
        """Items by a picture, with words beside it or none.

        Args:
            picture: a JPEG or PNG file.
            words, k, filters, diversity: as in `search`.

        Returns:
            as `search`, without parts of scores.
        """
        started = time.perf_counter()
        beside = words.strip() or None
        [hits] = self._client.search_image(picture, k, words=beside, filters=filters, diversity=diversity)
        took = 1000 * (time.perf_counter() - started)
        self._follow([hit.item_id for hit in hits])
        shown = [self._one(hit, Parts()) for hit in hits]
        return {"hits": shown, "milliseconds": round(took, 1), "personal": False}

    def similar(self, item_id: str, k: int = 8) -> dict[str, Any]:
        """An item, and the nearest others."""
        [hits] = self._client.similar_items(item_id, k)
        self._follow([item_id, *(hit.item_id for hit in hits)])
        return {"item": self._catalogue.item(item_id), "hits": [self._one(hit, Parts()) for hit in hits]}

    def why(self, item_id: str, words: str, looked: Sequence[str]) -> dict[str, Any]:
        """What an item's score stands on.

        Returns:
            "words": typed word -> by how much the score falls without it; "looked": items as `Catalogue.item` gives
            them, with the same as "falls"; both the largest first, and empty where the export cannot tell.
        """
        try:
            [left_out] = self._client.leave_one_out(words, looked, [item_id])
        except ClientError as error:
            if error.code not in _NO_SIGNATURE:
                raise
            return {"words": {}, "looked": []}
        self._follow(looked)
        falls = [sorted(part.items(), key=lambda one: -one[1]) for part in left_out]
        return {
            "words": {word: round(fall, 3) for word, fall in falls[0]},
            "looked": [{**self._catalogue.item(one), "falls": round(fall, 3)} for one, fall in falls[1]],
        }

    def because(self, looked: Sequence[str], k: int = 8) -> dict[str, Any]:
        """What the page offers to a shopper who looked at items.

        Returns:
            "looked": all that was looked at; "item": the last of it; "because": items like that; "hits": what the whole
            history recommends. Neither list repeats what was looked at.
        """
        last = looked[-1]
        [like] = self._client.similar_items(last, k + len(looked))
        [hits] = self._client.recommend([list(looked)], k + len(looked))
        seen = set(looked)
        self._follow([*looked, *(hit.item_id for hit in [*like, *hits])])
        return {
            "looked": [self._catalogue.item(item_id) for item_id in looked],
            "item": self._catalogue.item(last),
            "because": [self._one(hit, Parts()) for hit in like if hit.item_id not in seen][:k],
            "hits": [self._one(hit, Parts()) for hit in hits if hit.item_id not in seen][:k],
        }

    def about(self) -> dict[str, Any]:
        """State of the model: "versions" (newest first), the number of "items" that have titles, the columns that
        "filters" may name (None where that is not known), and whether it searches by "pictures"."""
        self._follow(())
        statuses = self._client.status()
        pictures = available(statuses) is not None and "search_image" in self._client.metadata().signatures
        return {
            "versions": [status._asdict() for status in statuses],
            "items": len(self._catalogue),
            "filters": self._catalogue.filters,
            "pictures": pictures,
        }

    def _shown(self, hits: Sequence[Hit], words: str, past: list[list[str]]) -> list[dict[str, Any]]:
        parts = [Parts() for _ in hits]
        if hits and self._explains is not False:
            try:
                [parts] = self._client.explain(words, past, [[hit.item_id for hit in hits]])
                self._explains = True
            except ClientError as error:
                if self._explains or error.code not in _NO_SIGNATURE:
                    raise
                self._explains = False  # an export from before there was such a signature
        self._follow([hit.item_id for hit in hits])
        return [self._one(hit, part) for hit, part in zip(hits, parts, strict=True)]

    def _follow(self, item_ids: Sequence[str]) -> None:
        """Takes the catalogue of the version that answers: looked at now and then, and when an item is not known."""
        if self._catalogues is None:
            return
        now = time.monotonic()
        if now < self._again and all(item_id in self._catalogue for item_id in item_ids):
            return
        self._again = now + _LOOK_SECONDS
        answers = available(self._client.status())
        if answers is not None:
            self._catalogue = self._catalogues.of(answers.version)

    def _one(self, hit: Hit, parts: Parts) -> dict[str, Any]:
        rounded = {name: round(part, 4) for name, part in parts.items()}
        shown = {**self._catalogue.item(hit.item_id), "score": round(hit.score, 4), "parts": rounded}
        return shown if parts.sure is None else {**shown, "sure": round(parts.sure, 3)}
