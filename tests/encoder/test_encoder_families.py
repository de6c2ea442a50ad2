"""MPNet, DistilBERT and ELECTRA beside their forward passes in NumPy, and how folders say what they are used for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.encoder.conftest import PIECES
from tests.encoder.reference_families import bucket, sequence_output, shapes_of
from tfrec.config.modelling import EncoderConfig
from tfrec.encoder.bert import encoder_outputs
from tfrec.encoder.checkpoint import read_checkpoint
from tfrec.encoder.inference import inference_weights, text_vectors
from tfrec.encoder.install import install
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.packing import pack
from tfrec.encoder.relative_positions import buckets
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

TEXTS = ["red sofas", "", "红色的沙发", "a, b-c. 1 2", "blue leather sofa " * 12]
_COMMON = {"vocab_size": len(PIECES) + 4, "max_position_embeddings": 66}
CONFIGS: dict[str, dict[str, Any]] = {
    "distilbert": {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "activation": "gelu"},
    "electra": {"hidden_size": 16, "embedding_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
                "intermediate_size": 32, "hidden_act": "gelu", "type_vocab_size": 2, "layer_norm_eps": 1e-12},
    "mpnet": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
              "hidden_act": "gelu", "layer_norm_eps": 1e-5, "relative_attention_num_buckets": 32},
}  # fmt: skip
PREFIX = {"distilbert": "distilbert.", "electra": "electra.", "mpnet": ""}


def vocabulary(kind: str) -> list[str]:
    return ["<s>", "<pad>", "</s>", *PIECES, "<mask>"] if kind == "mpnet" else PIECES


def write_family(folder: Path, kind: str) -> dict[str, np.ndarray]:
    """A checkpoint with weights so large that every part matters; gives its tensors."""
    from safetensors.numpy import save_file

    config = {"model_type": kind, **_COMMON, **CONFIGS[kind]}
    generator = np.random.default_rng(3)
    tensors = {
        name: generator.normal(1.0 if "Norm" in name and name.endswith("weight") else 0.0, 0.4, shape).astype(
            np.float32
        )
        for name, shape in shapes_of(config).items()
    }
    folder.mkdir(parents=True)
    save_file({PREFIX[kind] + name: value for name, value in tensors.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(vocabulary(kind)) + "\n", "utf-8")
    return tensors


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, np.ndarray]]]:
    base = tmp_path_factory.mktemp("families")
    return {kind: (base / kind, write_family(base / kind, kind)) for kind in CONFIGS}


def expected_vectors(ids: list[list[int]], tensors: dict[str, np.ndarray], kind: str) -> np.ndarray:
    config = {"model_type": kind, **_COMMON, **CONFIGS[kind]}
    return np.stack([sequence_output(row, tensors, config).mean(0) for row in ids])


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_family_equals_its_forward_pass_in_numpy(folders: dict[str, Any], kind: str) -> None:
    folder, tensors = folders[kind]
    read = read_checkpoint(folder)
    generator = np.random.default_rng(1)
    ids = [generator.integers(5, 50, length).tolist() for length in (1, 7, 30, 64)]
    expected = expected_vectors(ids, tensors, kind)
    tokens = tf.ragged.constant(ids, dtype=tf.int32, row_splits_dtype=tf.int64)
    packed = pack(tokens)
    inputs = {"input_word_ids": packed.word_ids, "text_ids": packed.text_ids, "position_ids": packed.position_ids,
              "text_starts": packed.starts, "dropout_seed": 0, "dropout_rate": 0.0}  # fmt: skip
    trained = encoder_outputs(read.weights, read.sizes, inputs, training=False, precision="f32")["sequence_output"]
    flat, lengths = trained.numpy().reshape(-1, 16), [len(row) for row in ids]
    starts = packed.starts.numpy()
    ours = [flat[start : start + length].mean(0) for start, length in zip(starts, lengths, strict=True)]
    np.testing.assert_allclose(ours, expected, atol=2e-4)
    weights = inference_weights(read.weights, "f32")
    served = text_vectors(weights, read.sizes, tokens.to_tensor(), tf.constant(lengths), "mean", "f32")
    np.testing.assert_allclose(served, expected, atol=2e-4)


def test_distances_fall_into_t5s_buckets() -> None:
    assert buckets().tolist() == [bucket(distance) for distance in range(-128, 129)]


def test_mpnet_installs_trains_and_answers_alike(folders: dict[str, Any], tmp_path: Path) -> None:
    folder, tensors = folders["mpnet"]
    own = tmp_path / "sentences"  # as sentence-transformers writes a model, with its pooling, prompts and length
    shutil.copytree(folder, own)
    types = ["Transformer", "Pooling", "Normalize"]
    modules = [{"idx": n, "path": f"{n}_{t}" if n else "", "type": f"sentence_transformers.models.{t}"}
               for n, t in enumerate(types)]  # fmt: skip
    (own / "modules.json").write_text(json.dumps(modules))
    (own / "1_Pooling").mkdir()
    (own / "1_Pooling" / "config.json").write_text(
        '{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}'
    )
    (own / "sentence_bert_config.json").write_text('{"max_seq_length": 20, "do_lower_case": false}')
    (own / "config_sentence_transformers.json").write_text('{"prompts": {"query": "red ", "document": "blue "}}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(tmp_path))
        installed = install(str(own))
        encoder = load_encoder(EncoderConfig(name="sentences", precision="f32", dropout=0.0, freeze="none"), seed=1)
    assert installed.facts["pooling"] == "cls" and installed.facts["prompts"] == {"query": "red ", "item": "blue "}
    tokens = encoder.tokenize(tf.constant(TEXTS), 64)
    assert tokens.row_lengths().numpy().max() == 20
    names = vocabulary("mpnet")
    assert [names[number] for number in tokens.to_list()[0]] == ["<s>", "red", "sofa", "##s", "</s>"]
    config = {"model_type": "mpnet", **_COMMON, **CONFIGS["mpnet"]}
    expected = np.stack([sequence_output(row, tensors, config)[0] for row in tokens.to_list()])
    np.testing.assert_allclose(encoder.encode(TEXTS, 64), expected, atol=2e-4)
    np.testing.assert_allclose(encoder.inference_function("f32")(tf.constant(TEXTS), 64), expected, atol=2e-4)

    table = next(v for v in encoder.trainable_variables if v.name.startswith("embeddings/relative"))
    target = tf.random.stateless_normal([len(TEXTS), 16], [1, 2])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder.pooled([tokens], training=True)[0] * target)
    gradient = tf.convert_to_tensor(tape.gradient(loss, table))
    weights, place = inference_weights(encoder._present, "f32"), [*encoder._present].index("embeddings/relative")
    with tf.GradientTape() as tape:
        tape.watch(weights[place])
        lengths = tf.cast(tokens.row_lengths(), tf.int32)
        vectors = text_vectors(weights, encoder._sizes, tokens.to_tensor(), lengths, "cls", "f32")
        loss = tf.reduce_sum(vectors * target)
    plain = tf.convert_to_tensor(tape.gradient(loss, weights[place]))
    size = np.abs(plain).max()
    assert size > 0.1
    np.testing.assert_allclose(gradient / size, plain / size, atol=2e-4)


@pytest.mark.parametrize(
    "file, content, message",
    [
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "only mean or cls"),
        ("modules.json", [{"type": "x.models.Transformer", "path": ""}, {"type": "x.models.Dense"}], "module Dense"),
        ("modules.json", [3], "list of modules"),
        ("tokenizer_config.json", {"do_lower_case": True, "strip_accents": False}, "accents or case"),
        ("config.json", {"model_type": "roberta"}, "model_type is 'roberta'"),
    ],
)
def test_what_a_folder_asks_for_in_vain_is_told(
    folders: dict[str, Any], tmp_path: Path, file: str, content: Any, message: str
) -> None:
    folder = tmp_path / "bad"
    shutil.copytree(folders["distilbert"][0], folder)
    (folder / "1_Pooling").mkdir()
    modules = [{"type": "x.models.Transformer", "path": ""}, {"type": "x.models.Pooling", "path": "1_Pooling"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / file).write_text(json.dumps(content))
    with pytest.raises(EncoderError, match=message):
        read_checkpoint(folder)
