"""Vocabularies: how an encoder family cuts texts into pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tfrec.encoder.families import WORD_PIECE_MARKS
from tfrec.errors import EncoderError


@dataclass(frozen=True)
class SpecialIds:
    """Ids of the pieces that stand for no text."""

    start: int
    end: int
    padding: int
    mask: int

    def as_dict(self, size: int) -> dict[str, int]:
        """By TF-Hub's names, with the vocabulary's size."""
        return {
            "vocab_size": size,
            "start_of_sequence_id": self.start,
            "end_of_segment_id": self.end,
            "padding_id": self.padding,
            "mask_id": self.mask,
        }


class Pieces(Protocol):
    """A vocabulary and its tokenizer.

    Attributes:
        kind: "word_pieces" or "sentence_pieces".
        special: ids of the special pieces.
        unknown: id of the piece for what no piece spells.
        lower_case: whether texts are lower-cased first.
    """

    kind: str
    special: SpecialIds
    unknown: int
    lower_case: bool

    def __len__(self) -> int: ...

    def tokenizer(self) -> Any:
        """tensorflow_text's tokenizer: string [B] -> RaggedTensor [B, None]."""

    def sha256(self) -> str:
        """Of everything the tokens depend on, but for lower_case (hex)."""


class WordPieces:
    """BERT's word pieces.

    FastBertTokenizer (Song et al. 2021, "Fast WordPiece Tokenization") keeps its trie in a constant: no tables to
    initialise, and its two ops are in the TF-Text set of stock TensorFlow Serving.

    Args:
        pieces: the vocabulary, id = position; with [UNK] and the marks.
        lower_case: lower-case the text and strip its accents first.
        marks: the pieces for start, end, padding and mask.
    """

    kind = "word_pieces"

    def __init__(self, pieces: Sequence[str], lower_case: bool, marks: Sequence[str] = WORD_PIECE_MARKS) -> None:
        self._pieces, self.lower_case = list(pieces), lower_case
        self.special = SpecialIds(*(self._pieces.index(piece) for piece in marks))
        self.unknown = self._pieces.index("[UNK]")

    def __len__(self) -> int:
        return len(self._pieces)

    def tokenizer(self) -> Any:
        import tensorflow_text

        from tfrec.tensorflow_setup import tf

        return tensorflow_text.FastBertTokenizer(
            self._pieces, token_out_type=tf.int64, lower_case_nfd_strip_accents=self.lower_case
        )

    def sha256(self) -> str:
        return hashlib.sha256("\n".join(self._pieces).encode()).hexdigest()


class SentencePieces:
    """XLM-R's pieces: SentencePiece's unigram model (Kudo 2018) behind its rules nmt_nfkc, any script.

    The ops are in the TF-Text set of stock TensorFlow Serving.

    Args:
        pieces: by id, as the encoder numbers them.
        scores: float [pieces], log probabilities.
        special: ids of the special pieces.
        unknown: id of the piece for what no piece spells.
        rules: SentencePiece's compiled rules of normalisation; None for nmt_nfkc.

    Raises:
        EncoderError: the package sentencepiece is missing.
    """

    kind = "sentence_pieces"
    lower_case = False

    def __init__(
        self, pieces: Sequence[str], scores: np.ndarray, special: SpecialIds, unknown: int, rules: bytes | None = None
    ) -> None:
        self.special, self.unknown, self._size = special, unknown, len(pieces)
        self._model = _model(pieces, scores, special, unknown, rules)

    def __len__(self) -> int:
        return self._size

    def tokenizer(self) -> Any:
        import tensorflow_text

        from tfrec.tensorflow_setup import tf

        return tensorflow_text.SentencepieceTokenizer(model=self._model, out_type=tf.int32)

    def sha256(self) -> str:
        return hashlib.sha256(self._model).hexdigest()


def _model(
    pieces: Sequence[str], scores: np.ndarray, special: SpecialIds, unknown: int, compiled: bytes | None
) -> bytes:
    """SentencePiece's own model file with these pieces in this order."""
    try:
        import sentencepiece
        from sentencepiece import sentencepiece_model_pb2
    except ImportError:
        raise EncoderError(
            "An encoder with sentence pieces needs the package sentencepiece: pip install 'sentencepiece>=0.2'."
        ) from None
    schema: Any = sentencepiece_model_pb2
    model = schema.ModelProto()
    kinds = schema.ModelProto.SentencePiece
    without_text = {special.start, special.end, special.padding, special.mask}
    for number, (piece, score) in enumerate(zip(pieces, np.asarray(scores).tolist(), strict=True)):
        kind = kinds.UNKNOWN if number == unknown else kinds.CONTROL if number in without_text else kinds.NORMAL
        model.pieces.add(piece=piece, score=score, type=kind)
    spec = model.normalizer_spec
    if compiled is None:
        rules = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc").serialized_model_proto()
        spec.CopyFrom(schema.ModelProto.FromString(rules).normalizer_spec)
    else:
        spec.precompiled_charsmap = compiled
    spec.add_dummy_prefix, spec.remove_extra_whitespaces, spec.escape_whitespaces = True, True, True
    trainer = model.trainer_spec
    trainer.model_type, trainer.vocab_size = schema.TrainerSpec.UNIGRAM, len(pieces)
    trainer.bos_id, trainer.eos_id, trainer.pad_id, trainer.unk_id = (
        special.start,
        special.end,
        special.padding,
        unknown,
    )
    trainer.bos_piece, trainer.eos_piece = pieces[special.start], pieces[special.end]
    trainer.pad_piece, trainer.unk_piece = pieces[special.padding], pieces[unknown]
    return bytes(model.SerializeToString(deterministic=True))
