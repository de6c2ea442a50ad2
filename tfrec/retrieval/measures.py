"""Numbers and their units as separate words: "5gal", "5 gal." and "5 gallons" are one thing to search for."""

from __future__ import annotations

import re

BORDERS = re.compile(r"(?<=[0-9])(?=[a-z])|(?<=[a-z])(?=[0-9])")
"""Between a digit and a letter, in either order."""
_SAME = (
    "in inch inches", "ft foot feet", "yd yard yards", "sq square", "cu cubic", "gal gals gallon gallons",
    "qt quart quarts", "oz ounce ounces", "lb lbs pound pounds", "w watt watts", "v volt volts",
    "amp amps ampere amperes",
    "pk pack packs", "pc pcs piece pieces", "mm millimeter millimeters millimetre millimetres",
    "cm centimeter centimeters centimetre centimetres", "kg kgs kilogram kilograms",
    "ml milliliter milliliters millilitre millilitres",
    "gb gigabyte gigabytes", "tb terabyte terabytes",
)  # fmt: skip
ENGLISH_UNITS = {word: words.split()[0] for words in _SAME for word in words.split()}
"""A written unit -> the form that stands for all of its forms."""


def parted(word: str) -> list[str]:
    """A word cut where digits meet letters: "5gal" -> 5, gal; a word of one kind stays whole."""
    return BORDERS.split(word)
