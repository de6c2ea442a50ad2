"""Where requests go while a canary is tried: the share, the side of a shopper, and what is chosen by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.running import examples
from tfrec.errors import ServingError
from tfrec.serving.server.configuration.traffic_file import TrafficSettings, read_traffic, write_traffic
from tfrec.serving.server.protocol.stubs import predict_pb2
from tfrec.serving.server.traffic.canary import Asker, place, route
from tfrec.serving.server.traffic.comparing import likeness

ModelSpec = type(predict_pb2.PredictRequest().model_spec)
LABELS = {"stable": 3, "canary": 7}


def of(share: float, salt: str = "") -> TrafficSettings:
    return TrafficSettings.model_validate({"canary": {"share": share, "salt": salt}})


def asking(shopper: str, question: bytes = b"?") -> Asker:
    return Asker(shopper, lambda: question)


def test_a_share_is_a_share_and_a_larger_one_moves_nobody_back() -> None:
    shoppers, spec = [f"u{number}" for number in range(4000)], ModelSpec(name="shop")

    def sent(settings: TrafficSettings) -> set[str]:
        return {one for one in shoppers if route(settings, LABELS, spec, asking(one)).version == 7}

    sides = {share: sent(of(share)) for share in (0.05, 0.2, 1.0)}
    assert sides[0.05] < sides[0.2] < sides[1.0] == set(shoppers)
    assert 0.04 < len(sides[0.05]) / 4000 < 0.06 and 0.18 < len(sides[0.2]) / 4000 < 0.22
    others = sent(of(0.2, "again"))
    assert len(others & sides[0.2]) < 0.4 * len(others), "another salt, other shoppers"


def test_who_chooses_gets_it_and_who_does_not_gets_stable() -> None:
    chosen = [ModelSpec(name="shop", version_label="canary"), ModelSpec(name="shop")]
    chosen[1].version.value = 7
    assert all(route(of(1.0), LABELS, spec, asking("u")).version is None for spec in chosen)
    plain, stable = ModelSpec(name="shop"), ModelSpec(name="shop", version_label="stable")
    shadow = TrafficSettings.model_validate({"shadow": {"share": 1}})
    for spec in (plain, stable):
        assert route(TrafficSettings(), LABELS, spec, asking("u")).version is None, "nothing is divided"
        assert route(of(1e-9), LABELS, spec, asking("u")) == (3, "stable", "shopper")
        assert route(shadow, LABELS, spec, asking("u")).version == 3, "the newest is the canary, which only listens"
        assert route(of(1.0), {"stable": 3}, spec, asking("u")).version == 3
        assert route(of(1.0), {}, spec, asking("u")).version is None


@settings(max_examples=examples(60), deadline=None)
@given(st.text(), st.binary(), st.text(max_size=5))
def test_without_an_id_the_question_is_hashed(shopper: str, question: bytes, salt: str) -> None:
    spec = ModelSpec(name="shop")
    found = route(of(0.5, salt), LABELS, spec, asking(shopper, question))
    assert found == route(of(0.5, salt), LABELS, spec, asking(shopper, question))
    assert found.by == ("shopper" if shopper else "question") and found.version in (3, 7)
    assert 0 <= place(question, salt) < 1


def test_the_file_is_read_back_and_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "traffic.yaml"
    assert read_traffic(file) == TrafficSettings()
    settings = TrafficSettings.model_validate({"canary": {"share": 0.05}, "shadow": {"share": 1, "idle_only": False}})
    write_traffic(file, settings)
    assert read_traffic(file) == settings
    for text in ("canary: {share: 2}", "canary: {shares: 1}", "- 1", "canary: [", "!!python/object:os.x {}"):
        file.write_text(text)
        with pytest.raises(ServingError, match=r"traffic\.yaml") as told:
            read_traffic(file)
        assert "\n" not in str(told.value)


def test_answers_are_compared_by_hand() -> None:
    import numpy as np

    mine = np.array([[b"a", b"b", b"c"], [b"a", b"b", b""], [b"", b"", b""], [b"a", b"", b""]], object)
    other = np.array([[b"c", b"b", b"a"], [b"x", b"a", b"b"], [b"", b"", b""], [b"z", b"", b""]], object)
    assert likeness(mine, other) == [(1.0, -1.0), (2 / 3, 1.0), (0.0, None)]
