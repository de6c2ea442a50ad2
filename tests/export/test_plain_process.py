"""An export loads where only TensorFlow and TensorFlow Text are, and ranks as the training process does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

QUERIES = ["red sofa", "oak shelf with drawer", "黑色 沙发", "", "grün"]
RANKED = {"item_ids": "string", "scores": "float32"}
WISHES = {"filters": "string", "diversity": "float32"}
SIGNATURES = {
    "search": [{"query": "string", "k": "int32"}, RANKED],
    "serving_default": [{"query": "string", "k": "int32"}, RANKED],
    "recommend": [{"history": "string", "k": "int32"}, RANKED],
    "personalised_search": [{"query": "string", "history": "string", "k": "int32"}, RANKED],
    "similar_items": [{"item_id": "string", "k": "int32"}, RANKED],
    "search_filtered": [{"query": "string", **WISHES, "k": "int32"}, RANKED],
    "recommend_filtered": [{"history": "string", **WISHES, "exclude_seen": "bool", "k": "int32"}, RANKED],
    "personalised_search_filtered": [
        {"query": "string", "history": "string", **WISHES, "exclude_seen": "bool", "k": "int32"},
        RANKED,
    ],
    "similar_items_filtered": [{"item_id": "string", **WISHES, "k": "int32"}, RANKED],
    "similar_items_related": [{"item_id": "string", "relation": "string", **WISHES, "k": "int32"}, RANKED],
    "explain": [
        {"query": "string", "history": "string", "item_ids": "string"},
        {"parts": "float32", "scorers": "string"},
    ],
    "understand": [
        {"query": "string"},
        {
            "text": "string",
            "language": "string",
            "conditions": "string",
            "denied": "string",
            "measures": "string",
            "categories": "string",
            "shares": "float32",
        },
    ],
    "search_interpreted": [
        {"query": "string", "history": "string", **WISHES, "exclude_seen": "bool", "k": "int32"},
        RANKED,
    ],
    "embed_query": [{"query": "string", "history": "string"}, {"vectors": "float32"}],
    "embed_item": [{"text": "string"}, {"vectors": "float32"}],
}


@pytest.fixture(scope="module")
def told(exported: Path) -> Any:
    return run_plain(exported)


def run_plain(folder: Path) -> Any:
    environment = {key: value for key, value in os.environ.items() if key not in ("TF_USE_LEGACY_KERAS", "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("plain_process.py")), str(folder)],
        input=json.dumps(QUERIES),
        capture_output=True,
        text=True,
        env=environment | {"TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_the_top_10_are_those_of_the_training_process(told: Any, trained: Any) -> None:
    expected = trained.model.query_vectors(QUERIES) @ trained.catalogue.T
    order = np.argsort(-expected, axis=1, kind="stable")[:, :10]
    assert told["item_ids"] == [[trained.shop.item_ids[item] for item in row] for row in order]
    np.testing.assert_allclose(told["scores"], np.take_along_axis(expected, order, axis=1), atol=1e-5)


def test_the_signatures_are_those_of_the_contract(told: Any) -> None:
    assert told["signatures"] == SIGNATURES


def test_the_manifest_describes_the_signatures(told: Any, exported: Path) -> None:
    manifest = json.loads((exported / "tfrec_manifest.json").read_text())
    described = {
        name: [{key: spec["dtype"] for key, spec in part.items()} for part in (of["inputs"], of["outputs"])]
        for name, of in manifest["signatures"].items()
    }
    assert described == SIGNATURES
    assert manifest["signatures"]["recommend"]["inputs"]["history"]["shape"] == [None, None]
    assert manifest["signatures"]["search"]["inputs"]["k"]["shape"] == []
