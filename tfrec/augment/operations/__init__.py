"""The text operations, by name."""

from __future__ import annotations

from tfrec.augment.operation import Operation
from tfrec.augment.operations.query_prefix import QueryPrefix
from tfrec.augment.operations.span_crop import SpanCrop
from tfrec.augment.operations.word_dropout import WordDropout
from tfrec.augment.operations.word_swap import WordSwap

OPERATIONS: dict[str, type[Operation]] = {
    "query_prefix": QueryPrefix,
    "span_crop": SpanCrop,
    "word_dropout": WordDropout,
    "word_swap": WordSwap,
}
