"""Shapes of queries and how usual each is: learned from labelled queries, with built-in ones as a prior."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tfrec.synth.templates.alignment import Shape, align
from tfrec.synth.templates.connectives import HAVING, LACKING, USE, usual
from tfrec.synth.templates.fields import Fields, Item
from tfrec.synth.templates.words import units, unspaced

_LEAST_COVERED = 0.6  # of a query's words; the others are the shopper's own, or the item answers by something unsaid
_MOST_QUERIES, _MOST_ITEMS = 5000, 8  # read; per query
_ATTRIBUTE = "{attribute}"
# In scripts with spaces and without, English and Chinese shoppers name the thing last and what it is like first.
_DEFAULTS: dict[Shape, float] = {
    ("{type}",): 0.06,
    ("{category}",): 0.02,
    ("{modifier}", "{type}"): 0.20,
    ("{brand}", "{type}"): 0.12,
    (_ATTRIBUTE, "{type}"): 0.10,
    ("{brand}", "{modifier}", "{type}"): 0.05,
    (_ATTRIBUTE, "{modifier}", "{type}"): 0.06,
    ("{brand}", _ATTRIBUTE, "{type}"): 0.03,
    ("{brand}", "{line}"): 0.07,
    ("{brand}", "{line}", "{type}"): 0.05,
    ("{word}", "{type}"): 0.04,
    ("{size}", "{type}"): 0.04,
    ("{type}", USE, "{use}"): 0.07,
    ("{modifier}", "{type}", USE, "{use}"): 0.03,
    ("{type}", HAVING, "{part}"): 0.03,
    ("{type}", LACKING, "{lacking}"): 0.01,
    ("{title}",): 0.06,
}
_UNSPACED_DEFAULTS: dict[Shape, float] = {("{use}", "{type}"): 0.05, ("{type}", "{word}"): 0.04}


def default_shapes(fields: Fields) -> dict[Shape, float]:
    """The built-in shapes in the words of this catalogue; those for which it has no words or columns are left out."""
    found: defaultdict[Shape, float] = defaultdict(float)
    defaults = dict(_DEFAULTS)
    if any(unspaced(word) for word, _ in fields.vocabulary.most_common(50)):
        defaults.update(_UNSPACED_DEFAULTS)
    links = {kind: usual(kind, fields.joining) for kind in (USE, HAVING, LACKING)}
    for shape, weight in defaults.items():
        if any(part in links and links[part] is None for part in shape):
            continue
        worded = tuple(links.get(part) or part for part in shape)
        if _ATTRIBUTE not in worded:
            found[worded] += weight
            continue
        for name in fields.attributes:
            filled = tuple(f"{{{name}}}" if part == _ATTRIBUTE else part for part in worded)
            found[filled] += weight / len(fields.attributes)
    total = sum(found.values())
    return {shape: weight / total for shape, weight in found.items()}


def learned_shapes(labels: Mapping[str, Sequence[Item]], attributes: list[str]) -> dict[Shape, float]:
    """How many labelled queries have each shape; a query counts once, shared by what its positives make of it.

    Args:
        labels: query -> items that answer it.
        attributes: slots that are columns.
    """
    counts: defaultdict[Shape, float] = defaultdict(float)
    for query in sorted(labels)[:_MOST_QUERIES]:
        typed = units(query)
        read = [align(typed, item, attributes) for item in labels[query][:_MOST_ITEMS]]
        good = [found for found in read if found is not None and found.covered >= _LEAST_COVERED]
        weight = sum(found.belief for found in good)
        for found in good:
            counts[found.shape] += found.belief / weight
    return counts


def shape_weights(learned: Mapping[Shape, float], defaults: Mapping[Shape, float], prior: float) -> dict[Shape, float]:
    """The posterior mean of a Dirichlet whose prior counts as `prior` queries.

    Returns:
        shape -> share, the largest first; they sum to 1.
    """
    shapes = {*learned, *defaults}
    total = sum(learned.values()) + prior
    shares = {shape: (learned.get(shape, 0.0) + prior * defaults.get(shape, 0.0)) / total for shape in shapes}
    return dict(sorted(shares.items(), key=lambda entry: (-entry[1], entry[0])))
