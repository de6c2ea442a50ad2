"""One SavedModel that stock TensorFlow Serving runs: tokenizer, encoder, towers and catalogue, with a manifest."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tfrec.pipeline.api import TrainedShop


class _CallableModule(ModuleType):
    """`tfrec.export` is this package as soon as any part of it is imported, and users call it by that name."""

    def __call__(self, trained: TrainedShop) -> Path:
        """See tfrec.pipeline.api.export."""
        # The one arrow upwards (tests/test_layers.py knows it): the package carries the name of the step that uses it.
        from tfrec.pipeline.api import export

        return export(trained)


sys.modules[__name__].__class__ = _CallableModule
