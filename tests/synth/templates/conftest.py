"""A toy shop whose titles are put together from known parts."""

from __future__ import annotations

import itertools

import polars as pl
import pytest

BRANDS = ["Acme", "Belun", "Korva", "Tamsin", "Ostrea"]
THINGS = {
    "sofa": "Furniture Seating Sofas", "desk lamp": "Home Lighting Desk Lamps", "kettle": "Kitchen Kettles",
    "backpack": "Bags Backpacks",
}  # fmt: skip
COLOURS = ["Red", "Blue", "Green"]
MODIFIERS = ["leather", "folding", "steel"]
USES = ["camping", "students", "kids rooms"]
PARTS = ["side pockets", "dimmer switch", "carbon filter"]


@pytest.fixture(scope="session")
def toy_items() -> pl.DataFrame:
    """180 items: "Acme leather sofa for camping with side pockets, Red, 12 inch"."""
    rows = []
    for number, (brand, (thing, category), colour, modifier) in enumerate(
        itertools.product(BRANDS, THINGS.items(), COLOURS, MODIFIERS)
    ):
        use, part = USES[number % 3], PARTS[number // 3 % 3]
        rows.append(
            {
                "item_id": f"i{number}",
                "title": f"{brand} {modifier} {thing} for {use} with {part}, {colour}, {10 + number % 5} inch",
                "description": f"A {thing} that students like.",
                "brand": brand,
                "color": colour,
                "category": category,
                "text": f"{brand} {modifier} {thing}",
            }
        )
    return pl.DataFrame(rows)


@pytest.fixture(scope="session")
def zh_items() -> pl.DataFrame:
    """Titles written without blanks."""
    brands, things = ["鹿可屿", "桑朵苒", "格丽黛", "米梵泠"], {"连衣裙": "服装", "保温杯": "厨具", "双肩包": "箱包"}
    colours, styles = ["黑色", "红色", "蓝色"], ["夏季", "轻便", "复古"]
    rows = []
    for number, (brand, (thing, category), colour, style) in enumerate(
        itertools.product(brands, things.items(), colours, styles)
    ):
        title = f"{brand}{style}{thing}{colour}"
        rows.append({"item_id": f"z{number}", "title": title, "brand": brand, "color": colour, "category": category})
    return pl.DataFrame(rows)
