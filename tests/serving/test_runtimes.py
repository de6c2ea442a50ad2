"""Both ways to run a SavedModel give the same answers, and what lies between numpy and TensorFlow loses nothing."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.errors import ServingError
from tfrec.serving.server.sessions.c_api import DTYPES, CApi, c_api
from tfrec.serving.server.sessions.runtime import Model, open_model
from tfrec.serving.server.sessions.saved_model import read_signature_defs
from tfrec.serving.server.status import StatusError
from tfrec.tensorflow_setup import tf


def strings(*values: bytes) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


K = np.asarray(np.int32(3))
CALLS: dict[str, dict[str, np.ndarray]] = {
    "search": {"query": strings(b"red leather sofa", b"", "台灯".encode(), b"\x00\xff"), "k": K},
    "recommend": {"history": np.array([[b"S-1", b""], [b"unknown" * 9, b"L-1"]], object), "k": K},
    "search_filtered": {
        "query": strings(b"sofa"), "filters": np.array([[b"kind=S"]], object), "k": K,
        "diversity": np.asarray(np.float32(0.5)),
    },
    "embed_item": {"text": strings(*[b"red lamp"] * 40)},
}  # fmt: skip


@pytest.fixture(scope="module")
def models(export_dir: Path) -> Iterator[dict[str, Model]]:
    opened = {kind: open_model(export_dir / "10", kind) for kind in ("session", "python")}
    yield opened
    for model in opened.values():
        model.close()


@pytest.mark.parametrize("signature", CALLS)
def test_session_and_python_answer_alike(models: dict[str, Model], signature: str) -> None:
    ours, theirs = (models[kind].run(signature, CALLS[signature]) for kind in ("session", "python"))
    assert sorted(ours) == sorted(theirs)
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype and array.shape == theirs[name].shape
        if array.dtype == object:
            assert array.tolist() == theirs[name].tolist()
        else:
            np.testing.assert_allclose(array, theirs[name], atol=1e-6)


@pytest.mark.parametrize("kind", ["session", "python"])
def test_a_failing_graph_is_a_status(models: dict[str, Model], kind: str) -> None:
    with pytest.raises(StatusError, match="k must be at least 1") as failed:
        models[kind].run("search", {**CALLS["search"], "k": np.asarray(np.int32(-1))})
    assert failed.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert "node" not in failed.value.message and "Op:" not in failed.value.message


def test_many_threads_share_a_session(models: dict[str, Model]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    wanted = models["session"].run("search", CALLS["search"])["item_ids"].tolist()
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda _: models["session"].run("search", CALLS["search"])["item_ids"].tolist(), range(100))
    assert all(one == wanted for one in found)


def test_signatures_are_those_of_the_file(export_dir: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    whole = saved_model_pb2.SavedModel.FromString((export_dir / "10" / "saved_model.pb").read_bytes())
    assert read_signature_defs(export_dir / "10") == dict(whole.meta_graphs[0].signature_def.items())


@pytest.mark.parametrize("content", [b"", b"\xff" * 30, b"\x12\x7f\x0a", b"\x08\x01"])
def test_a_file_that_is_no_saved_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(ServingError, match="export the model again"):
        read_signature_defs(tmp_path)


def back(api: CApi, array: np.ndarray) -> np.ndarray:
    kept: list[Any] = []
    tensor = api.tensor(array, kept)
    try:
        return api.array(tensor)
    finally:
        api.TF_DeleteTensor(tensor)


@pytest.mark.parametrize("number", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (2, 3)])
def test_numbers_survive(number: int, shape: tuple[int, ...]) -> None:
    array = np.arange(int(np.prod(shape))).reshape(shape).astype(DTYPES[number])
    found = back(c_api(), array)
    assert found.dtype == array.dtype and found.shape == shape
    np.testing.assert_array_equal(found, array)
    assert tf.dtypes.as_dtype(number).as_numpy_dtype == DTYPES[number].type


@given(st.lists(st.binary(max_size=60), max_size=9))
@settings(deadline=None, max_examples=60)
def test_strings_survive(values: list[bytes]) -> None:
    assert back(c_api(), strings(*values)).tolist() == values


def test_strings_of_every_form_are_read() -> None:
    """Short ones lie inside the structure, long ones outside; `test_strings_survive` reads those that point."""
    api = c_api()
    for size in (0, 1, 22, 23, 24, 1000, 70_000):
        shape = (ctypes.c_int64 * 1)(1)
        tensor = api.TF_AllocateTensor(7, shape, 1, 24)
        place = api.TF_TensorData(tensor)
        api.TF_StringInit(place)
        api.TF_StringCopy(place, bytes(range(256)) * 300, size)
        assert api.array(tensor).tolist() == [(bytes(range(256)) * 300)[:size]]
        api.TF_StringDealloc(place)
        api.TF_DeleteTensor(tensor)


def test_types_without_a_counterpart_are_refused() -> None:
    with pytest.raises(ValueError, match="complex128"):
        c_api().tensor(np.array([1j]), [])
