"""The real MiniLM in an export: bf16 constants rank as f32 ones, and are stored once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.export.conftest import texts_of, write_shop
from tfrec.config import Config
from tfrec.export.exporter import export_model
from tfrec.export.loaded import LoadedModel
from tfrec.export.manifest import verify_manifest
from tfrec.export.precision import LEAST_AGREEMENT


@pytest.mark.slow
def test_an_automatic_export_ranks_by_meaning_as_f32_does_and_holds_its_weights_once(
    minilm: Any, tmp_path: Path
) -> None:
    """MiniLM as it was published, without fine-tuning, over a small shop."""
    from tfrec.encoder.loading import load_encoder
    from tfrec.models.two_tower import TwoTower

    shop = write_shop(tmp_path / "shop", texts_of(40))
    config = Config.model_validate(
        {
            "data": {"items": "items.csv", "searches": "s.csv"},
            "encoder": {"name": "minilm"},
            "understanding": {"enabled": False},
        }
    )
    model = TwoTower(config, load_encoder(config.encoder, 1), shop.size, shop.popularity)
    catalogue = model.refresh_catalogue(shop.item_texts, shop.popularity)
    folder = export_model(config, model, shop, catalogue, tmp_path / "export", {}, "m")

    chosen = verify_manifest(folder)["precision"]
    assert chosen["agreement"] >= LEAST_AGREEMENT and chosen["queries"] == 60
    assert chosen["precision"] == ("bf16" if chosen["cpu_has_bf16"] else "f32")
    bytes_per_weight = 2 if chosen["precision"] == "bf16" else 4
    weights = sum(bytes_per_weight * int(np.prod(v.shape)) for v in model.encoder.variables)
    words = bytes_per_weight * 30_522 * 384  # beside the graph: in memory, every signature has the constants anew
    assert weights - words < (folder / "saved_model.pb").stat().st_size < 1.3 * (weights - words)
    assert (folder / "variables" / "variables.data-00000-of-00001").stat().st_size > words

    texts = dict(zip(shop.item_ids, shop.item_texts, strict=True))
    found = LoadedModel.open(folder).search(["couch", "carpet"], 5)  # words that no item has
    assert all("sofa" in texts[item_id] or "chair" in texts[item_id] for item_id in found.item_ids[0])
    assert sum("rug" in texts[item_id] for item_id in found.item_ids[1]) >= 3
