"""No request may make TensorFlow copy the catalogue at every later one (copy-on-read mode of variables)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfrec.tensorflow_setup import tf

REQUESTS = {
    "query": ["red sofa"], "history": [["item-3"]], "item_id": ["item-3"], "item_ids": [["item-3"]],
    "text": ["red sofa"], "filters": [[""]], "relation": ["series"],
}  # fmt: skip
SCALARS = {"k": tf.constant(3), "exclude_seen": tf.constant(True), "diversity": tf.constant(0.5)}


# bf16 reads rows by the same lines as int8
@pytest.mark.parametrize("precision", ["f32", pytest.param("int8", marks=pytest.mark.slow)])
def test_reads_share_the_memory_after_every_signature(
    precision: str, trained: Any, loaded: Any, make_config: Any, tmp_path: Path
) -> None:
    from tfrec.config import Config
    from tfrec.export.in_process import answering

    if precision == "f32":
        signatures, catalogue = loaded._loaded.signatures, loaded._loaded._catalogue
    else:
        dense = {"precision": precision, "rescore": 20}
        values = make_config(understanding=True).model_dump() | {"retrieval": {"dense": dense}}
        traced = answering(Config.model_validate(values), *trained[1:], None, tmp_path)._loaded
        signatures, catalogue = traced.signatures, traced.module[0]._catalogue

    def address() -> tuple[int, int]:
        two = catalogue.read_value(), catalogue.read_value()  # both are held: a copy cannot take the other's place
        return two[0]._numpy().ctypes.data, two[1]._numpy().ctypes.data

    assert address()[0] == address()[1]
    for name, function in signatures.items():
        placed, named = function.structured_input_signature
        inputs = [spec.name for spec in (*placed, *named.values())]
        function(**{key: SCALARS[key] if key in SCALARS else tf.constant(REQUESTS[key]) for key in inputs})
        assert address()[0] == address()[1], f"{name} made every read of the catalogue a copy"
