"""The set of requests: every signature, odd texts, and mistakes of every kind.

`grpc_answers`, `grpc_mistakes` and `rest_predictions` can be asked of a loaded export too; `grpc_versions` and
`rest_server` are about what only a server has.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfrec.serving.deploy.conformance.side import Side

QUERIES = (
    "",
    " ",
    "red",
    "leather sofa",
    "warm jacket for hiking",
    "naïve café",
    "台灯",
    "🛋 sofa",
    "x" * 3000,
    "a\tb\nc",
)


class Case(NamedTuple):
    """One request: its name, and how a server is asked."""

    name: str
    ask: Callable[[Any], Any]  # of a Side, or of an ExportSide


def discover(side: Any, queries: Sequence[str], count: int = 12) -> list[str]:
    """Ids of items to ask about, as a server or an export finds them."""
    found = side.client.predict("search", {"query": np.array(queries, object), "k": np.int32(count)})["item_ids"]
    return sorted({item.decode("utf-8", "replace") for item in found.ravel() if item})[:count]


def grpc_answers(queries: Sequence[str], items: Sequence[str]) -> Iterator[Case]:
    """Answers by gRPC."""
    histories = _table([items[:1], items[:4], [], ["no such item", *items[4:6]]])
    ids = np.array([*items[:3], "no such item"], object)
    few = np.array([*(list(queries) * 3)[:3], "sofa"], object)
    k = np.int32
    for k_now in (1, 10, 200):
        yield _predict(f"search, k={k_now}", "search", query=np.array(queries, object), k=k(k_now))
    for query in queries:
        yield _predict(f"search {query[:12]!r} alone", "search", query=np.array([query], object), k=k(10))
    yield _predict("serving_default", "", query=few, k=k(5))
    yield _predict("recommend", "recommend", history=histories, k=k(10))
    yield _predict("personalised_search", "personalised_search", query=few, history=histories, k=k(10))
    yield _predict("similar_items", "similar_items", item_id=ids, k=k(10))
    yield _predict("embed_query", "embed_query", query=few, history=histories)
    yield _predict("embed_item", "embed_item", text=few)
    yield _predict("explain", "explain", query=few, history=histories, item_ids=_table([items[:3]] * 4))
    nothing = np.full([4, 1], "", object)
    yield _predict("diversity", "search_filtered", query=few, filters=nothing, diversity=np.float32(0.3), k=k(10))
    yield _predict(
        "what was seen", "recommend_filtered",
        history=histories, filters=nothing, diversity=np.float32(0), exclude_seen=np.bool_(False), k=k(10),
    )  # fmt: skip
    yield _predict("no rows", "search", query=np.array([], object), k=k(3))
    yield Case(
        "one output only",
        lambda side: side.client.predict("search", {"query": few, "k": k(3)}, output_filter=["scores"]),
    )


def grpc_mistakes() -> Iterator[Case]:
    """Predictions that must be refused, with the same code by both."""
    query, k = np.array(["sofa"], object), np.int32(3)
    wrong: dict[str, tuple[str, dict[str, Any]]] = {
        "unknown signature": ("no such signature", {"query": query, "k": k}),
        "missing input": ("search", {"query": query}),
        "input too many": ("search", {"query": query, "k": k, "more": k}),
        "input of another name": ("search", {"query": query, "K": k}),
        "query a number": ("search", {"query": np.array([1], np.int32), "k": k}),
        "k an int64": ("search", {"query": query, "k": np.int64(3)}),
        "k a vector": ("search", {"query": query, "k": np.array([3], np.int32)}),
        "query a matrix": ("search", {"query": query[:, None], "k": k}),
        "k of 0": ("search", {"query": query, "k": np.int32(0)}),
        "k below 0": ("search", {"query": query, "k": np.int32(-1)}),
        "rows that do not fit": ("personalised_search", {"query": query, "history": _table([["a"], ["b"]]), "k": k}),
        "unknown filter": (
            "search_filtered",
            {"query": query, "filters": _table([["no such column=1"]]), "diversity": np.float32(0), "k": k},
        ),
    }
    for name, (signature, inputs) in wrong.items():
        yield _predict(name, signature, **inputs)
    yield Case(
        "unknown output", lambda side: side.client.predict("search", {"query": query, "k": k}, output_filter=["none"])
    )


def grpc_versions() -> Iterator[Case]:
    """Versions, states and names, known and unknown."""
    query, k = np.array(["sofa"], object), np.int32(3)
    yield Case("the version by number", _by_number)
    yield Case("metadata", lambda side: side.client.metadata().signatures)
    yield Case("status", lambda side: [status._asdict() for status in side.client.status()])
    yield Case("unknown version", lambda side: side.client.predict("search", {"query": query, "k": k}, version=987654))
    yield Case("unknown label", lambda side: side.client.predict("search", {"query": query, "k": k}, version="none"))
    yield Case("unknown model", lambda side: _elsewhere(side, lambda client: client.search("sofa")))
    yield Case("status of an unknown model", lambda side: _elsewhere(side, lambda client: client.status()))
    yield Case("status of an unknown version", lambda side: side.client.status(version=987654))


def rest_predictions(queries: Sequence[str], items: Sequence[str]) -> Iterator[Case]:
    """Predictions by REST, answered and refused."""
    texts, post = list(queries), _post
    encoded = {"b64": base64.b64encode("台灯".encode()).decode()}
    yield post("search by columns", {"signature_name": "search", "inputs": {"query": texts, "k": 5}})
    yield post("default signature", {"inputs": {"query": ["sofa"], "k": 3}})
    yield post("text in base64", {"signature_name": "search", "inputs": {"query": [encoded], "k": 3}})
    yield post("similar items", {"signature_name": "similar_items", "inputs": {"item_id": list(items[:3]), "k": 4}})
    yield post("recommend", {"signature_name": "recommend", "inputs": {"history": [list(items[:2])], "k": 4}})
    yield post("vectors by rows", {"signature_name": "embed_item", "instances": [{"text": "red"}, {"text": "sofa"}]})
    yield post("vectors by bare rows", {"signature_name": "embed_item", "instances": ["red", "sofa"]})
    yield post("k by rows", {"signature_name": "search", "instances": [{"query": "red", "k": 3}]})
    yield post("unknown signature", {"signature_name": "none", "inputs": {"query": ["red"], "k": 3}})
    yield post("missing input", {"inputs": {"query": ["red"]}})
    yield post("text for k", {"inputs": {"query": ["red"], "k": "three"}})
    yield post("broken JSON", b'{"inputs": ')
    yield post("no JSON object", b"[1, 2]")
    yield post("both formats", {"inputs": {"query": ["red"], "k": 1}, "instances": ["red"]})


def rest_server() -> Iterator[Case]:
    """States, metadata and unknown places by REST."""
    yield _get("status", "/v1/models/{}")
    yield _get("metadata", "/v1/models/{}/metadata")
    yield _post("unknown version", {"inputs": {"query": ["red"], "k": 1}}, "/versions/987654:predict")
    yield _get("unknown model", "/v1/models/no-such-model-of-{}")
    yield _get("unknown path", "/v2/none/{}")


def _post(name: str, body: Any, path: str = ":predict") -> Case:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Case(f"REST {name}", lambda side: side.rest("POST", f"/v1/models/{side.model}{path}", content))


def _get(name: str, path: str) -> Case:
    return Case(f"REST {name}", lambda side: side.rest("GET", path.format(side.model)))


def _predict(name: str, signature: str, **inputs: Any) -> Case:
    return Case(name, lambda side: side.client.predict(signature, inputs))


def _by_number(side: Side) -> Any:
    newest = max(status.version for status in side.client.status() if status.state == "AVAILABLE")
    return side.client.predict("search", {"query": np.array(["sofa"], object), "k": np.int32(3)}, version=newest)


def _elsewhere(side: Side, ask: Callable[[Any], Any]) -> Any:
    with side.other("no such model") as client:
        return ask(client)


def _table(rows: Sequence[Sequence[str]]) -> np.ndarray:
    """string [B, H], filled up with empty texts; H is at least 1."""
    table = np.full([len(rows), max([1, *map(len, rows)])], "", object)
    for number, row in enumerate(rows):
        table[number, : len(row)] = list(row)
    return table
