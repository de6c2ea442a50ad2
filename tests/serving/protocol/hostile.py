"""Hostile requests, drawn with a seed: for the test of a few hundred and the benchmark of thousands."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

TEXTS = [
    "", " ", "\x00", "a\x00b", "\ud83d\ude00", "e\u0301" * 50, "\u202e\u200b\ufeff", "'; DROP TABLE items;--", "%s%n{}",
    "../../etc/passwd", "x" * 70_000, "sofa " * 3000, "\U0010ffff", "[CLS] [SEP] [MASK]", "\r\n\t", "NaN", "-1", "台灯",
]  # fmt: skip
BYTES = [b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\x80" * 100, b"ok\xf4\x90\x80\x80", b"\x00" * 1000]
COUNTS = [-1, 0, 1, 3, 10**9, 2**31 - 1, -(2**31), 7]
NAMES = ["search", "", "nope", "__saved_model_init_op", "search\x00", "x" * 1000, "embed_item", "recommend", "é"]
MODELS = ["shop", "shop", "shop", "colours", "", "nope", "../shop", "shop/versions/9", "x" * 5000]


class Hostile(NamedTuple):
    """One request: for gRPC the method's path and its bytes, for REST (method, path, headers, body)."""

    kind: str
    place: str
    payload: bytes
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()


def requests(seed: int, count: int) -> Iterator[Hostile]:
    """Draws requests of all kinds in turn; the same for the same seed."""
    draw = random.Random(seed)
    makers: list[Callable[[random.Random], Hostile]] = [
        _tensors, _tensors, _mutated, _garbage, _json, _json, _broken_json, _path, _examples, _reload,
    ]  # fmt: skip
    for number in range(count):
        yield makers[number % len(makers)](draw)


def _text(draw: random.Random) -> str | bytes:
    if draw.random() < 0.01:
        return "x" * 1_000_000
    return draw.choice(TEXTS) if draw.random() < 0.7 else draw.choice(BYTES)


def _tensor(draw: random.Random, proto: Any) -> None:
    proto.dtype = draw.choice([7, 7, 7, 3, 3, 1, 9, 10, 0, 2, 8, 14, 19, 20, 21, 22, 23, 99])
    for _ in range(draw.choice([0, 1, 1, 1, 2, 3, 40])):
        proto.tensor_shape.dim.add(size=draw.choice([1, 1, 1, 2, 0, -1, -5, 2**40, 2**62, 100_000]))
    if draw.random() < 0.05:
        proto.tensor_shape.unknown_rank = True
    if draw.random() < 0.6:
        values = [_text(draw) for _ in range(draw.choice([0, 1, 1, 1, 2, 50]))]
        proto.string_val.extend(v if isinstance(v, bytes) else v.encode("utf-8", "surrogatepass") for v in values)
    if draw.random() < 0.3:
        proto.int_val.extend(draw.choice(COUNTS) for _ in range(draw.choice([1, 2, 100])))
    if draw.random() < 0.1:
        proto.tensor_content = draw.randbytes(draw.choice([1, 4, 8, 1000]))
    if draw.random() < 0.1:
        proto.float_val.extend([float("nan"), float("inf")])


def _plausible(draw: random.Random) -> Any:
    """A request for "search" with wild values in the right places."""
    from tfrec.serving.server.protocol.stubs import predict_pb2
    from tfrec.tensorflow_setup import tf

    request = predict_pb2.PredictRequest()
    request.model_spec.name = "shop"
    request.model_spec.signature_name = draw.choice(["search", "recommend", "similar_items"])
    name = {"search": "query", "recommend": "history", "similar_items": "item_id"}[request.model_spec.signature_name]
    values = [_text(draw) for _ in range(draw.choice([0, 1, 3]))]
    encoded = [v if isinstance(v, bytes) else v.encode("utf-8", "surrogatepass") for v in values]
    rows = [[value] for value in encoded] if name == "history" else encoded
    shape = [len(rows), 1] if name == "history" else [len(rows)]
    request.inputs[name].CopyFrom(tf.make_tensor_proto(rows, tf.string, shape))
    request.inputs["k"].CopyFrom(tf.make_tensor_proto(draw.choice(COUNTS), tf.int32))
    return request


def _tensors(draw: random.Random) -> Hostile:
    request = _plausible(draw)
    if draw.random() < 0.7:
        request.model_spec.name = draw.choice(MODELS)
        request.model_spec.signature_name = draw.choice(NAMES)
        for name in draw.sample(["query", "k", "history", "text", "", "x" * 300], draw.choice([0, 1, 2, 4])):
            _tensor(draw, request.inputs[name])
        if draw.random() < 0.3:
            request.model_spec.version.value = draw.choice([9, 10, 0, -1, 2**62])
        elif draw.random() < 0.3:
            request.model_spec.version_label = draw.choice(["stable", "", "nope", "x" * 2000])
        request.output_filter.extend(draw.sample(["scores", "item_ids", "x", ""], draw.choice([0, 0, 1, 3])))
    return Hostile("grpc", "/tensorflow.serving.PredictionService/Predict", request.SerializeToString())


def _mutated(draw: random.Random) -> Hostile:
    payload = bytearray(_plausible(draw).SerializeToString())
    for _ in range(draw.choice([1, 3, 10])):
        place = draw.randrange(len(payload))
        if draw.random() < 0.3:
            del payload[place:]
            payload.extend(b"\x00")
        else:
            payload[place] = draw.randrange(256)
    return Hostile("grpc", "/tensorflow.serving.PredictionService/Predict", bytes(payload))


def _garbage(draw: random.Random) -> Hostile:
    service, methods = draw.choice(
        [
            ("tensorflow.serving.PredictionService", ["Predict", "Classify", "Regress", "MultiInference", "Nope"]),
            ("tensorflow.serving.PredictionService", ["GetModelMetadata"]),
            ("tensorflow.serving.ModelService", ["GetModelStatus"]),
            ("grpc.health.v1.Health", ["Check"]),
            ("no.such.Service", ["Nothing"]),
        ]
    )
    return Hostile("grpc", f"/{service}/{draw.choice(methods)}", draw.randbytes(draw.choice([0, 1, 10, 500])))


def _value(draw: random.Random, depth: int = 0) -> Any:
    choices: list[Callable[[], Any]] = [
        lambda: draw.choice(TEXTS), lambda: draw.choice(COUNTS), lambda: None, lambda: draw.random() < 0.5,
        lambda: float(draw.choice(["nan", "inf", "1e308", "0.5"])), lambda: 10**400, lambda: "\ud800",
        lambda: {"b64": draw.choice(TEXTS)},
    ]  # fmt: skip
    if depth < 6:
        choices += [
            lambda: [_value(draw, depth + 1) for _ in range(draw.choice([0, 1, 2, 3]))],
            lambda: {draw.choice(["query", "k", "b64", "x"]): _value(draw, depth + 1) for _ in range(2)},
        ]
    return draw.choice(choices)()


def _json(draw: random.Random) -> Hostile:
    verb = draw.choice(["predict", "predict", "predict", "classify", "regress"])
    body: dict[str, Any] = {"signature_name": draw.choice([*NAMES, 3, None])}
    if draw.random() < 0.5:
        body["signature_name"] = "search"
    for key in draw.sample(["inputs", "instances", "examples", "context"], draw.choice([0, 1, 1, 2])):
        body[key] = _value(draw)
        if draw.random() < 0.5:
            body[key] = {"query": _value(draw), "k": _value(draw)} if key == "inputs" else [_value(draw)]
    text = json.dumps(body, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")
    return Hostile("rest", f"/v1/models/{draw.choice(['shop', 'colours', 'nope'])}:{verb}", text)


def _broken_json(draw: random.Random) -> Hostile:
    good = json.dumps({"inputs": {"query": ["sofa"], "k": 3}}).encode()
    broken = [
        b"", b"[" * 50_000, b'{"inputs":' * 5_000, good[: draw.randrange(len(good))], good + b"x", b"\xff" + good,
        b'{"inputs": {"k": ' + b"9" * 6000 + b"}}", draw.randbytes(200), b"null", b'"' + b"a" * 100_000,
    ]  # fmt: skip
    headers = draw.choice([(), (("Content-Type", "text/\u00ff"),), (("Content-Encoding", "gzip"),)])
    return Hostile("rest", "/v1/models/shop:predict", draw.choice(broken), headers=headers)


def _path(draw: random.Random) -> Hostile:
    places = [
        "/", "//", "/v1/", "/v1/models", "/v1/models/", "/v1/models/shop/", "/v1/models/%00", "/v1/models/%ff:predict",
        "/v1/models/shop/versions/" + "9" * 100, "/v1/models/shop/versions/-1", "/v1/models/shop/labels/%2e%2e",
        "/v1/models/../../etc/passwd", "/v1/models/shop:predict?x=" + "y" * 1000, "/v1/models/shop/metadata/x",
        "/monitoring/prometheus/metrics/..", "/v1/models/" + "a" * 3000, "/v1/models/shop/versions/9/labels/stable",
    ]  # fmt: skip
    method = draw.choice(["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
    return Hostile("rest", draw.choice(places), b"{}" if method == "POST" else b"", method)


def _examples(draw: random.Random) -> Hostile:
    from tfrec.serving.server.protocol.stubs import classification_pb2

    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = draw.choice(["colours", "shop", "nope"])
    request.model_spec.signature_name = draw.choice(["", "regress", "embed_item", "x"])
    for _ in range(draw.choice([0, 1, 3])):
        feature = request.input.example_list.examples.add().features.feature[draw.choice(["x", "y", ""])]
        kind = draw.randrange(4)
        if kind == 0:
            feature.float_list.value.extend([float("nan"), 1.0])
        elif kind == 1:
            feature.bytes_list.value.append(b"\xff")
        elif kind == 2:
            feature.int64_list.value.append(3)
    method = draw.choice(["Classify", "Regress"])
    return Hostile("grpc", f"/tensorflow.serving.PredictionService/{method}", request.SerializeToString())


def _reload(draw: random.Random) -> Hostile:
    from tfrec.serving.server.protocol.stubs import model_management_pb2

    request = model_management_pb2.ReloadConfigRequest()
    kind = draw.randrange(5)
    if kind:  # never a list that could be served: the models must stay
        place = draw.choice(["/no/such/folder", "/", "\0", "../..", "x" * 5000])
        config = request.config.model_config_list.config.add(name="shop", base_path=place)
        config.model_platform = draw.choice(["tensorflow", "", "caffe", "x" * 500])
        if kind == 2:
            config.name = draw.choice(["", "a/b", "a:b"])
        if kind == 3:
            request.config.model_config_list.config.add().CopyFrom(config)
        if kind == 4:
            config.model_version_policy.specific.versions.extend([-1, 2**62])
    return Hostile("grpc", "/tensorflow.serving.ModelService/HandleReloadConfigRequest", request.SerializeToString())
