"""An export ranks by its merchant's rules in every signature, and explains them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


def test_rules_are_in_the_export(trained: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from tfrec.config import Config
    from tfrec.export.exporter import export_model
    from tfrec.export.loaded import LoadedModel

    (tmp_path / "rules.yaml").write_text(
        "rules:\n- pin: [item-7, item-3, gone]\n  when: {contains: sofa}\n- bury: true\n  where: [material=leather]\n"
    )
    tree = trained.config.model_dump(mode="json")
    tree |= {"rules": {"file": "rules.yaml"}, "understanding": {"enabled": False}}
    tree["data"]["root"] = str(tmp_path)
    config = Config.model_validate(tree)
    folder = export_model(config, *trained[1:], base=tmp_path / "export", metrics={}, signature="b" * 64)
    model = LoadedModel.open(folder)
    assert "names 1 items that the catalogue does not have: gone" in capfd.readouterr().err
    assert model.manifest["retrieval"]["rules"]["count"] == 2
    found = model.search(["red sofa", "lamp"], 120)
    assert [item for item, _ in found.hits(0)][:2] == ["item-7", "item-3"]
    material = dict(zip(trained.shop.item_ids, trained.shop.items["material"], strict=True))
    buried = [material[item] == "leather" for item, _ in found.hits(1)]
    assert buried == sorted(buried) and any(buried)
    for one, (item, score) in zip(model.explain("red sofa", k=5)[0], found.hits(0), strict=False):
        assert one.item_id == item and np.isclose(one.score, score, atol=1e-3)
        assert set(one.parts) == {"dense", "rules"}
