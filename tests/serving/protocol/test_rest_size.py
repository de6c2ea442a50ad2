"""Documents that are small to send and large to read: refused before they cost anything."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from tfrec.serving.server.protocol.stubs import predict_pb2

_MIB = 1 << 20


class _Peak:
    """The most memory that this process has held since it was asked last."""

    def __init__(self) -> None:
        if not Path("/proc/self/clear_refs").exists():
            pytest.skip("the peak of memory can be read on Linux only")
        self._start = self._read("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")

    def grown(self) -> float:
        return (self._read("VmHWM") - self._start) / 1024  # MiB

    @staticmethod
    def _read(name: str) -> int:
        [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)]
        return int(line.split()[1])


def _full(start: bytes, row: bytes, end: bytes) -> bytes:
    return start + row * ((15 * _MIB) // len(row)) + end


DOCUMENTS = {
    "empty rows": _full(b'{"signature_name": "search", "instances": [', b"{},", b"{}]}"),
    "empty texts": _full(b'{"signature_name": "search", "inputs": {"k": 1, "query": [', b'"",', b'""]}}'),
    "empty lists": _full(b'{"signature_name": "recommend", "inputs": {"k": 1, "history": [', b"[],", b"[]]}}"),
    "numbers": _full(b'{"inputs": {"k": [', b"1,", b"1]}}"),
    "brackets": _full(b'{"inputs": ', b"[", b"1"),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_millions_of_values_cost_nothing(rest: Callable[..., tuple[int, Any]], case: str) -> None:
    packed, peak, started = gzip.compress(DOCUMENTS[case]), _Peak(), time.perf_counter()
    assert len(packed) < 100_000
    for call in ("shop:predict", "colours:classify"):
        status, told = rest(f"/v1/models/{call}", packed, {"Content-Encoding": "gzip"})
        assert status == 400 and "The document has more than 1,048,576 values: send fewer rows" in told["error"]
    assert time.perf_counter() - started < 4 and peak.grown() < 200


@pytest.mark.parametrize(
    ("path", "document", "sentence"),
    [
        ("shop:predict", {"instances": [{"k": 1}] * 16_385}, "input instances has 16,385 rows"),
        ("shop:predict", {"inputs": {"query": ["x"] * 16_385, "k": 1}}, "input query has 16,385 rows"),
        ("shop:predict", {"inputs": {"k": 1, "query": [["x"] * 4097]}}, "a row of input query has 4,097 entries"),
        ("colours:classify", {"examples": [{}] * 16_385}, "input examples has 16,385 rows"),
    ],
)
def test_too_many_rows_are_told_before_they_are_looked_at(
    rest: Callable[..., tuple[int, Any]], path: str, document: Any, sentence: str
) -> None:
    status, told = rest(f"/v1/models/{path}", document)
    assert status == 400 and sentence in told["error"]


def test_as_much_as_is_allowed_is_answered(rest: Callable[..., tuple[int, Any]]) -> None:
    queries = ["red lamp, or a table [lamp]"] * 16_384  # marks inside texts count, and still these are few
    status, told = rest("/v1/models/shop:predict", {"signature_name": "search", "inputs": {"query": queries, "k": 1}})
    assert status == 200 and len(told["outputs"]["item_ids"]) == 16_384


@pytest.mark.parametrize(("name", "field"), [("query", "string_val"), ("k", "int_val")])
def test_millions_of_values_in_a_message_cost_nothing_more(stubs: Any, name: str, field: str) -> None:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "shop", "search"
    request.inputs["query"].dtype, request.inputs["k"].dtype = 7, 3
    request.inputs["query"].tensor_shape.dim.add(size=1)
    request.inputs["query"].string_val.append(b"red lamp")
    request.inputs["k"].int_val.append(1)
    getattr(request.inputs[name], field).extend([b"" if name == "query" else 1] * 5_000_000)
    peak, started = _Peak(), time.perf_counter()
    assert stubs.prediction.Predict(request).outputs["item_ids"].string_val == [b"L-1"]  # the rest is not the tensor's
    assert time.perf_counter() - started < 3 and peak.grown() < 400
    request.inputs["query"].tensor_shape.dim[0].size = 5_000_000
    with pytest.raises(grpc.RpcError, match="input query has 5,000,000 rows; this server accepts at most 16,384"):
        stubs.prediction.Predict(request)
