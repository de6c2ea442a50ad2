"""The text operations, by name."""

from __future__ import annotations

from tfrec.augment.operation import Operation
from tfrec.augment.operations.accent_noise import AccentNoise
from tfrec.augment.operations.case_noise import CaseNoise
from tfrec.augment.operations.query_prefix import QueryPrefix
from tfrec.augment.operations.replacement import Synonyms, WordNeighbours
from tfrec.augment.operations.spacing import Spacing
from tfrec.augment.operations.span_crop import SpanCrop
from tfrec.augment.operations.typo import AnyTypo
from tfrec.augment.operations.typos import TypoDelete, TypoDouble, TypoInsert, TypoSubstitute, TypoTranspose
from tfrec.augment.operations.unit_forms import UnitForms
from tfrec.augment.operations.width_noise import WidthNoise
from tfrec.augment.operations.word_dropout import WordDropout
from tfrec.augment.operations.word_swap import WordSwap

OPERATIONS: dict[str, type[Operation]] = {
    "accent_noise": AccentNoise,
    "case_noise": CaseNoise,
    "query_prefix": QueryPrefix,
    "spacing": Spacing,
    "span_crop": SpanCrop,
    "synonyms": Synonyms,
    "typo": AnyTypo,
    "typo_delete": TypoDelete,
    "typo_double": TypoDouble,
    "typo_insert": TypoInsert,
    "typo_substitute": TypoSubstitute,
    "typo_transpose": TypoTranspose,
    "unit_forms": UnitForms,
    "width_noise": WidthNoise,
    "word_dropout": WordDropout,
    "word_neighbours": WordNeighbours,
    "word_swap": WordSwap,
}
