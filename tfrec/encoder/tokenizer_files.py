"""Vocabularies out of a checkpoint's files: vocab.txt, sentencepiece.bpe.model, or tokenizer.json alone."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.encoder.families import WORD_PIECE_MARKS, Family
from tfrec.encoder.pieces import Pieces, SentencePieces, SpecialIds, WordPieces
from tfrec.errors import EncoderError
from tfrec.files import read_json

SENTENCE_PIECES = "sentencepiece.bpe.model"
_SENTENCE_MARKS = ("<s>", "</s>", "<pad>", "<mask>")


def read_pieces(folder: Path, family: Family, lower_case: bool = False) -> tuple[Pieces, Path]:
    """The vocabulary of a folder, and the file it stands in.

    Args:
        folder: the checkpoint's.
        family: names the marks of its word pieces.
        lower_case: whether texts are lower-cased first, whatever the tokenizer says.

    Raises:
        EncoderError: there is none, or one that no op of stock TensorFlow Serving reads.
    """
    if (file := folder / SENTENCE_PIECES).is_file():
        return read_sentence_pieces(file), file
    if (file := folder / "vocab.txt").is_file():
        lowers = _lowers(folder / "tokenizer_config.json") or lower_case
        return WordPieces(read_vocabulary(file, family.marks), lowers, family.marks), file
    if (file := folder / "tokenizer.json").is_file():
        return read_tokenizer(file, family.marks, lower_case), file
    raise EncoderError(
        f"{folder} is not the folder of an encoder's checkpoint: vocab.txt is missing, and so are "
        f"{SENTENCE_PIECES} and tokenizer.json."
    )


def _lowers(settings: Path) -> bool:
    told = read_json(settings) if settings.is_file() else {}
    return _as_bert(told.get("do_lower_case", True), told.get("strip_accents"), settings)


def _as_bert(lowers: Any, strips: Any, file: Path) -> bool:
    """Whether texts lose case and accents; the op in TensorFlow Serving takes off both or none."""
    if strips is not None and bool(strips) != bool(lowers):
        raise EncoderError(f"{file} strips accents or case but not both, which is not supported.")
    return bool(lowers)


def read_vocabulary(path: Path, marks: Sequence[str] = WORD_PIECE_MARKS) -> list[str]:
    """Word pieces of a vocab.txt, one per line, id = line number."""
    pieces = path.read_text("utf-8").split("\n")
    if pieces and pieces[-1] == "":
        pieces.pop()
    return _checked(pieces, marks, path)


def _checked(pieces: list[str], marks: Sequence[str], path: Path) -> list[str]:
    start, end, padding, mask = marks
    missing = [piece for piece in (padding, "[UNK]", start, end, mask) if piece not in pieces]
    if missing:
        raise EncoderError(f"{path} has no {', '.join(missing)}: it is not the vocabulary of such an encoder.")
    if len(set(pieces)) < len(pieces):
        twice = next(piece for piece in pieces if pieces.count(piece) > 1)
        raise EncoderError(f"{path} lists the piece {twice!r} twice: every line must be unique.")
    return pieces


def read_tokenizer(path: Path, marks: Sequence[str], lower_case: bool = False, add_marks: bool = False) -> Pieces:
    """The vocabulary of a tokenizer.json: BERT's word pieces, or SentencePiece's unigram model.

    Args:
        path: the file.
        marks: start, end, padding and mask of word pieces.
        lower_case: whether texts are lower-cased first, whatever the tokenizer says.
        add_marks: whether marks that it lacks are added behind its pieces.

    Raises:
        EncoderError: it is another one, or one of a kind that is not supported.
    """
    told = read_json(path)
    model, normalizer = told.get("model") or {}, told.get("normalizer") or {}
    kind = model.get("type")
    if kind == "WordPiece":
        by_id = {number: piece for piece, number in model["vocab"].items()}
        by_id |= {added["id"]: added["content"] for added in told.get("added_tokens") or []}
        if sorted(by_id) != list(range(len(by_id))):
            raise EncoderError(f"{path} leaves ids out.")
        if normalizer.get("type") != "BertNormalizer" or model.get("continuing_subword_prefix", "##") != "##":
            raise EncoderError(f"{path} does not cut texts as BERT does.")
        lowers = _as_bert(normalizer.get("lowercase", True), normalizer.get("strip_accents"), path) or lower_case
        pieces = [by_id[number] for number in range(len(by_id))]
        pieces += [mark for mark in marks if add_marks and mark not in pieces]
        return WordPieces(_checked(pieces, marks, path), lowers, tuple(marks))
    if kind == "Unigram":
        pieces, scores = (list(column) for column in zip(*model["vocab"], strict=True))
        missing = [mark for mark in _SENTENCE_MARKS if mark not in pieces]
        if add_marks:
            pieces, scores, missing = [*pieces, *missing], [*scores, *[0.0] * len(missing)], []
        if missing or model.get("unk_id") is None:
            raise EncoderError(
                f"{path} has no {', '.join(missing or ['unknown piece'])}: it is not XLM-R's vocabulary."
            )
        start, end, padding, mask = (pieces.index(mark) for mark in _SENTENCE_MARKS)
        rules = _precompiled(normalizer, path)
        return SentencePieces(pieces, np.array(scores), SpecialIds(start, end, padding, mask), model["unk_id"], rules)
    raise EncoderError(f"{path} cuts texts by {kind}, but only WordPiece and Unigram have ops in TensorFlow Serving.")


def _precompiled(normalizer: dict[str, Any], path: Path) -> bytes:
    """SentencePiece's rules of a normalizer; whatever else it may hold joins blanks, as SentencePiece does."""
    steps = normalizer.get("normalizers", [normalizer]) if normalizer else []
    rules = [step for step in steps if step.get("type") == "Precompiled"]
    others = {step.get("type") for step in steps} - {"Precompiled", "Replace", "Strip"}
    if others or len(rules) > 1:
        raise EncoderError(f"{path} normalises texts by {', '.join(sorted(map(str, others)))}, which is not supported.")
    return base64.b64decode(rules[0]["precompiled_charsmap"]) if rules else b""


def read_sentence_pieces(path: Path) -> SentencePieces:
    """XLM-R's vocabulary out of SentencePiece's own file, behind the file's own rules.

    fairseq numbers <s>, <pad>, </s>, <unk> 0 to 3, the file's pieces from its fourth on behind them, <mask> last.
    """
    try:
        from sentencepiece import sentencepiece_model_pb2

        schema: Any = sentencepiece_model_pb2
        model = schema.ModelProto.FromString(path.read_bytes())
    except ImportError:
        raise EncoderError(f"{path} needs the package sentencepiece: pip install 'sentencepiece>=0.2'.") from None
    except Exception as error:  # protobuf's DecodeError
        raise EncoderError(f"{path} is not a SentencePiece model ({error}).") from None
    own = [(piece.piece, piece.score) for piece in model.pieces][3:]
    whole = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *own, ("<mask>", 0.0)]
    special = SpecialIds(start=0, end=2, padding=1, mask=len(whole) - 1)
    rules = model.normalizer_spec.precompiled_charsmap
    scores = np.array([score for _, score in whole])
    return SentencePieces([piece for piece, _ in whole], scores, special, unknown=3, rules=rules)
