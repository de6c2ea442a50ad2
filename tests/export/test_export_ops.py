"""Exports hold only ops that stock TensorFlow Serving runs, and the check finds the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfrec.errors import ExportError
from tfrec.export.ops import check_ops, list_stock_ops, stock_ops


def save(folder: Path, function: Any) -> Path:
    from tfrec.tensorflow_setup import tf

    module = tf.Module()
    module.run = tf.function(function, input_signature=[tf.TensorSpec([None], tf.float32)], autograph=False)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.run})
    return folder


def test_the_list_is_that_of_the_installed_packages() -> None:
    assert sorted(stock_ops()) == list_stock_ops()


def test_the_list_has_the_tokenizer_and_not_python() -> None:
    assert {
        "MatMul",
        "TopKV2",
        "LookupTableFindV2",
        "FastBertNormalize",
        "FastWordpieceTokenizeWithOffsets",
    } <= stock_ops()
    assert not {"PyFunc", "EagerPyFunc", "XlaLaunch", "TPUExecute"} & stock_ops()


def test_the_export_passes(exported: Path) -> None:
    assert {"MatMul", "TopKV2", "FastWordpieceTokenizeWithOffsets"} <= check_ops(exported)


def test_a_python_function_is_refused(tmp_path: Path) -> None:
    from tfrec.tensorflow_setup import tf

    folder = save(tmp_path / "m", lambda x: tf.py_function(lambda y: y + 1, [x], tf.float32))
    with pytest.raises(ExportError, match="EagerPyFunc"):
        check_ops(folder)


def test_a_compiled_function_is_refused(tmp_path: Path) -> None:
    from tfrec.tensorflow_setup import tf

    inner = tf.function(lambda x: x * 2.0, jit_compile=True, autograph=False)
    with pytest.raises(ExportError, match="XLA must compile"):
        check_ops(save(tmp_path / "m", lambda x: inner(x) + 1.0))


def test_ops_of_inner_functions_are_seen(tmp_path: Path) -> None:
    from tfrec.tensorflow_setup import tf

    inner = tf.function(lambda x: tf.math.bessel_i0e(x), autograph=False)
    outer = tf.function(lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: inner(x), lambda: x), autograph=False)
    assert "BesselI0e" in check_ops(save(tmp_path / "m", outer.python_function))


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff\xff")
    with pytest.raises(ExportError, match="saved_model.pb cannot be read"):
        check_ops(tmp_path)
    with pytest.raises(ExportError, match="saved_model.pb cannot be read"):
        check_ops(tmp_path / "nowhere")
