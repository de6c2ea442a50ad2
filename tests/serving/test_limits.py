"""Limits, deadlines, overload and the request log, on a really loaded model."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from tfrec.serving.server.metrics.counters import Metrics
from tfrec.serving.server.metrics.request_log import JsonFormatter, RequestLog
from tfrec.serving.server.security.limits import Admission, Limits
from tfrec.serving.server.sessions.batcher import Batcher, BatchSettings
from tfrec.serving.server.sessions.servable import Surroundings
from tfrec.serving.server.status import StatusError
from tfrec.serving.server.versions.loader import Servable, find_versions, load, load_warm

SMALL = Limits(rows=8, width=4, text_bytes=20, k=50, answers=100, concurrency=2, seconds=5)


@pytest.fixture(scope="module")
def shop(export_dir: Path, no_check: Callable[[Path], None]) -> Servable:
    """The toy shop with small limits and batches of 4 at most."""
    shared = Surroundings(
        Batcher(BatchSettings(max_rows=4), Metrics()), SMALL, Admission(SMALL.concurrency), RequestLog()
    )
    return load("shop", find_versions(export_dir)[0], no_check, shared)


def texts(*values: str) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = [value.encode() for value in values]
    return array


def search(shop: Servable, *queries: str, k: int = 1, deadline: float | None = None) -> list[list[bytes]]:
    inputs = {"query": texts(*queries), "k": np.asarray(np.int32(k))}
    return shop.run("search", inputs, ["item_ids"], deadline)["item_ids"].tolist()


@pytest.mark.parametrize(
    ("queries", "k", "message"),
    [
        (["sofa"] * 9, 1, "input query has 9 rows; this server accepts at most 8"),
        (["x" * 21], 1, "input query holds a text of 21 bytes; this server accepts at most 20"),
        (["sofa"], 51, "k is 51; this server accepts at most 50"),
        (["sofa"], 10**9, "k is 1,000,000,000; this server"),
        (["sofa"], 0, "k must be at least 1, not 0"),
        (["sofa"], -1, "k must be at least 1, not -1"),
        (["sofa"] * 3, 40, "3 rows times k = 40 are 120 answers; this server accepts at most 100"),
    ],
)
def test_each_limit_is_told(shop: Servable, queries: list[str], k: int, message: str) -> None:
    with pytest.raises(StatusError) as refused:
        search(shop, *queries, k=k)
    assert refused.value.code is grpc.StatusCode.INVALID_ARGUMENT and message in refused.value.message
    assert search(shop, "red lamp") == [[b"L-1"]]


def test_a_row_may_not_be_too_wide(shop: Servable) -> None:
    inputs = {"history": np.full((1, 5), b"S-1", object), "k": np.asarray(np.int32(1))}
    with pytest.raises(StatusError, match="a row of input history has 5 entries"):
        shop.run("recommend", inputs, ["item_ids"])


def test_what_lies_within_the_limits_is_answered_piece_by_piece(shop: Servable) -> None:
    assert search(shop, *["red lamp", "台灯", "blue sofa"] * 2, "lamp") == [
        *[[b"L-1"], ["灯-é".encode()], [b"S-3"]] * 2, [b"L-1"]
    ]  # fmt: skip
    assert [len(row) for row in search(shop, "sofa", "lamp", k=50)] == [5, 5]  # k above the catalogue means all of it


class _Held:
    """Holds the model until it is let go."""

    def __init__(self, shop: Servable, monkeypatch: pytest.MonkeyPatch) -> None:
        self.inside, self.go, run = threading.Semaphore(0), threading.Event(), shop._model.run

        def held(signature: str, inputs: Any) -> Any:
            self.inside.release()
            assert self.go.wait(10)
            return run(signature, inputs)

        monkeypatch.setattr(shop._model, "run", held)


def test_overload_is_refused_at_once_and_passes(shop: Servable, monkeypatch: pytest.MonkeyPatch) -> None:
    held, answers = _Held(shop, monkeypatch), []
    threads = [threading.Thread(target=lambda: answers.append(search(shop, "red lamp"))) for _ in range(2)]
    threads[0].start()
    assert held.inside.acquire(timeout=10)
    threads[1].start()
    while shop._shared.admission._free._value:
        time.sleep(0.001)
    started = time.monotonic()
    with pytest.raises(StatusError, match="answering 2 requests already") as refused:
        search(shop, "sofa")
    assert refused.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED and time.monotonic() - started < 1
    held.go.set()
    for thread in threads:
        thread.join()
    assert answers == [[[b"L-1"]]] * 2 and search(shop, "red lamp") == [[b"L-1"]]


def test_a_deadline_counts_while_waiting(shop: Servable, monkeypatch: pytest.MonkeyPatch) -> None:
    held = _Held(shop, monkeypatch)
    thread = threading.Thread(target=lambda: search(shop, "red lamp"))
    thread.start()
    assert held.inside.acquire(timeout=10)
    with pytest.raises(StatusError) as late:
        search(shop, "sofa", deadline=time.monotonic() + 0.05)
    assert late.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    held.go.set()
    thread.join()


def test_the_servers_own_deadline_is_the_latest() -> None:
    now = time.monotonic()
    assert SMALL.until(now + 1) == now + 1
    assert abs(SMALL.until(None) - now - 5) < 1 and abs(SMALL.until(now + 999) - now - 5) < 1


def test_a_version_is_warm_for_every_signature_and_size(export_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    from tfrec.serving.server.versions.loader import LoadSettings

    metrics = Metrics()
    shared = Surroundings(Batcher(BatchSettings(max_rows=4), metrics), Limits(), Admission(2), RequestLog())
    caplog.set_level(logging.INFO)
    version = find_versions(export_dir)[0]
    servable = load_warm("shop", str(export_dir), version, LoadSettings(threads=2), shared, beside=False)
    told = [record.getMessage() for record in caplog.records]
    assert any("Replayed 2 warm-up requests" in one for one in told)
    count = len([name for name in servable.signature_defs if not name.startswith("__")])
    assert any(one.startswith(f"Warmed {count} signatures at batches of [1, 2, 4]") for one in told), told
    assert not any("not warm" in one for one in told)
    assert servable.manifest["files"]
    assert servable.retire(0)


def test_signatures_that_are_the_same_are_compiled_once(export_dir: Path) -> None:
    told = {"serving_default": "search", "recommend": "search", "unknown": "search", "search": "unknown"}
    version = find_versions(export_dir)[0]
    servable = load("shop", version, lambda folder: {"same_signatures": told})
    alone = {name for name in servable.signature_defs if not name.startswith("__")} - {"serving_default"}
    assert {name for name in servable.compiled() if not name.startswith("__")} == alone
    asked = {"query": np.array([b"red sofa", b"lamp"], object), "k": np.array(3, np.int32)}
    one, other = (servable.run(name, asked, ["item_ids", "scores"]) for name in ("serving_default", "search"))
    np.testing.assert_array_equal(one["item_ids"], other["item_ids"])
    np.testing.assert_array_equal(one["scores"], other["scores"])
    assert servable.retire(0)


@pytest.mark.parametrize("mode", ["off", "basic", "hashed"])
def test_the_request_log_never_holds_a_text(shop: Servable, mode: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[dict[str, Any]] = []
    handler, logger = logging.Handler(), logging.getLogger("serving.requests")
    handler.emit = lambda record: lines.append(json.loads(JsonFormatter().format(record)))  # type: ignore[method-assign]
    log = RequestLog(mode, b"key")
    monkeypatch.setattr(shop, "_shared", Surroundings(shop._shared.batcher, SMALL, Admission(2), log))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        search(shop, "secret wish", "red lamp")
        search(shop, "secret wish")
        with pytest.raises(StatusError):
            search(shop, "secret wish", k=0)
    finally:
        logger.removeHandler(handler)
    assert "secret" not in json.dumps(lines)
    if mode == "off":
        assert not lines
        return
    assert [(line["rows"], line["code"]) for line in lines] == [(2, "OK"), (1, "OK"), (1, "INVALID_ARGUMENT")]
    assert all(line["model"] == "shop" and line["version"] == 10 and line["signature"] == "search" for line in lines)
    if mode == "hashed":
        first, second = (line["hashes"]["query"] for line in lines[:2])
        assert first[0] == second[0] != first[1] and len(first[0]) == 16
        other = RequestLog("hashed", b"other key")._hashes(texts("secret wish"))
        assert other != [first[0]]


def test_logs_are_json_lines() -> None:
    try:
        raise ValueError("wrong")
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", 40, "f", 1, "said %s", ("é",), __import__("sys").exc_info())
    line = JsonFormatter().format(record)
    told = json.loads(line)
    assert "\n" not in line and told["message"] == "said é" and told["level"] == "ERROR"
    assert "ValueError: wrong" in told["traceback"] and told["time"].endswith("Z")
