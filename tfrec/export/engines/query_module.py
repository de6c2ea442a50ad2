"""The export beside an engine: the towers, the encoder and the words, without the catalogue that the engine holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfrec.encoder.parts import encoder_parts
from tfrec.export.serving_module import tower_variables
from tfrec.export.signatures import traced
from tfrec.models.spelling.speller import as_typed
from tfrec.models.two_tower import TwoTower
from tfrec.retrieval.lexical import LexicalScorer
from tfrec.retrieval.weights import BLANK
from tfrec.tensorflow_setup import tf

Tensor = Any


class QueryModule(tf.Module):  # type: ignore[misc]
    """Reads queries.

    Args:
        model: the trained towers.
        encode: the encoder with its weights inside.
        lexical: whose words are meant; None for none.
    """

    def __init__(self, model: TwoTower, encode: Callable[..., Tensor], lexical: LexicalScorer | None) -> None:
        super().__init__(name="tfrec_engine")
        self._encoder_parts = encoder_parts(encode)
        self._speller = model.speller
        self._weights = tower_variables(model)
        self._words = None if lexical is None else lexical.part(0, 0)  # words without their postings

    def signatures(self, model: TwoTower, encode: Callable[..., Tensor]) -> dict[str, Any]:
        """ConcreteFunction by name.

        engine_query: query string [B] -> vectors float32 [B, D]; rows int64 [B, W] of the postings that its words
        open, -1 behind the last; amounts float32 [B, W], what each counts.
        embed_item: text string [B] -> vectors float32 [B, D].
        """

        def engine_query(query: Tensor) -> dict[str, Tensor]:
            batch = tf.shape(query)[0]
            has_text = tf.logical_not(tf.strings.regex_full_match(query, BLANK))
            mended = as_typed(query) if self._speller is None else self._speller(query)
            text, nothing = encode(mended.text, model.query_tokens, "query"), tf.fill([batch, 1], -1)
            past = tf.zeros([batch, 1, model.dimension])
            vectors = model.query_tower(text, has_text, nothing, None, past=past)
            if self._words is None:
                return {"vectors": vectors, "rows": tf.cast(nothing, tf.int64), "amounts": tf.zeros([batch, 1])}
            rows, of, amounts = self._words.opened(mended.words)
            order = tf.argsort(of, stable=True)
            of, count = tf.gather(of, order), tf.cast(batch, tf.int64)

            def wide(values: Tensor, default: Any) -> Tensor:
                return tf.RaggedTensor.from_value_rowids(tf.gather(values, order), of, count).to_tensor(default)

            return {"vectors": vectors, "rows": wide(rows, -1), "amounts": wide(amounts, 0.0)}

        def embed_item(text: Tensor) -> dict[str, Tensor]:
            nothing = tf.fill([tf.shape(text)[0]], -1)
            return {"vectors": model.item_tower(encode(text, model.item_tokens, "item"), nothing)}

        return {function.__name__: traced(function) for function in (engine_query, embed_item)}
