"""Which language a text is in, by its script and its function words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfrec.tensorflow_setup import tf
from tfrec.understanding.function_words import LANGUAGES
from tfrec.understanding.normal_form import Words, normal, words_of

Tensor = Any
# Scripts that tell a language by themselves; kana before Han, which Japanese has as well.
_SCRIPTS = (
    (r".*[\p{Hiragana}\p{Katakana}].*", "ja"), (r".*\p{Hangul}.*", "ko"), (r".*\p{Han}.*", "zh"),
    (r".*\p{Thai}.*", "th"), (r".*\p{Cyrillic}.*", "ru"), (r".*\p{Greek}.*", "el"), (r".*\p{Arabic}.*", "ar"),
    (r".*\p{Hebrew}.*", "he"),
)  # fmt: skip
_LOOKED_AT = 500


class Languages(tf.Module):  # type: ignore[misc]
    """Tells the language of a text; that of the shop's own texts where nothing in it does.

    Args:
        texts: of the shop.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(name="languages")
        self._codes = list(LANGUAGES)
        owners: dict[str, np.ndarray] = {}
        for number, words in enumerate(LANGUAGES.values()):
            for word in words:
                owners.setdefault(word, np.zeros(len(LANGUAGES), np.float32))[number] = 1
        keys = sorted(owners)
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.range(len(keys), dtype=tf.int32))
        self._words = tf.lookup.StaticHashTable(pairs, default_value=len(keys))
        # a word of several languages says less of each
        table = np.stack([owners[key] / owners[key].sum() for key in keys] + [np.zeros(len(LANGUAGES), np.float32)])
        self._votes = tf.constant(table.astype(np.float32))
        self.usual = "en"
        looked = [text[:200] for text in texts[:: max(1, len(texts) // _LOOKED_AT)]]
        if looked:
            plain = normal(tf.constant(looked))
            told = self(plain, words_of(plain), "").numpy().tolist()
            counts = {code: told.count(code) for code in dict.fromkeys(told) if code}
            self.usual = max(counts, key=lambda code: counts[code]).decode() if counts else "en"

    def __call__(self, texts: Tensor, words: Words, usual: str | None = None) -> Tensor:
        """ISO 639-1 codes string [B] of texts in normal form string [B], whose words these are."""
        votes = tf.gather(self._votes, self._words.lookup(words.flat))
        total = tf.math.unsorted_segment_sum(votes, words.rows, words.texts)
        told = tf.gather(tf.constant(self._codes), tf.argmax(total, axis=1))
        usual = self.usual if usual is None else usual
        code = tf.where(tf.reduce_max(total, axis=1) > 0, told, usual)
        for pattern, own in reversed(_SCRIPTS):
            code = tf.where(tf.strings.regex_full_match(texts, pattern), own, code)
        return code
