"""Encoders with sentence pieces: their tokens, their files, and the prompts they want to read."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.config.modelling import EncoderConfig
from tfrec.encoder import store
from tfrec.encoder.checkpoint import Checkpoint, read_checkpoint
from tfrec.encoder.e5_file import read_e5_file
from tfrec.encoder.install import install, write_encoder
from tfrec.encoder.loading import load_encoder
from tfrec.encoder.pieces import SentencePieces
from tfrec.encoder.sizes import BertSizes, weight_shapes
from tfrec.encoder.tokenizer_files import SENTENCE_PIECES
from tfrec.errors import EncoderError
from tfrec.tensorflow_setup import tf

sentencepiece = pytest.importorskip("sentencepiece")
TEXTS = [
    "query: red leather sofa", "passage: blue coffee mug 350 ml", "warm jacket for hiking", "红色的真皮沙发",
    "蓝色的马克杯", "ソファ ベッド", "обувь зимняя", "canapé en cuir", "Küche und Bad", "מנורה",
    "مصباح طاولة", "소파 침대",
] * 3  # fmt: skip
SIZES = {"hidden": 64, "layers": 2, "heads": 4, "intermediate": 128}


@pytest.fixture(scope="module")
def unigram() -> bytes:
    """A small SentencePiece model in fairseq's order of special pieces, as XLM-R's."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=model, vocab_size=160, model_type="unigram", unk_id=0, bos_id=1,
        eos_id=2, pad_id=-1, normalization_rule_name="nmt_nfkc", hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    return model.getvalue()


@pytest.fixture(scope="module")
def folder(unigram: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An XLM-R checkpoint in the Hugging Face layout, with positions counted from 2 on and prompts."""
    from safetensors.numpy import save_file

    folder, generator = tmp_path_factory.mktemp("xlmr") / "multi", np.random.default_rng(5)
    folder.mkdir()
    (folder / SENTENCE_PIECES).write_bytes(unigram)
    h, f, pieces = SIZES["hidden"], SIZES["intermediate"], 170
    shapes = {"embeddings.word_embeddings.weight": (pieces, h), "embeddings.position_embeddings.weight": (66, h),
              "embeddings.token_type_embeddings.weight": (1, h), "embeddings.LayerNorm.weight": (h,),
              "embeddings.LayerNorm.bias": (h,)}  # fmt: skip
    for layer in range(SIZES["layers"]):
        for part, shape in {"attention.self.query": (h, h), "attention.self.key": (h, h),
                            "attention.self.value": (h, h), "attention.output.dense": (h, h),
                            "intermediate.dense": (f, h), "output.dense": (h, f)}.items():  # fmt: skip
            shapes |= {f"encoder.layer.{layer}.{part}.weight": shape, f"encoder.layer.{layer}.{part}.bias": shape[:1]}
        for norm in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"encoder.layer.{layer}.{norm}.{leaf}": (h,) for leaf in ("weight", "bias")}
    tensors = {f"roberta.{k}": generator.normal(0, 0.3, shape).astype(np.float32) for k, shape in shapes.items()}
    save_file(tensors, folder / "model.safetensors")
    config = {"model_type": "xlm-roberta", "hidden_act": "gelu", "vocab_size": pieces, "hidden_size": h,
              "num_hidden_layers": SIZES["layers"], "num_attention_heads": SIZES["heads"], "intermediate_size": f,
              "max_position_embeddings": 66, "type_vocab_size": 1, "layer_norm_eps": 1e-5}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": None}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    return folder


@pytest.fixture(scope="module")
def installed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFREC_HOME", str(tmp_path_factory.mktemp("home")))
        installed = install(str(folder))
        assert installed.facts["pieces"] == "sentence_pieces"
        return installed.folder


@pytest.fixture(scope="module")
def encoder(installed: Path) -> Any:
    return load_encoder(EncoderConfig(name=str(installed), precision="f32"), seed=1)


def _expected(unigram: bytes, text: str) -> list[int]:
    """SentencePiece's own tokens in fairseq's numbers: its pieces stand one higher, its <unk> (0) is 3."""
    ids = sentencepiece.SentencePieceProcessor(model_proto=unigram).encode(text)
    return [0, *(3 if number == 0 else number + 1 for number in ids), 2]


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_tokens_are_sentencepieces_own(text: str, unigram: bytes, encoder: Any) -> None:
    assert encoder.tokenize(tf.constant([text]), 512).to_list()[0] == _expected(unigram, text)


def test_texts_of_twelve_scripts_give_the_same_tokens(unigram: bytes, encoder: Any) -> None:
    got = encoder.tokenize(tf.constant(TEXTS), 512).to_list()
    assert got == [_expected(unigram, text) for text in TEXTS]


@pytest.mark.parametrize("role, prompt", [("query", "query: "), ("item", "passage: "), ("", "")])
def test_a_prompt_is_read_before_the_text_and_leaves_it_its_room(
    role: Any, prompt: str, unigram: bytes, encoder: Any
) -> None:
    words = "red leather sofa blue coffee mug"
    assert encoder.tokenize(tf.constant([words]), 64, role).to_list()[0] == _expected(unigram, prompt + words)
    room = len(_expected(unigram, prompt)) - 2
    assert encoder.tokenize(tf.constant([words]), 8, role).row_lengths().numpy().tolist() == [8 + room]


def test_bulk_encoding_and_the_export_read_the_same_prompt(encoder: Any) -> None:
    texts = ["red sofa", "红色的沙发", ""]
    frozen = encoder.inference_function("f32")
    seen = {}
    for role in ("query", "item", ""):
        seen[role] = encoder.encode(texts, 32, role=role)
        np.testing.assert_allclose(frozen(tf.constant(texts), 32, role), seen[role], atol=1e-4)
    assert np.abs(seen["query"] - seen["item"]).max() > 1e-3
    assert np.abs(seen["query"] - seen[""]).max() > 1e-3


def test_prompts_of_the_configuration_win(installed: Path) -> None:
    own = EncoderConfig(name=str(installed), precision="f32", query_prompt="", item_prompt="item ")
    plain = load_encoder(own, seed=1)
    words = tf.constant(["red sofa"])
    assert plain.tokenize(words, 32, "query").to_list() == plain.tokenize(words, 32).to_list()
    assert plain.tokenize(words, 32, "item").to_list() == plain.tokenize(tf.constant(["item red sofa"]), 32).to_list()


def test_positions_of_xlm_roberta_begin_behind_its_padding(folder: Path) -> None:
    from safetensors.numpy import load_file

    read = read_checkpoint(folder)
    whole = load_file(folder / "model.safetensors")["roberta.embeddings.position_embeddings.weight"]
    assert read.sizes.positions == 64
    np.testing.assert_array_equal(read.weights["embeddings/position"], whole[2:])
    assert read.prompts == {"query": "query: ", "item": "passage: "}


def test_vectors_are_those_of_the_reference(encoder: Any, folder: Path, reference_bert: Any) -> None:
    from safetensors.numpy import load_file

    tensors = {name.removeprefix("roberta."): value for name, value in load_file(folder / "model.safetensors").items()}
    positions = "embeddings.position_embeddings.weight"
    tensors[positions] = tensors[positions][2:]
    tokens = encoder.tokenize(tf.constant(["red leather sofa"]), 32).to_list()[0]
    config = json.loads((folder / "config.json").read_text())
    expected = reference_bert.sequence_output(tokens, tensors, config).mean(0)
    np.testing.assert_allclose(encoder.encode(["red leather sofa"], 32)[0], expected, atol=1e-3)


def _blocks(values: np.ndarray) -> bytes:
    """Numbers that 4 bits can hold exactly, in the file's blocks of 32."""
    rows = np.rint(values.reshape(-1, 32) / 0.25).astype(np.int64) + 8
    assert rows.min() >= 0 and rows.max() <= 15
    scale = np.full((len(rows), 1), 0.25, np.float16).view(np.uint8)
    return np.concatenate([scale, (rows[:, :16] | rows[:, 16:] << 4).astype(np.uint8)], axis=1).tobytes()


def _e5_file(path: Path, checkpoint: Checkpoint, pieces: list[str], scores: list[float]) -> None:
    """Writes the 4-bit layout, so that reading it is checked against known weights."""
    sizes, weights = checkpoint.sizes, checkpoint.weights
    tensors: dict[str, np.ndarray] = {"emb.word": weights["embeddings/word"], "emb.pos": weights["embeddings/position"],
                                      "emb.type": weights["embeddings/type"]}  # fmt: skip
    names = {"ao": "attention/output", "fi": "ffn/inner", "fo": "ffn/output"}
    norms = {"aln": "attention/LayerNorm", "oln": "ffn/LayerNorm"}
    tensors |= {"emb.ln.w": weights["embeddings/LayerNorm/gamma"], "emb.ln.b": weights["embeddings/LayerNorm/beta"]}
    for layer in range(sizes.layers):
        own = f"layer_{layer}/"
        kernels = np.split(weights[f"{own}attention/qkv/kernel"], 3, axis=1)
        biases = np.split(weights[f"{own}attention/qkv/bias"], 3)
        for letter, kernel, bias in zip("qkv", kernels, biases, strict=True):
            tensors |= {f"l{layer}.{letter}.w": kernel.T, f"l{layer}.{letter}.b": bias}
        for short, long in names.items():
            tensors |= {f"l{layer}.{short}.w": weights[f"{own}{long}/kernel"].T}
            tensors |= {f"l{layer}.{short}.b": weights[f"{own}{long}/bias"]}
        for short, long in norms.items():
            tensors |= {f"l{layer}.{short}.w": weights[f"{own}{long}/gamma"]}
            tensors |= {f"l{layer}.{short}.b": weights[f"{own}{long}/beta"]}
    texts = [piece.encode() for piece in pieces]
    head = b"E5S1" + struct.pack("<I7ifi", 1, sizes.hidden, sizes.layers, sizes.heads, sizes.intermediate, len(pieces),
                                 sizes.positions, sizes.types, sizes.epsilon, 32)  # fmt: skip
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, texts)))
    head += (
        np.cumsum([0, *map(len, texts)]).astype("<u4").tobytes() + np.array(scores, "<f4").tobytes() + b"".join(texts)
    )
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 65, 1, 97)
    packed = {k: (b"", 0) for k in tensors}
    for name, value in tensors.items():
        four_bits = value.ndim == 2 and name not in ("emb.pos", "emb.type")
        packed[name] = (_blocks(np.ascontiguousarray(value)), 1) if four_bits else (value.astype("<f4").tobytes(), 0)
    place = len(head) + 4 + sum(2 + len(name) + 21 for name in packed)
    directory, body = struct.pack("<i", len(packed)), b""
    for name, (data, kind) in packed.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, tensors[name].size, place + len(body), len(data))
        body += data
    path.write_bytes(head + directory + body)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Checkpoint, list[str]]:
    generator, pieces = np.random.default_rng(2), ["<s>", "<pad>", "</s>", "<unk>", "▁red", "▁", "a", "b", "<mask>"]
    sizes = BertSizes(len(pieces), 64, 2, 4, 128, 32, 2)
    weights = {
        name: (generator.integers(-8, 8, shape) * 0.25).astype(np.float32)
        for name, shape in weight_shapes(sizes).items()
    }
    checkpoint = Checkpoint(sizes, weights, None, {})  # type: ignore[arg-type]
    path = tmp_path_factory.mktemp("e5") / "e5.bin"
    _e5_file(path, checkpoint, pieces, [0.0, 0.0, 0.0, 0.0, -1.0, -2.0, -3.0, -3.0, 0.0])
    return path, checkpoint, pieces


def test_the_file_in_four_bits_gives_every_weight_back(packed: tuple[Path, Checkpoint, list[str]]) -> None:
    path, written, _ = packed
    read = read_e5_file(path)
    assert read.sizes == written.sizes
    for name, value in written.weights.items():
        if not name.startswith("pooler"):
            np.testing.assert_array_equal(read.weights[name], value, err_msg=name)
    assert isinstance(read.pieces, SentencePieces)
    assert read.prompts == {"query": "query: ", "item": "passage: "}


def test_it_becomes_an_encoder(packed: tuple[Path, Checkpoint, list[str]], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TFREC_HOME", str(tmp_path))
    with store.install_lock("tiny"):
        write_encoder("tiny", read_e5_file(packed[0]), "a file", "MIT")
    encoder = load_encoder(EncoderConfig(name="tiny", precision="f32"), seed=1)
    assert encoder.tokenize(tf.constant(["red"]), 8).to_list() == [[0, 4, 2]]
    assert np.isfinite(encoder.encode(["red", "ab"], 8, role="query")).all()


@pytest.mark.parametrize("cut", [3, 40, 100, 400, -1])
def test_a_cut_or_foreign_file_is_one_sentence(
    cut: int, packed: tuple[Path, Checkpoint, list[str]], tmp_path: Path
) -> None:
    file = tmp_path / "cut.bin"
    file.write_bytes(packed[0].read_bytes()[:cut])
    with pytest.raises(EncoderError, match="is not the 4-bit encoder file that is known here"):
        read_e5_file(file)


def test_multilingual_finds_across_languages() -> None:
    """The real encoder, where it is installed: `tfrec encoder install multilingual` (91 MB)."""
    if store.find("multilingual") is None:
        pytest.skip("the multilingual encoder is not installed: run `tfrec encoder install multilingual`")
    encoder = load_encoder(EncoderConfig(name="multilingual"), seed=1)
    items = encoder.encode(["red leather sofa", "blue coffee mug", "winter boots for men"], 32, role="item")
    queries = encoder.encode(["红色真皮沙发", "tasse à café bleue", "зимние мужские ботинки"], 32, role="query")
    assert (queries @ items.T / np.linalg.norm(items, axis=1)).argmax(axis=1).tolist() == [0, 1, 2]


def test_an_export_has_stock_ops_only_and_answers_alike(encoder: Any, tmp_path: Path) -> None:
    from tfrec.export.ops import check_ops

    texts = ["red sofa", "红色的沙发", "обувь", ""]
    module = tf.Module()
    module.encode = encoder.inference_function("f32")
    served = tf.function(
        lambda text: {"vectors": module.encode(text, 32, "query")},
        input_signature=[tf.TensorSpec([None], tf.string, "text")],
        autograph=False,
    )
    tf.saved_model.save(module, str(tmp_path / "export"), signatures=served)
    check_ops(tmp_path / "export")
    loaded = tf.saved_model.load(str(tmp_path / "export"))
    found = loaded.signatures["serving_default"](text=tf.constant(texts))["vectors"]
    np.testing.assert_allclose(found, encoder.encode(texts, 32, role="query"), atol=1e-4)
