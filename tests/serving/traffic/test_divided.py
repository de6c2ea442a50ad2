"""A running server that divides and mirrors requests: who answers, what is counted, and what follows a changed file."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tfrec.serving.client import Client, shopper
from tfrec.serving.client.shopper_header import HEADER
from tfrec.serving.server.configuration.model_config import ModelConfig, VersionPolicy
from tfrec.serving.server.configuration.traffic_file import TrafficSettings, follow_traffic, write_traffic

VERSIONS = (9, 10)  # 9 is stable; the newest, 10, is the canary, and has the lamp that 9 lacks


@pytest.fixture(scope="module")
def divided(export_dir: Path) -> Iterator[Any]:
    from tfrec.serving.server.frontends import FrontendOptions
    from tfrec.serving.server.server import ModelServer

    config = ModelConfig(
        "shop", str(export_dir), VersionPolicy("specific", versions=VERSIONS), {"stable": 9, "canary": 10}
    )
    with ModelServer(configs=[config], port=0, frontend=FrontendOptions(rest_port=0)) as server:
        yield server


def ask(server: Any, who: str = "", query: str = "red", version: int | str | None = None) -> int:
    """The version that answers: only 10 has the lamp."""
    with Client(server.address, "shop", version=version) as client, shopper(who) if who else nullcontext():
        found = client.search(query, 5)[0]
    return 10 if any(hit.item_id == "L-1" for hit in found) else 9


def value(server: Any, start: str) -> float:
    page = urllib.request.urlopen(f"http://127.0.0.1:{server.rest_port}/monitoring/prometheus/metrics").read().decode()
    return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(f"tfrec_serving_{start}"))


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_requests_are_divided_by_shopper_and_follow_the_file(divided: Any, tmp_path: Path) -> None:
    assert ask(divided) == 10, "TensorFlow Serving's rule: who names nothing gets the newest"
    file = tmp_path / "traffic.yaml"
    with follow_traffic(file, divided.divide, every=0.02):
        write_traffic(file, TrafficSettings.model_validate({"canary": {"share": 0.5}}))
        eventually(lambda: ask(divided, "u1") == ask(divided, "u1", version="stable") and value(divided, "canary"))
        answers = {f"u{number}": ask(divided, f"u{number}") for number in range(24)}
        assert set(answers.values()) == set(VERSIONS)
        assert answers == {shopper: ask(divided, shopper, "blue sofa") for shopper in answers}
        assert ask(divided, version="canary") == 10
        assert len({ask(divided, query="blue") for _ in range(3)}) == 1
        assert value(divided, 'canary_requests_total{model="shop",to="canary",by="shopper"') > 0
        assert value(divided, 'canary_requests_total{model="shop",to="') >= 51
        chosen = next(shopper for shopper, version in answers.items() if version == 10)
        body = json.dumps({"signature_name": "search", "inputs": {"query": ["red lamp"], "k": 1}}).encode()
        address = f"http://127.0.0.1:{divided.rest_port}/v1/models/shop:predict"
        rest = urllib.request.Request(address, body, {HEADER: hashlib.sha256(chosen.encode()).hexdigest()[:32]})
        assert json.loads(urllib.request.urlopen(rest).read())["outputs"]["item_ids"] == [["L-1"]]
        file.write_text("canary: {share: 7}")
        time.sleep(0.1)
        assert ask(divided, chosen) == 10, "a file that cannot be read changes nothing"
        file.unlink()
        eventually(lambda: ask(divided, next(one for one, version in answers.items() if version == 9)) == 10)
    assert value(divided, 'version_requests_total{model="shop",version="9",status="OK"}') > 5


def test_mirrored_requests_are_compared_and_failures_and_full_queues_are_counted(divided: Any) -> None:
    divided.divide(TrafficSettings.model_validate({"shadow": {"share": 1.0}}))
    before = value(divided, "shadow_requests_total")
    assert ask(divided, query="red lamp") == 9, "the shadow never answers"
    eventually(lambda: value(divided, 'shadow_requests_total{model="shop",outcome="compared"') == before + 1)
    assert value(divided, "shadow_overlap_at_10_count") == 1 and 0.4 < value(divided, "shadow_overlap_at_10_sum") < 1
    assert value(divided, "shadow_rank_correlation_count") == 1
    assert value(divided, 'shadow_seconds_count{model="shop",signature="search",side="shadow"}') == 1
    assert ask(divided, version="canary") == 10
    mirror = divided._frontends._operations.mirror
    with mirror:  # a request is being answered
        divided.divide(TrafficSettings.model_validate({"shadow": {"share": 1.0, "waiting": 2}}))
        for _ in range(5):
            ask(divided)
        time.sleep(0.05)
        assert value(divided, 'shadow_requests_total{model="shop",outcome="compared"') == before + 1, "it waits"
        assert value(divided, 'shadow_requests_total{model="shop",outcome="dropped"') >= 2
    eventually(lambda: value(divided, 'shadow_requests_total{model="shop",outcome="compared"') >= before + 3)
    divided.divide(TrafficSettings())
    held = divided.registry.states("shop")[10].servable
    was, held.run_alone = held.run_alone, lambda *_: 1 / 0
    divided.divide(TrafficSettings.model_validate({"shadow": {"share": 1.0}}))
    ask(divided)
    eventually(lambda: value(divided, 'shadow_requests_total{model="shop",outcome="failed"') == 1)
    held.run_alone = was
    divided.divide(TrafficSettings())
