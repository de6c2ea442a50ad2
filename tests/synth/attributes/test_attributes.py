"""Guessed attributes: votes reckoned by hand, mentions trusted as they deserve, nothing filled below the bound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tfrec.config.synth_attributes import AttributesConfig
from tfrec.errors import ConfigError
from tfrec.synth.attributes.filling import FilledShop, fill_attributes
from tfrec.synth.attributes.guessing import Guesser
from tfrec.synth.attributes.mentions import Mentions
from tfrec.synth.attributes.votes import count_votes, nearest


def _unit(rows: list[list[float]]) -> np.ndarray:
    vectors = np.array(rows, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_neighbours_are_those_of_a_full_sort_and_never_the_item_itself(monkeypatch):
    rng = np.random.default_rng(0)
    vectors = _unit(rng.normal(size=[60, 5]).tolist())
    known, rows = np.arange(0, 60, 2), np.arange(60)
    for block in (1, 100, 1 << 20):
        monkeypatch.setattr("tfrec.synth.attributes.votes._BLOCK_SCORES", block)
        items, cosines = nearest(vectors, rows, known, 7)
        for row in rows.tolist():
            others = [item for item in known.tolist() if item != row]
            expected = sorted(others, key=lambda item: -float(vectors[row] @ vectors[item]))[:7]
            assert items[row].tolist() == expected
            np.testing.assert_allclose(cosines[row], vectors[expected] @ vectors[row], rtol=1e-5)


def test_votes_by_hand():
    neighbours, cosines = np.array([4, 2, 0, 1]), np.array([0.8, 0.5, -0.3, -np.inf], np.float32)
    votes = count_votes(neighbours, cosines, ["a", "b", "red", "c", "blue"], sharpness=2.0)
    assert set(votes) == {"red", "blue"}
    assert votes["blue"].share == pytest.approx(0.64 / 0.89) and votes["blue"].similarity == pytest.approx(0.8)
    assert votes["blue"].confidence == pytest.approx(0.64 / 0.89 * 0.8) and votes["red"].voters == [2]


def test_a_mention_is_trusted_as_far_as_it_was_right_elsewhere():
    titles = ["Acme sofa", "Acme lamp", "Acme bed", "home sofa", "Home lamp", "sofa for home", "home Acme", "Bolt lamp"]
    values = ["Acme", "acme", "ACME", "Home", "Home", "Acme", "", "Bolt"]
    mentions = Mentions(titles, values, least=2)
    # acme: three of three mentions; home: two of three
    assert mentions.of(6) == {"acme": pytest.approx(4 / 5), "home": pytest.approx(3 / 5)}
    assert mentions.of(0) == {"acme": pytest.approx(3 / 4)}, "an item is no witness for itself"
    assert mentions.of(7) == {}, "one item alone has the value"


def test_the_longer_value_hides_the_shorter_inside_it():
    titles = ["navy blue sofa", "blue navy blue lamp", "sofa", "sofa", "sofa", "女士深红色连衣裙"]
    values = ["", "", "navy blue", "navy blue", "blue", ""]
    mentions = Mentions([*titles, "x", "x", "x"], [*values, "blue", "红色", "红色"], least=2)
    assert set(mentions.of(0)) == {"navy blue"}
    assert set(mentions.of(1)) == {"blue", "navy blue"}
    assert set(mentions.of(5)) == {"红 色"}, "found inside a title without spaces"


def _clusters(noise: float) -> tuple[list[str], list[str], np.ndarray]:
    """Items of two clusters, each of one colour; every fourth item's colour is unknown."""
    rng = np.random.default_rng(1)
    centres = np.eye(2, 8)
    colours = ["red" if n % 2 else "blue" for n in range(80)]
    vectors = _unit((centres[[n % 2 for n in range(80)]] + noise * rng.normal(size=[80, 8])).tolist())
    return (
        [f"thing {n}" for n in range(80)],
        ["" if n % 4 < 2 and n < 40 else c for n, c in enumerate(colours)],
        vectors,
    )


def test_neighbours_of_one_mind_fill_and_scattered_ones_do_not():
    titles, values, vectors = _clusters(0.05)
    guesser = Guesser(titles, values, vectors, AttributesConfig())
    for guess in guesser.guess(guesser.empty):
        assert guess is not None and guess.value == ("red" if guess.item % 2 else "blue")
        assert guess.evidence == "neighbours" and guess.confidence > 0.9
    guesser = Guesser(*_clusters(3.0), AttributesConfig())
    guesses = [guess.confidence for guess in guesser.guess(guesser.empty) if guess is not None]
    assert max(guesses) < 0.6


def test_what_is_said_by_title_and_neighbours_is_surer_than_either():
    titles, values, vectors = _clusters(0.4)
    titles = [f"{title} {value}" for title, value in zip(titles, values, strict=True)]
    titles[0] = "thing in Blue"
    said = Guesser(titles, values, vectors, AttributesConfig()).guess(np.array([0]))[0]
    unsaid = Guesser(["thing", *titles[1:]], values, vectors, AttributesConfig()).guess(np.array([0]))[0]
    assert said is not None and unsaid is not None
    assert said.evidence == "both" and said.value == "blue" and unsaid.evidence == "neighbours"
    assert said.confidence > max(unsaid.confidence, said.trust, said.share * said.similarity)


def test_the_most_frequent_spelling_is_used():
    values = ["Red", "RED", "Red", ""]
    guess = Guesser(["sofa"] * 4, values, _unit([[1, 0]] * 4), AttributesConfig()).guess(np.array([3]))[0]
    assert guess is not None and guess.value == "Red" and guess.confidence == pytest.approx(1.0)


@pytest.fixture()
def filled(tmp_path: Path) -> Any:
    """fill(overrides) -> (filled shop, prepared shop); the vectors tell colours apart and nothing else."""
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare

    (tmp_path / "items.csv").write_text(
        "item_id,title,color\n" + "".join(
            f"{thing}-{colour},{thing} {number},{'' if thing == 'lamp' else colour}\n"
            for number, colour in enumerate(["red", "blue", "green"]) for thing in ["sofa", "table", "chair", "lamp"]
        ) + "odd,odd thing,\n"
    )  # fmt: skip
    (tmp_path / "searches.csv").write_text("query,item_id,gain,split\nx,sofa-red,1,train\ny,sofa-blue,1,dev\n")
    (tmp_path / "shop.yaml").write_text(
        f"""
name: filled
runs_dir: {tmp_path / "runs"}
data:
  root: {tmp_path}
  items: {{path: items.csv}}
  searches: {{path: searches.csv}}
  split: {{few_queries: 0}}
  template: "{{color}} {{title}}"
synthesis: {{attributes: {{enabled: true, columns: [color, material]}}}}
"""
    )
    calls: list[int] = []

    def fill(*overrides: str) -> tuple[FilledShop, Any]:
        config = load_config(tmp_path / "shop.yaml", list(overrides))
        shop = prepare(config)

        def vectors() -> np.ndarray:
            calls.append(1)
            near = {"red": [1, 0, 0, 0], "blue": [0, 1, 0, 0], "green": [0, 0, 1, 0]}
            return _unit([near.get(item.split("-")[-1], [0.5, 0.5, 0.5, 1]) for item in shop.item_ids])

        return fill_attributes(config, shop, vectors, "f" * 64, tmp_path / "attributes"), shop

    return fill, calls, tmp_path / "attributes"


def test_training_reads_the_filled_items_and_their_new_texts(filled: Any) -> None:
    fill, _, folder = filled
    shop, before = fill()
    texts = dict(zip(shop.item_ids, shop.item_texts, strict=True))
    assert texts["lamp-blue"] == "blue lamp 1" and texts["sofa-red"] == "red sofa 0"
    assert texts["odd"] == "odd thing", "its neighbours are of three minds"
    colours = dict(zip(shop.item_ids, shop.items["color"], strict=True))
    assert [colours[f"lamp-{colour}"] for colour in ("red", "blue", "green")] == ["red", "blue", "green"]
    assert before.items["color"].to_list().count("") == 4, "the prepared data is as it was"
    assert shop.items.drop("color", "text").equals(before.items.drop("color", "text"))
    assert shop.fingerprint != before.fingerprint and shop.judgments("dev") == before.judgments("dev")
    provenance = pl.read_parquet(folder / "attributes.parquet")
    assert provenance["item_id"].to_list() == ["lamp-red", "lamp-blue", "lamp-green"]
    assert set(provenance["neighbours"][0]) == {"sofa-red", "table-red", "chair-red"}
    assert (provenance["confidence"] >= 0.6).all() and set(provenance["evidence"]) == {"neighbours"}


def test_it_is_kept_until_something_changes(filled: Any) -> None:
    fill, calls, folder = filled
    first, _ = fill()
    written = (folder / "attributes.parquet").read_bytes()
    again, _ = fill()
    assert len(calls) == 1 and again.fingerprint == first.fingerprint
    other, _ = fill("synthesis.attributes.least_confidence=0.7")
    assert len(calls) == 2 and other.fingerprint != first.fingerprint
    fill()
    assert (folder / "attributes.parquet").read_bytes() == written, "the same again, byte for byte"


def test_the_report_says_how_often_guesses_are_right(filled: Any) -> None:
    from tfrec.files import read_json

    fill, _, folder = filled
    fill()
    columns = read_json(folder / "report.json")["columns"]
    assert columns["color"]["empty"] == 4 and columns["color"]["filled"] == 3
    assert columns["color"]["check"] == {"items": 9, "answered": 9, "right": 9, "accuracy": 1.0}
    assert "missing" in columns["material"]


@pytest.mark.parametrize("column", ["title", "price"])
def test_columns_that_cannot_be_guessed_are_refused(filled: Any, column: str) -> None:
    fill, _, folder = filled
    path = folder.parent / "items.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{lines[0]},price", *(f"{line},3" for line in lines[1:])]) + "\n")
    with pytest.raises(ConfigError, match=column):
        fill(f"synthesis.attributes.columns=[{column}]")
