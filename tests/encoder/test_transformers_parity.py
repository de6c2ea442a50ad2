"""Checkpoints as transformers writes them, and tokens as tokenizers cuts them; both come with the extra [bench]."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.encoder.conftest import PIECES
from tfrec.encoder.checkpoint import read_checkpoint
from tfrec.encoder.families import WORD_PIECE_MARKS
from tfrec.encoder.inference import inference_weights, text_vectors
from tfrec.encoder.tokenizer_files import read_tokenizer
from tfrec.tensorflow_setup import tf

_WHY = "transformers and torch are not here: pip install -c constraints.txt -e '.[bench]'"
_SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
_KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("Bert", _SIZES),
    "electra": ("Electra", _SIZES | {"embedding_size": 16}),
    "mpnet": ("MPNet", _SIZES),
    "xlm-roberta": ("XLMRoberta", _SIZES | {"type_vocab_size": 1}),
    "distilbert": ("DistilBert", {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}),
}


@pytest.mark.parametrize("kind", _KINDS)
def test_a_family_equals_transformers(kind: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason=_WHY)
    torch = pytest.importorskip("torch", reason=_WHY)
    name, sizes = _KINDS[kind]
    config = getattr(transformers, f"{name}Config")(
        vocab_size=len(PIECES) + 10, max_position_embeddings=514, initializer_range=0.3, **sizes
    )
    torch.manual_seed(1)
    model = getattr(transformers, f"{name}Model")(config).eval()
    with torch.no_grad():  # biases and LayerNorm begin at zero and one, where mistakes would not show
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(tmp_path)
    marks = ["<s>", "<pad>", "</s>", "<mask>"] if kind == "mpnet" else []
    (tmp_path / "vocab.txt").write_text("\n".join([*PIECES, *marks]) + "\n", "utf-8")
    read = read_checkpoint(tmp_path)
    generator = np.random.default_rng(2)
    for length in (1, 9, 40, 300):
        ids = generator.integers(5, len(PIECES), (3, length))
        with torch.no_grad():
            expected = model(torch.tensor(ids)).last_hidden_state.mean(1).numpy()
        weights = inference_weights(read.weights, "f32")
        found = text_vectors(weights, read.sizes, tf.constant(ids, tf.int32), tf.fill([3], length), "mean", "f32")
        cosines = (found * expected).numpy().sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
        assert cosines.min() > 0.99999, (kind, length, cosines)


@pytest.fixture(scope="module", params=[True, False], ids=["uncased", "cased"])
def word_pieces(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """A tokenizer of the package tokenizers, and ours out of the file that it writes."""
    tokenizers = pytest.importorskip("tokenizers", reason=_WHY)
    vocabulary = [*PIECES, "A", "##é", "##B", "😀", "한", "##국", "ก", "##า", "ب", "##ا", "е", "##ж"]
    made = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({p: n for n, p in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=request.param)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    made.save(str(file))
    return made, read_tokenizer(file, WORD_PIECE_MARKS).tokenizer()


def _alike(character: str) -> bool:
    """Whether both take a character for the same: the op of TensorFlow Serving folds case by NFKC (ß is ss, ½ is 1/2)
    where BERT's own tokenizer takes the lower letter, and tokenizers knows no letters and marks after Unicode 8."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())
    plain = unicodedata.normalize("NFD", folded) == unicodedata.normalize("NFD", character.lower())
    return plain and unicodedata.category(character)[0] != "C"


# Latin, Greek, Cyrillic, Hebrew, Arabic, Devanagari, Thai, punctuation, signs, kana, Chinese, Hangul
_BLOCKS = [
    (0x20, 0x24F), (0x391, 0x3C9), (0x400, 0x45F), (0x5D0, 0x5EA), (0x620, 0x64A), (0x904, 0x939), (0xE01, 0xE3A),
    (0x2010, 0x2027), (0x20A0, 0x20BA), (0x3041, 0x30FF), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3),
]  # fmt: skip
_CHARACTERS = st.one_of(
    st.sampled_from([*"abcredsofalthmug ,.-12A ", "é", "É", "红", "한", "국"]),
    *(st.characters(min_codepoint=first, max_codepoint=last).filter(_alike) for first, last in _BLOCKS),
)


@settings(max_examples=300, deadline=None)
@given(text=st.text(_CHARACTERS, max_size=24))
def test_word_pieces_are_those_of_tokenizers(word_pieces: tuple[Any, Any], text: str) -> None:
    theirs, ours = word_pieces
    assert ours.tokenize([text]).to_list()[0] == theirs.encode(text, add_special_tokens=False).ids, [text]


@pytest.fixture(scope="module")
def unigram(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """XLM-R's form of tokenizer.json: a unigram model behind SentencePiece's compiled rules."""
    tokenizers = pytest.importorskip("tokenizers", reason=_WHY)
    sentencepiece_model_pb2 = pytest.importorskip("sentencepiece.sentencepiece_model_pb2")
    import sentencepiece

    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_SENTENCES), model_writer=trained, vocab_size=170, model_type="unigram",
        normalization_rule_name="nmt_nfkc", hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    model = sentencepiece_model_pb2.ModelProto.FromString(trained.getvalue())
    own = [(piece.piece, piece.score) for piece in model.pieces][3:]
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *own, ("<mask>", 0.0)]
    made = tokenizers.Tokenizer(tokenizers.models.Unigram(pieces, unk_id=3))
    rules = tokenizers.normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap)
    blanks = tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), " ")
    made.normalizer = tokenizers.normalizers.Sequence([rules, blanks])
    made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    file = tmp_path_factory.mktemp("unigram") / "tokenizer.json"
    made.save(str(file))
    return made, read_tokenizer(file, WORD_PIECE_MARKS).tokenizer()


_SENTENCES = [
    "red leather sofa", "blue coffee mug 350 ml", "warm jacket for hiking", "红色的真皮沙发", "蓝色的马克杯",
    "ソファ ベッド", "обувь зимняя", "canapé en cuir", "Küche und Bad", "מנורה", "مصباح طاولة", "소파 침대",
] * 3  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(words=st.lists(st.text(_CHARACTERS.filter(lambda c: c != " "), min_size=1, max_size=12), max_size=4))
def test_sentence_pieces_are_those_of_tokenizers(unigram: tuple[Any, Any], words: list[str]) -> None:
    theirs, ours = unigram
    text = " ".join(words)
    assert ours.tokenize([text]).to_list()[0] == theirs.encode(text, add_special_tokens=False).ids, [text]
