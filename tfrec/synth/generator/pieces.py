"""The encoder's word pieces as strings, found without its vocabulary file, and their way back to text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfrec.encoder.text_encoder import TextEncoder
from tfrec.encoder.vocabulary import count_words
from tfrec.tensorflow_setup import tf

OTHER, START, END, FIRST = 0, 1, 2, 3  # ids of no piece, of the two marks, of the first piece
_NO_WORD = "\ue000"  # private use: no vocabulary has it
_LONGEST = 64  # pieces of one word that are looked at
_WORDS_PER_BATCH = 20_000
_WORD_TABLE = re.compile(r"word.*embed|embed.*word", re.IGNORECASE)
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_CLOSED_UP = frozenset("-'\u2019/.,")  # between two words they stand without spaces


@dataclass(frozen=True)
class WordPieces:
    """The pieces that occur in a shop's texts, numbered anew from FIRST; OTHER stands for all else.

    Attributes:
        texts: each piece's characters, without the marks of continuation; "" for OTHER, START and END.
        continues: bool [L], whether a piece goes on with the word before it (BERT's ##).
        own: int32 [V], the number here of each of the encoder's pieces.
        vectors: float32 [L, H], the encoder's input embedding of each piece.
    """

    texts: list[str]
    continues: np.ndarray
    own: np.ndarray
    vectors: np.ndarray

    def numbers(self, pieces: np.ndarray) -> np.ndarray:
        """The encoder's piece ids as numbers here, int32 of the same shape."""
        return np.where(pieces < len(self.own), self.own[np.minimum(pieces, len(self.own) - 1)], OTHER)

    def text(self, numbers: Sequence[int]) -> str:
        """The text that these pieces spell; marks and OTHER are skipped."""
        words: list[str] = []
        for number in numbers:
            if number < FIRST:
                continue
            if self.continues[number] and words:
                words[-1] += self.texts[number]
            else:
                words.append(self.texts[number])
        return _with_spaces(words)


def word_pieces(encoder: TextEncoder, texts: Sequence[str]) -> WordPieces:
    """Finds out what the encoder's pieces spell, by giving it the texts' words and, where one has several pieces, all
    its beginnings: a beginning that gives the first j pieces of a word ends where the j-th piece ends, because
    WordPiece takes the longest match from the left.

    Args:
        encoder: any encoder; its vocabulary is not asked for.
        texts: texts that hold all words of interest.

    Returns:
        the pieces of those words.
    """
    marks = encoder.tokenize(tf.constant([_NO_WORD]), 8).flat_values.numpy().tolist()
    start, unknown, end = marks[0], marks[1:-1], marks[-1]
    upper, lower = encoder.tokenize(tf.constant(["Red SOFA", "red sofa"]), 16).to_list()
    words = list(count_words(texts, lower_case=upper == lower))
    spelled: dict[int, tuple[str, bool]] = {}
    beginnings: list[tuple[str, list[int]]] = []
    for first in range(0, len(words), _WORDS_PER_BATCH):
        some = words[first : first + _WORDS_PER_BATCH]
        for word, pieces in zip(some, _pieces_of(encoder, some), strict=True):
            if not pieces or set(pieces) & set(unknown):
                continue
            if len(pieces) == 1:
                spelled.setdefault(pieces[0], (word, False))
            elif len(pieces) < _LONGEST:
                beginnings.append((word, pieces))
    _spell_parts(encoder, beginnings, spelled)
    ids = sorted(set(spelled) - {start, end})
    own = np.zeros(max([start, end, *ids]) + 1, np.int32)
    own[[start, end]] = START, END
    own[ids] = np.arange(FIRST, FIRST + len(ids))
    parts = ["", "", "", *(spelled[piece][0] for piece in ids)]
    continues = np.array([False] * FIRST + [spelled[piece][1] for piece in ids])
    return WordPieces(parts, continues, own, _vectors(encoder, [0, start, end, *ids], parts))


def _pieces_of(encoder: TextEncoder, words: Sequence[str]) -> list[list[int]]:
    return [row[1:-1] for row in encoder.tokenize(tf.constant(list(words), tf.string), _LONGEST + 2).to_list()]


def _spell_parts(
    encoder: TextEncoder, words: list[tuple[str, list[int]]], spelled: dict[int, tuple[str, bool]]
) -> None:
    """Adds what the pieces of words with several pieces spell."""
    # a word whose pieces are all known already says nothing new
    words = [(word, pieces) for word, pieces in words if any(piece not in spelled for piece in pieces)]
    for first in range(0, len(words), _WORDS_PER_BATCH // 8):
        some = words[first : first + _WORDS_PER_BATCH // 8]
        cut = [word[:length] for word, _ in some for length in range(1, len(word) + 1)]
        found = iter(_pieces_of(encoder, cut))
        for word, pieces in some:
            last = 0
            for length in range(1, len(word) + 1):
                got = next(found)
                if got == pieces[: len(got)] and got:
                    spelled.setdefault(pieces[len(got) - 1], (word[last:length], len(got) > 1))
                    last = length


def _vectors(encoder: TextEncoder, ids: list[int], parts: list[str]) -> np.ndarray:
    """The encoder's input embeddings, or where it shows none, its vectors of the pieces as texts."""
    for variable in encoder.variables:
        if len(variable.shape) == 2 and variable.shape[0] > max(ids) and _WORD_TABLE.search(variable.name):
            return variable.numpy()[ids].astype(np.float32)
    return encoder.encode(parts, 8)


def _with_spaces(words: list[str]) -> str:
    text = ""
    for place, word in enumerate(words):
        follows = words[place + 1] if place + 1 < len(words) else ""
        joined = (
            not text
            or (_UNSPACED.match(word) is not None and _UNSPACED.match(text[-1]) is not None)
            or (word in _CLOSED_UP and _closed_up(words[place - 1], word, follows))
            or (words[place - 1] in _CLOSED_UP and place > 1 and _closed_up(words[place - 2], words[place - 1], word))
        )
        text += word if joined else f" {word}"
    return text


def _closed_up(before: str, mark: str, after: str) -> bool:
    """Whether a mark stands between two words without spaces: t-shirt, men's, 1/2; dot and comma in numbers only."""
    if not (before[-1:].isalnum() and after[:1].isalnum()):
        return False
    return mark not in ".," or (before[-1].isdigit() and after[0].isdigit())
