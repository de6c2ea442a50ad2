"""tfrec: from a shop's files to a served search-and-recommendation model, with few labels.

    import tfrec

    config = tfrec.load_config("shop.yaml")
    shop = tfrec.prepare(config)             # read, clean, split
    trained = tfrec.train(config)            # fine-tune the two towers
    reports = tfrec.evaluate(trained)        # beside BM25 and the zero-shot encoder
    folder = tfrec.export(trained)           # a SavedModel for TF Serving
    page = tfrec.report(config)              # all of it to look at, runs/<name>/report.html
    hits = tfrec.LoadedModel.open(folder).search(["red leather sofa"], k=10)

The names are loaded at their first use, so that importing tfrec costs nothing; it imports no TensorFlow, only asks it
for Keras 2 should somebody import it next.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfrec.config import Config, load_config
    from tfrec.data.prepare import prepare
    from tfrec.encoder.text_encoder import TextEncoder
    from tfrec.export.loaded import LoadedModel
    from tfrec.pipeline.api import TrainedShop, evaluate, export, load, report, train

__version__ = "0.1.0"

_HOMES = {
    "Config": "tfrec.config",
    "load_config": "tfrec.config",
    "prepare": "tfrec.data.prepare",
    "TextEncoder": "tfrec.encoder.text_encoder",
    "train": "tfrec.pipeline.api",
    "load": "tfrec.pipeline.api",
    "evaluate": "tfrec.pipeline.api",
    "export": "tfrec.pipeline.api",
    "report": "tfrec.pipeline.api",
    "TrainedShop": "tfrec.pipeline.api",
    "LoadedModel": "tfrec.export.loaded",
}
__all__ = [
    "Config",
    "LoadedModel",
    "TextEncoder",
    "TrainedShop",
    "evaluate",
    "export",
    "load",
    "load_config",
    "prepare",
    "report",
    "train",
]


def _choose_keras_2() -> None:
    """Asks TensorFlow for Keras 2, unless it has made its choice, somebody else has, or there is none.

    It stands here because the client for web backends comes with no other module of tfrec, and without tf-keras:
    TensorFlow beside it stays as it would be without tfrec.
    """
    if "tensorflow" in sys.modules or "TF_USE_LEGACY_KERAS" in os.environ:
        return
    try:
        there = find_spec("tf_keras") is not None
    except ImportError:
        there = False
    if there:
        os.environ["TF_USE_LEGACY_KERAS"] = "1"


_choose_keras_2()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tfrec' has no attribute {name!r}")
    import importlib

    from tfrec.missing_packages import packages_for

    with packages_for(f"tfrec.{name}"):
        return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
