"""The source "templates"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tfrec.config.synth_templates import TemplatesConfig
from tfrec.progress import Progress
from tfrec.synth.catalogue_queries import normalise
from tfrec.synth.source import SAMPLES, SourceContext
from tfrec.synth.templates.fields import Fields, Item, read_fields
from tfrec.synth.templates.filling import DRAWS, Filler
from tfrec.synth.templates.shapes import default_shapes, learned_shapes, shape_weights
from tfrec.synth.templates.slips import Rates, half_typed, learned_rates, misspelt
from tfrec.synth.templates.words import units, unspaced, written

_ROUNDS = 8  # draws per wanted query: of a small catalogue many are equal
_BLOCK = 8192
_BLANKS, _BLANKS_PRIOR = 0.5, 4.0  # share of the queries of unspaced scripts that have blanks between words


class TemplateSource:
    """Fills the shapes of labelled queries, and built-in ones, from the fields of all items; needs no label."""

    name = "templates"

    def samples(self, context: SourceContext) -> pl.DataFrame:
        """Makes samples whose item is the one that filled the shape; "generator" is the shape."""
        shop, config = context.shop, context.config
        labels = {
            query: [item for item, gain in judged.items() if gain > 0 and gain >= config.training.min_gain]
            for query, judged in sorted(shop.judgments("train").items())
        }
        return make(shop.items, labels, config.synthesis.templates, config.seed)


def make(
    items: pl.DataFrame, labels: Mapping[str, Sequence[str]], settings: TemplatesConfig, seed: int
) -> pl.DataFrame:
    """Makes the samples of a catalogue.

    Args:
        items: the catalogue; row = item index.
        labels: labelled training query -> ids of the items that answer it; {} if there is none.
        settings: how many, and of what kind.
        seed: of all choices.

    Returns:
        columns of SAMPLES; no query twice, none of the labelled ones.
    """
    rng = np.random.default_rng(seed)
    numbers = {item: number for number, item in enumerate(items["item_id"].to_list())}
    rows, wanted = _rows(items.height, labels, numbers, settings.max_items, rng)
    fields = read_fields(items, rows, labels)
    place_of = {row: place for place, row in enumerate(rows)}
    positives = {
        query: [fields.items[place_of[row]] for row in found if row in place_of] for query, found in wanted.items()
    }
    weights = _weights(fields, positives, settings.prior)
    rates = _rates(labels, fields, settings)
    filler = Filler(fields, weights, settings.max_words)
    made = _fill(filler, labels, settings.queries, rng)
    return _frame(_with_slips(made, rates, settings, seed, rng), filler, items, settings, seed)


def _rows(
    size: int, labels: Mapping[str, Sequence[str]], numbers: Mapping[str, int], most: int, rng: np.random.Generator
) -> tuple[list[int], dict[str, list[int]]]:
    """Item indices to read, all labelled ones among them, and those of every query."""
    wanted = {query: [numbers[item] for item in found if item in numbers] for query, found in labels.items()}
    if size <= most:
        return list(range(size)), wanted
    labelled = sorted({row for found in wanted.values() for row in found[:8]})[:most]
    others = rng.permutation(size)[: most - len(labelled)].tolist()
    return sorted({*labelled, *others}), wanted


def _weights(fields: Fields, labels: Mapping[str, Sequence[Item]], prior: float) -> dict[tuple[str, ...], float]:
    return shape_weights(learned_shapes(labels, fields.attributes), default_shapes(fields), prior)


def _rates(labels: Mapping[str, Sequence[str]], fields: Fields, settings: TemplatesConfig) -> Rates:
    found = learned_rates(list(labels), fields.vocabulary, settings.prior)
    slips = found.slips if settings.slips is None else settings.slips
    return Rates(slips, found.prefixes if settings.prefixes is None else settings.prefixes)


def _blanks(queries: Sequence[str]) -> float:
    """Share of the queries of several unspaced words that have a blank between them."""
    counted = [query for query in queries if sum(unspaced(unit) for unit in units(query)) > 3]
    return (sum(" " in query for query in counted) + _BLANKS * _BLANKS_PRIOR) / (len(counted) + _BLANKS_PRIOR)


def _fill(
    filler: Filler, labels: Mapping[str, Sequence[str]], count: int, rng: np.random.Generator
) -> list[tuple[str, int, int]]:
    """(query, item's number in the fields, shape's number) each."""
    taken = {normalise(query) for query in labels} | {""}
    blanks = _blanks(list(labels))
    made: list[tuple[str, int, int]] = []
    size = len(filler.fields.items)
    with Progress("Filling templates", count) as progress:
        for _ in range(-(-_ROUNDS * count // _BLOCK) if size else 0):
            found = len(made)
            numbers = rng.integers(size, size=_BLOCK).tolist()
            draws = rng.random((_BLOCK, DRAWS + 1)).tolist()
            for number, row in zip(numbers, draws, strict=True):
                filled = filler.fill(number, row)
                if filled is None:
                    continue
                query = normalise(written(filled[0], row[DRAWS] < blanks))
                if query not in taken:
                    taken.add(query)
                    made.append((query, number, filled[1]))
                    if len(made) == count:
                        return made
            progress.advance(len(made) - found)
    return made


def _with_slips(
    made: list[tuple[str, int, int]], rates: Rates, settings: TemplatesConfig, seed: int, rng: np.random.Generator
) -> list[tuple[str, int, int, str]]:
    """The queries, some of them misspelt or half typed, with what was done ("" for nothing)."""
    draws, left = rng.random(len(made)).tolist(), rng.random(len(made)).tolist()
    slipping = [place for place, draw in enumerate(draws) if draw < rates.slips]
    slips = dict(zip(slipping, misspelt([made[place][0] for place in slipping], seed), strict=True))
    taken = {query for query, _, _ in made}
    found: list[tuple[str, int, int, str]] = []
    for place, (query, number, shape) in enumerate(made):
        changed, what = query, ""
        if place in slips:
            changed, what = slips[place], "slip"
        elif draws[place] < rates.slips + rates.prefixes:
            changed, what = half_typed(query, left[place]), "prefix"
        changed = normalise(changed)
        if not changed or changed in taken:
            changed, what = query, ""
        taken.add(changed)
        found.append((changed, number, shape, what))
    return found


def _frame(
    made: list[tuple[str, int, int, str]], filler: Filler, items: pl.DataFrame, settings: TemplatesConfig, seed: int
) -> pl.DataFrame:
    names = [" ".join(shape) for shape in filler.shapes]
    rows = [filler.fields.rows[number] for _, number, _, _ in made]
    ids = items["item_id"].to_list()
    return pl.DataFrame(
        {
            "task": ["search"] * len(made),
            "query": [query for query, *_ in made],
            "history": pl.Series([[]] * len(made), dtype=pl.List(pl.Int64)),
            "item": rows,
            "source": [TemplateSource.name] * len(made),
            "generator": [f"{names[shape]} + {what}" if what else names[shape] for _, _, shape, what in made],
            "parent": [ids[row] for row in rows],
            "score": [filler.share(shape) for _, _, shape, _ in made],
            "confidence": [settings.slip_confidence if what else 1.0 for *_, what in made],
            "seed": [seed] * len(made),
        },
        schema=SAMPLES,
    )
