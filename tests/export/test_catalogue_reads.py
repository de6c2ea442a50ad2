"""No request may make TensorFlow copy the catalogue at every later one (copy-on-read mode of variables)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tfrec.tensorflow_setup import tf

REQUESTS = {
    "query": ["red sofa"], "history": [["item-3"]], "item_id": ["item-3"], "item_ids": [["item-3"]],
    "text": ["red sofa"], "filters": [[""]],
}  # fmt: skip
SCALARS = {"k": tf.constant(3), "exclude_seen": tf.constant(True), "diversity": tf.constant(0.5)}


@pytest.mark.parametrize("precision", ["f32", "bf16", "int8"])
def test_reads_share_the_memory_after_every_signature(
    precision: str, trained: Any, make_config: Any, tmp_path: Path
) -> None:
    from tfrec.config import Config
    from tfrec.export.exporter import export_model

    dense = {"precision": precision, "rescore": 20}
    values = make_config(precision="f32").model_dump() | {"retrieval": {"dense": dense}}
    export = export_model(Config.model_validate(values), *trained[1:], base=tmp_path, metrics={}, signature="r" * 64)
    loaded = tf.saved_model.load(str(export))
    catalogue = loaded._catalogue

    def address() -> tuple[int, int]:
        two = catalogue.read_value(), catalogue.read_value()  # both are held: a copy cannot take the other's place
        return two[0]._numpy().ctypes.data, two[1]._numpy().ctypes.data

    assert address()[0] == address()[1]
    for name, function in loaded.signatures.items():
        inputs = function.structured_input_signature[1]
        function(**{key: SCALARS[key] if key in SCALARS else tf.constant(REQUESTS[key]) for key in inputs})
        assert address()[0] == address()[1], f"{name} made every read of the catalogue a copy"
