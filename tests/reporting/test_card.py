"""The model card of an export."""

from __future__ import annotations

from typing import Any

import yaml

from tests.reporting.test_pages import FOUND, JUDGMENTS
from tfrec.evaluation.metrics import evaluate_rankings
from tfrec.evaluation.table import build_report
from tfrec.reporting.card import model_card

FACTS: dict[str, Any] = {
    "items": 3000, "dimension": 384, "precision": {"precision": "bf16"}, "retrieval": {"scorers": ["dense", "lexical"]},
    "signatures": {"search": {}, "recommend": {}}, "images": {"used": False}, "signature": "a" * 64,
    "data_fingerprint": "b" * 64, "encoder_fingerprint": "c" * 64, "metrics": {},
}  # fmt: skip
MINILM = {"name": "minilm", "source": "all-MiniLM-L6-v2", "licence": "Apache-2.0"}


def test_the_card_says_what_was_measured_and_how_sure_it_is() -> None:
    systems = {name: evaluate_rankings(JUDGMENTS, found) for name, found in FOUND.items()}
    report = build_report(systems, ["BM25"], title="Search on test", resamples=200)
    metrics = {"search": {"split": "test", **report.to_json()}, "chosen": ["not a task"]}
    card = model_card("shop's", {**FACTS, "metrics": metrics}, [MINILM], {"tensorflow": "2.21.0"})
    _, head, body = card.split("---\n", 2)
    told = yaml.safe_load(head)
    assert told["license"] == "apache-2.0" and "tfrec" in told["tags"]
    (result,) = told["model-index"][0]["results"]
    measured = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert measured["nDCG@10"] == round(systems["tfrec"].means["nDCG@10"], 4) and result["dataset"]["split"] == "test"
    assert "# shop's" in body and "&" not in body, "markdown is not HTML"
    assert report.comparisons["tfrec"]["BM25"]["nDCG@10"].sentence() in body
    assert f"| BM25 | {systems['BM25'].means['nDCG@10']:.3f} |" in body
    assert "3,000 items" in body and "tensorflow 2.21.0" in body and "licence Apache-2.0" in body


def test_a_card_claims_nothing_that_is_not_known() -> None:
    other = {"name": "own", "source": "folder", "licence": "not known here"}
    card = model_card("shop", FACTS, [MINILM, other], {})
    told = yaml.safe_load(card.split("---\n", 2)[1])
    assert "license" not in told and "model-index" not in told
    assert "Not measured" in card
