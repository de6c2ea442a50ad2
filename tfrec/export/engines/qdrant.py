"""A catalogue in Qdrant: vectors, the words of each item as a sparse vector, columns to filter by.

Each content has a collection of its own, named by its checksum, and one beside it for notes. It is filled part by part;
a part is noted once it is written, and writing it twice is writing it once, so that a killed or disconnected command
goes on. Then it is checked, and the alias that clients ask moves: they see the old content or the new one.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.errors import ConfigError, ExportError
from tfrec.export.engines.content import EngineContent
from tfrec.export.engines.retrying import patiently
from tfrec.missing_packages import packages_for
from tfrec.progress import Progress

_ITEMS_PER_PART, _NOTES_AT_ONCE, _COMPARED = 1_000, 5_000, 256
_TIMEOUT = 60  # seconds
_KINDS = {"text": "keyword", "number": "float"}


def push(url: str, name: str, content: EngineContent) -> str:
    """Writes a content and lets clients see it.

    Args:
        url: qdrant://HOST:6333, qdrants://HOST:6333 with TLS, or qdrant:///FOLDER, which the client's local mode keeps;
            the environment's QDRANT_API_KEY goes with it.
        name: what clients call it.
        content: the catalogue.

    Returns:
        the collection.

    Raises:
        ConfigError: the package qdrant-client is missing.
        ExportError: the server cannot be reached, refuses, or does not hold what was written.
    """
    with packages_for("Pushing to Qdrant", ConfigError, "'tfrec-shop[qdrant]'"):
        from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    collection = f"tfrec_{content.key[:16]}"
    try:
        client = _connected(url)
        try:
            _create(client, collection, content)
            notes = _notes(client, collection)
            words = _words_of_items(content)
            parts = range(0, len(content.item_ids), _ITEMS_PER_PART)
            with Progress(f"Pushing to {collection}", len(parts)) as progress:
                for first in parts:
                    end = min(first + _ITEMS_PER_PART, len(content.item_ids))
                    if (part := f"{first}:{end}") not in notes:
                        patiently(
                            lambda f=first, e=end, p=part: _write(client, collection, content, words, f, e, p),  # type: ignore[misc]
                            ResponseHandlingException,
                        )
                    progress.advance(1)
            _settled(client, collection)
            _check(client, collection, content)
            _switch(client, name, collection)
        finally:
            client.close()
    except (ResponseHandlingException, UnexpectedResponse) as error:
        reason = " ".join(str(error).split())[:300]
        raise ExportError(f"Qdrant did not take the catalogue ({reason}): the same command goes on.") from None
    return collection


def _connected(url: str) -> Any:
    from qdrant_client import QdrantClient

    kind, _, place = url.partition("://")
    if not place.startswith("/"):
        key = os.environ.get("QDRANT_API_KEY")
        return QdrantClient(f"http{'s' * (kind == 'qdrants')}://{place}", api_key=key, timeout=_TIMEOUT)
    Path(place).mkdir(parents=True, exist_ok=True)
    try:
        return QdrantClient(path=place)
    except RuntimeError:
        raise ExportError(f"{place} is open in another process: end it first, or use a server of Qdrant.") from None


def _create(client: Any, collection: str, content: EngineContent) -> None:
    from qdrant_client import models

    if not client.collection_exists(collection):
        client.create_collection(
            collection,
            vectors_config={
                "dense": models.VectorParams(size=content.facts["dimension"], distance=models.Distance.DOT)
            },
            sparse_vectors_config={"words": models.SparseVectorParams()},
        )
    if _is_server(client):
        for number, kind in enumerate(content.facts["columns"].values()):
            client.create_payload_index(collection, f"c{number}", field_schema=_KINDS[kind])
    if not client.collection_exists(_beside(collection)):
        client.create_collection(_beside(collection), vectors_config={})
    _note(client, collection, "facts", json.dumps(content.facts))


def _is_server(client: Any) -> bool:
    from qdrant_client.local.qdrant_local import QdrantLocal

    return not isinstance(client._client, QdrantLocal)


def _beside(collection: str) -> str:
    return f"{collection}_notes"


def _note(client: Any, collection: str, name: str, text: str = "") -> None:
    from qdrant_client import models

    key = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    point = models.PointStruct(id=key, vector={}, payload={"name": name, "text": text})
    client.upsert(_beside(collection), [point], wait=True)


def _notes(client: Any, collection: str) -> set[str]:
    return {payload["name"] for _, payload in _all(client, _beside(collection), ["name"])}


def _all(client: Any, collection: str, fields: list[str]) -> Any:
    """(id, payload) of every point."""
    offset: Any = None
    while True:
        points, offset = client.scroll(collection, limit=_NOTES_AT_ONCE, offset=offset, with_payload=fields)
        yield from ((point.id, point.payload) for point in points)
        if offset is None:
            return


def _words_of_items(content: EngineContent) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The postings by item: where those of each item begin [N + 1], words and weights."""
    order = np.argsort(content.items, kind="stable")
    starts = np.searchsorted(content.items[order], np.arange(len(content.item_ids) + 1))
    words = np.repeat(np.arange(len(content.starts) - 1), np.diff(content.starts))
    return starts, words[order], content.weights[order]


def _point(content: EngineContent, words: tuple[np.ndarray, np.ndarray, np.ndarray], row: int) -> Any:
    from qdrant_client import models

    some = slice(words[0][row], words[0][row + 1])
    vector: dict[str, Any] = {"dense": content.vectors[row].tolist()}
    if some.stop > some.start:
        vector["words"] = models.SparseVector(indices=words[1][some].tolist(), values=words[2][some].tolist())
    columns = {f"c{number}": values[row] for number, values in enumerate(content.columns.values())}
    columns = {name: value for name, value in columns.items() if value is not None}
    payload = {"item_id": content.item_ids[row], "prior": float(content.prior[row]), **columns}
    return models.PointStruct(id=row, vector=vector, payload=payload)


def _write(
    client: Any, collection: str, content: EngineContent, words: tuple[np.ndarray, np.ndarray, np.ndarray], first: int,
    end: int, part: str,
) -> None:  # fmt: skip
    client.upsert(collection, [_point(content, words, row) for row in range(first, end)], wait=True)
    _note(client, collection, part)


def _settled(client: Any, collection: str) -> None:
    """Waits until the server has built its index."""
    while str(client.get_collection(collection).status) in ("yellow", "CollectionStatus.YELLOW"):
        time.sleep(0.5)


def _check(client: Any, collection: str, content: EngineContent) -> None:
    """Whether the engine holds what was written: all ids and priors, and the vectors of some items."""
    found = dict(_all(client, collection, ["item_id", "prior"]))
    ids = [found[row]["item_id"] if row in found else "" for row in range(len(content.item_ids))]
    same = len(found) == len(ids) and ids == content.item_ids
    if same:
        priors = [found[row]["prior"] for row in range(len(ids))]
        some = np.linspace(0, len(ids) - 1, min(_COMPARED, len(ids))).astype(int).tolist()
        points = client.retrieve(collection, some, with_payload=False, with_vectors=["dense"])
        vectors = np.array([point.vector["dense"] for point in sorted(points, key=lambda point: point.id)])
        same = bool(np.allclose(priors, content.prior, atol=1e-5))
        same = same and np.allclose(vectors, content.vectors[some], atol=1e-5)
    if not same:
        raise ExportError(
            f"{collection} does not hold what was written: delete this collection and {_beside(collection)}, and run "
            "the command again."
        )


def _switch(client: Any, name: str, collection: str) -> None:
    """Names the collection; of those that the name had before the last one stays, for clients and for going back."""
    from qdrant_client import models

    def named(alias: str, target: str) -> list[Any]:
        gone = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
        new = models.CreateAliasOperation(create_alias=models.CreateAlias(alias_name=alias, collection_name=target))
        return [*([gone] if alias in aliases else []), new]

    aliases = {one.alias_name: one.collection_name for one in client.get_aliases().aliases}
    old, before = aliases.get(name), aliases.get(f"{name}.previous")
    if old == collection:
        return
    client.update_collection_aliases(
        [*named(name, collection), *(named(f"{name}.previous", old) if old is not None else [])]
    )
    used = {one.collection_name for one in client.get_aliases().aliases}
    if before is not None and before not in used:
        client.delete_collection(before)
        client.delete_collection(_beside(before))
