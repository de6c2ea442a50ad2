"""What the demo shop sells, without a word of any language: categories, product types and their admissible attributes.

The tables are keyed; `vocabulary_en` and `vocabulary_zh` say how each key is written by the shop and by shoppers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tfrec.data.demo.product_table import PRODUCT_TABLE

# category: size scheme | styles
_CATEGORIES = """
clothing: clothing | minimalist vintage boho sporty floral striped classic
shoes: shoes | minimalist vintage sporty classic
bags: - | minimalist vintage boho classic sporty
accessories: - | minimalist vintage boho classic
furniture: - | minimalist vintage industrial scandinavian classic
textiles: bedding | minimalist boho floral striped scandinavian
kitchen: - | minimalist vintage industrial classic
decor: - | minimalist vintage boho industrial scandinavian floral
beauty: volume | -
sports: - | sporty minimalist
outdoor: - | sporty minimalist
toys: - | classic vintage
electronics: - | minimalist vintage sporty
stationery: - | minimalist vintage floral classic
pets: pets | minimalist scandinavian classic
garden: - | vintage classic industrial
baby: - | scandinavian minimalist boho
"""

_COLOURS = """
black white cream grey charcoal navy blue light_blue teal green olive red burgundy pink coral purple yellow mustard
orange brown beige gold
"""
COLOURS = tuple(_COLOURS.split())
COLOURLESS = frozenset({"beauty"})
NEAR_COLOURS = (
    "white cream, cream beige, grey charcoal, black charcoal, navy blue, blue light_blue, teal green, teal blue, "
    "green olive, red burgundy, pink coral, coral orange, yellow mustard, mustard gold, brown beige"
)
NEAR_USES = (
    "running gym, gym yoga, hiking camping, swim beach, beach summer, travel commuting, office home_office, "
    "party wedding, party garden_party, garden_party barbecue, barbecue picnic, sleep relax, reading relax, "
    "tea coffee, school crafts"
)
NEAR_MATERIALS = (
    "leather faux_leather, wool cashmere, wool fleece, oak walnut, oak pine, ceramic porcelain, cotton linen, "
    "steel aluminium, silver steel, bamboo rattan, cotton canvas"
)
SIZES = {"clothing": 6, "shoes": 10, "bedding": 4, "volume": 3, "pets": 3}
# How much more a use is wanted in each month of the demo's half year, January to June.
SEASONS = {
    "winter": (2.2, 1.8, 1.1, 0.6, 0.3, 0.2),
    "rain": (1.0, 1.1, 1.4, 1.3, 0.9, 0.6),
    "summer": (0.2, 0.3, 0.6, 1.0, 1.8, 2.4),
    "beach": (0.3, 0.3, 0.4, 0.8, 1.6, 2.4),
    "swim": (0.7, 0.6, 0.7, 0.9, 1.4, 1.9),
    "gardening": (0.3, 0.5, 1.5, 2.0, 1.6, 1.2),
    "barbecue": (0.2, 0.3, 0.6, 1.1, 1.8, 2.2),
    "garden_party": (0.2, 0.3, 0.5, 1.0, 1.7, 2.2),
    "camping": (0.4, 0.4, 0.7, 1.1, 1.6, 1.9),
    "picnic": (0.2, 0.3, 0.7, 1.3, 1.8, 1.8),
    "gym": (1.8, 1.4, 1.0, 0.9, 0.8, 0.8),
}
CONSUMABLE = frozenset({"beauty", "stationery"})


@dataclass(frozen=True)
class ProductType:
    """One kind of product and what its items may be like; every field but `price` holds keys of the tables above."""

    key: str
    category: str
    family: str
    audiences: tuple[str, ...]
    materials: tuple[str, ...]
    uses: tuple[str, ...]
    features: tuple[str, ...]
    styles: tuple[str, ...]
    size_scheme: str
    price: float

    @property
    def coloured(self) -> bool:
        """Whether items of this type come in colours."""
        return self.category not in COLOURLESS


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split() if word != "-")


@lru_cache(maxsize=1)
def product_types() -> tuple[ProductType, ...]:
    """All product types, in the order of the table."""
    categories = {}
    for line in _CATEGORIES.strip().splitlines():
        key, rest = line.split(":")
        scheme, styles = rest.split("|")
        categories[key] = (scheme.strip().replace("-", ""), _words(styles))
    types = []
    for line in PRODUCT_TABLE.strip().splitlines():
        key, rest = line.split(":")
        place, audiences, materials, uses, features, price = rest.split("|")
        category, family = place.split()
        scheme, category_styles = categories[category]
        types.append(
            ProductType(
                key,
                category,
                family,
                _words(audiences),
                _words(materials),
                _words(uses),
                _words(features),
                category_styles,
                scheme,
                float(price),
            )
        )
    return tuple(types)


@lru_cache(maxsize=1)
def attribute_keys() -> dict[str, tuple[str, ...]]:
    """The keys of every attribute; an attribute's value is the index of its key here.

    Returns:
        "category", "family", "audience", "material", "use", "feature", "style", "colour" and "band", each a
        tuple of keys.
    """
    types = product_types()

    def collected(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for kind in types for key in getattr(kind, name)))

    return {
        "category": tuple(dict.fromkeys(kind.category for kind in types)),
        "family": tuple(dict.fromkeys(f"{kind.category}/{kind.family}" for kind in types)),
        "audience": collected("audiences"),
        "material": collected("materials"),
        "use": collected("uses"),
        "feature": collected("features"),
        "style": collected("styles"),
        "colour": COLOURS,
        "band": ("low", "middle", "high"),
    }
