"""Fields of items, alignment of queries with them, and the shapes that are learned."""

from __future__ import annotations

import polars as pl
import pytest

from tfrec.synth.templates.alignment import align
from tfrec.synth.templates.fields import Fields, read_fields
from tfrec.synth.templates.shapes import default_shapes, learned_shapes, shape_weights
from tfrec.synth.templates.words import units


@pytest.fixture(scope="module")
def fields(toy_items: pl.DataFrame) -> Fields:
    return read_fields(toy_items, list(range(toy_items.height)))


def test_the_parts_of_a_title_are_found(fields: Fields, toy_items: pl.DataFrame) -> None:
    for row, item in enumerate(fields.items):
        brand, modifier, rest = toy_items["title"][row].lower().split(" ", 2)
        thing, rest = rest.split(" for ")
        use, rest = rest.split(" with ")
        part, colour, size = rest.split(", ")
        slots = {name: [" ".join(phrase) for phrase in phrases] for name, phrases in item.slots.items()}
        assert slots["brand"] == [brand] and slots["color"] == [colour] and slots["size"] == [size]
        assert thing in slots["type"] and slots["use"] == [use] and slots["part"] == [part]
        assert slots["category"][0].rstrip("s") == thing
        assert modifier in slots["modifier"]


@pytest.mark.parametrize(
    ("query", "shape"),
    [
        ("acme sofas", "{brand} {type}"),
        ("Red SOFA for students", "{color} {type} for {use}"),
        ("leather sofa", "{modifier} {type}"),
        ("sofa without drawers", "{type} without {lacking}"),
        ("for a red sofa", "{color} {type}"),
        ("cheap sofa", "{type}"),
        ("sofa for camping red", "{type} for {use} {color}"),
        ("10 inch sofa", "{size} {type}"),
    ],
)
def test_a_query_is_read_as_fields_of_its_item(fields: Fields, query: str, shape: str) -> None:
    found = align(units(query), fields.items[0], fields.attributes)
    assert found is not None and " ".join(found.shape) == shape
    assert found.covered == (0.5 if "cheap" in query else 1 if "drawers" not in query else 0.5)


def test_a_query_that_names_no_thing_has_no_shape(fields: Fields) -> None:
    assert align(units("red for students"), fields.items[0], fields.attributes) is None
    assert align([], fields.items[0], fields.attributes) is None


def test_learned_shapes_outweigh_the_prior_and_sum_to_one(fields: Fields) -> None:
    item = fields.items[0]
    learned = learned_shapes({"sofa acme": [item], "acme sofa red": [item], "no word of it": [item]}, ["color"])
    assert learned == {("{type}", "{brand}"): 1.0, ("{brand}", "{type}", "{color}"): 1.0}
    weights = shape_weights(learned, default_shapes(fields), prior=0.01)
    assert sum(weights.values()) == pytest.approx(1)
    assert set(list(weights)[:2]) == set(learned) and weights["{type}", "{brand}"] > 0.49
    assert shape_weights({}, default_shapes(fields), 5.0) == pytest.approx(default_shapes(fields))


def test_built_in_shapes_use_the_joining_words_and_columns_of_the_shop(toy_items: pl.DataFrame) -> None:
    german = toy_items.with_columns(
        pl.col("title").str.replace(" for ", " für ").str.replace(" with .*", ""), pl.col("color").alias("Farbe")
    ).drop("color")
    shapes = default_shapes(read_fields(german, list(range(german.height))))
    assert ("{type}", "für", "{use}") in shapes and ("{Farbe}", "{type}") in shapes
    assert not any("with" in shape or "{color}" in shape for shape in shapes)


def test_titles_alone_are_enough(toy_items: pl.DataFrame) -> None:
    bare = read_fields(toy_items.select("item_id", "title"), list(range(toy_items.height)))
    types = {" ".join(item.slots["type"][0]).split()[-1] for item in bare.items}
    assert types == {"sofa", "lamp", "kettle", "backpack"}


def test_things_are_named_in_titles_without_blanks(zh_items: pl.DataFrame) -> None:
    found = read_fields(zh_items, list(range(zh_items.height)))
    named = [item.slots["type"][0][-1] in zh_items["title"][row] for row, item in enumerate(found.items)]
    right = [item.slots["type"][0][-1] in ("连衣裙", "保温杯", "双肩包") for item in found.items]
    assert all(named) and sum(right) == len(right)
    aligned = align(units("黑色连衣裙"), found.items[0], found.attributes)
    assert aligned is not None and aligned.shape == ("{color}", "{type}") and aligned.covered == 1
