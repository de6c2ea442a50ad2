"""The encoder against BERT written in NumPy."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tfrec.config.modelling import EncoderConfig
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.text_encoder import TextEncoder
from tfrec.tensorflow_setup import tf

SMALL_TEXTS = ["red sofas", "", "红色的沙发", "a, b-c. 1 2", "Léàther mug 👟", "blue leather sofa " * 20]


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


def all_ways(encoder: TextEncoder, texts: list[str], max_tokens: int) -> dict[str, np.ndarray]:
    tokens = encoder.tokenize(tf.constant(texts), max_tokens)
    return {
        "encode": encoder.encode(texts, max_tokens),
        "pooled": encoder.pooled([tokens], training=False)[0].numpy(),
        "frozen": encoder.inference_function(encoder.precision)(tf.constant(texts), max_tokens).numpy(),
    }


def test_minilm_gives_the_fixed_reference_vectors(minilm: Path, reference_bert: ModuleType) -> None:
    reference = json.loads((Path(__file__).parent / "minilm_reference.json").read_text("utf-8"))
    expected = np.array([row["vector"] for row in reference["rows"]])
    texts = [row["text"] for row in reference["rows"]]
    assert tuple(texts) == reference_bert.TEXTS
    # CPUs round bf16 at different places: .99990 with AMX, .99969 where the matmuls are emulated
    for precision, floor in (("f32", 0.999999), ("bf16", 0.9995)):
        encoder = load_encoder(EncoderConfig(name="minilm", precision=precision), seed=1)
        assert encoder.hidden_size == 384
        for way, found in all_ways(encoder, texts, reference["max_tokens"]).items():
            assert cosine(found, expected).min() >= floor, (precision, way)


@pytest.mark.parametrize("precision, floor", [("f32", 0.999999), ("bf16", 0.999)])
def test_an_installed_checkpoint_equals_the_reference(
    small: str, checkpoint: Path, reference_bert: ModuleType, precision: str, floor: float
) -> None:
    expected = reference_bert.reference_vectors(checkpoint, SMALL_TEXTS, 24)
    encoder = load_encoder(EncoderConfig(name=small, precision=precision), seed=1)
    for way, found in all_ways(encoder, SMALL_TEXTS, 24).items():
        assert cosine(found, expected).min() >= floor, way


@pytest.mark.parametrize("precision, dtype", [("f32", tf.float32), ("bf16", tf.bfloat16)])
def test_the_inference_function_is_stock_and_holds_its_weights(small: str, precision: str, dtype: tf.DType) -> None:
    encoder = load_encoder(EncoderConfig(name=small, precision="f32"), seed=1)
    frozen = encoder.inference_function(precision)
    concrete = tf.function(lambda texts: frozen(texts, 16)).get_concrete_function(tf.TensorSpec([None], tf.string))
    before = concrete(tf.constant(SMALL_TEXTS)).numpy()
    for variable in encoder.variables:
        variable.assign(tf.zeros_like(variable))
    np.testing.assert_array_equal(concrete(tf.constant(SMALL_TEXTS)).numpy(), before)
    [words] = concrete.variables  # rows are gathered from it; what is multiplied is constant
    assert words.shape == encoder.variables[0].shape and words.dtype == dtype
    graph = concrete.graph.as_graph_def()
    nodes = list(graph.node) + [node for function in graph.library.function for node in function.node_def]
    assert not {node.op for node in nodes} & {"PyFunc", "EagerPyFunc", "XlaLaunch", "ReadVariableOp"}
    assert not any(function.attr["_XlaMustCompile"].b for function in graph.library.function)
    assert {node.attr["T"].type for node in nodes if node.op == "MatMul"} == {dtype.as_datatype_enum}


@pytest.mark.parametrize("pooling", ["cls", "pooled"])
def test_other_poolings_agree_between_training_and_export(small: str, pooling: str) -> None:
    encoder = load_encoder(EncoderConfig(name=small, pooling=pooling, precision="f32"), seed=1)
    ways = all_ways(encoder, SMALL_TEXTS, 24)
    np.testing.assert_allclose(ways["pooled"], ways["encode"], atol=1e-5)
    np.testing.assert_allclose(ways["frozen"], ways["encode"], atol=1e-5)
    assert (np.abs(ways["pooled"]).max() <= 1) == (pooling == "pooled")
