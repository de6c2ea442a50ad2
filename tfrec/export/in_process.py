"""A trained model that answers in this process as its export would, without one being written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfrec.config import Config
from tfrec.data.shop import ShopData
from tfrec.export.building import serving_module
from tfrec.export.loaded import LoadedModel
from tfrec.export.signatures import serving_signatures
from tfrec.models.two_tower import TwoTower
from tfrec.retrieval.fusion import Fusion


@dataclass
class _Traced:
    """What `tf.saved_model.load` would give: the signatures, and what they live on."""

    signatures: dict[str, Any]
    module: Any


def answering(
    config: Config, model: TwoTower, shop: ShopData, catalogue: np.ndarray, fusion: Fusion | None, folder: Path
) -> LoadedModel:
    """Traces the signatures of an export in f32.

    Args:
        config: sections export and retrieval are read.
        model: the trained towers.
        shop: the prepared data.
        catalogue: unit vectors of all items, float32 [N, D].
        fusion: several scorers that rank together; None ranks by the towers alone.
        folder: what messages name as the model's place.
    """
    encode = model.encoder.inference_function("f32")
    module, facts = serving_module(config, model, shop, catalogue, encode, fusion)
    signatures = serving_signatures(module, model, encode)
    manifest = {"items": shop.size, "retrieval": facts}
    return LoadedModel(folder, manifest, _Traced(signatures, (module, encode)), shop.items)
