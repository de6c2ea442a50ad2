"""What can fill a shape: the fields of every item, and the parts of its title."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from tfrec.progress import track
from tfrec.synth.templates.categories import category_names
from tfrec.synth.templates.chunks import Chunk, chunks_of
from tfrec.synth.templates.columns import Values, attribute_columns, brand_words
from tfrec.synth.templates.connectives import UNSPACED_JOINING, kind_of
from tfrec.synth.templates.heads import Heads
from tfrec.synth.templates.lexicon import Lexicon
from tfrec.synth.templates.parts import BRAND, CATEGORY, DETAIL, MODIFIER, PART, SLOTS, TYPE, add_parts, add_words
from tfrec.synth.templates.words import Words, key, runs, segments

_LEXICON_TEXTS, _DESCRIPTION = 30_000, 500  # texts that words are learned from; characters read of a description
_CONTRASTS = 60  # phrases kept per type


@dataclass
class Item:
    """An item as shapes see it.

    Attributes:
        slots: slot -> phrases that can fill it, the best first.
        keys: of the words of its fields.
    """

    slots: dict[str, list[Words]]
    keys: frozenset[str]


@dataclass
class Fields:
    """The items of a catalogue as shapes see them.

    Attributes:
        items: in the order of `rows`.
        rows: item index of each.
        attributes: columns that are slots.
        lexicon: of the unspaced words.
        joining: joining word -> how often titles hold it.
        vocabulary: words as written -> number of items that hold them.
        contrasts: key of a type -> parts and modifiers of its items.
    """

    items: list[Item]
    rows: list[int]
    attributes: list[str]
    lexicon: Lexicon
    joining: Counter[str] = field(default_factory=Counter)
    vocabulary: Counter[str] = field(default_factory=Counter)
    contrasts: dict[Words, list[Words]] = field(default_factory=dict)


def read_fields(items: pl.DataFrame, rows: list[int], queries: Iterable[str] = ()) -> Fields:
    """Reads the items' fields.

    Args:
        items: the catalogue: title, and whatever columns the shop has.
        rows: item indices to read.
        queries: labelled queries; unspaced words are learned from them too.
    """
    frame = items[rows]
    columns = {name: frame[name].to_list() for name, kind in frame.schema.items() if kind == pl.String}
    attributes = [name for name in attribute_columns(items) if name not in SLOTS]
    none = [""] * frame.height
    brands, categories, descriptions = (columns.get(name, none) for name in (BRAND, CATEGORY, "description"))
    lexicon = _lexicon(columns["title"], [brands, categories, *(columns[name] for name in attributes)], queries)
    titles = [segments(text, lexicon) for text in track(columns["title"], "Titles into words")]
    split = {name: [segments(value, lexicon) for value in columns[name]] for name in attributes}
    values = {name: Values(split[name]) for name in attributes}
    title_keys = [frozenset(key([word for segment in title for word in segment])) for title in titles]
    paths = [tuple(word for segment in segments(text, lexicon) for word in segment) for text in categories]
    names = category_names(paths, title_keys)
    fields = Fields([], list(rows), attributes, lexicon)
    frequency = Counter(unit for keys in title_keys for unit in keys)
    parsed: list[tuple[list[Chunk], dict[str, list[Words]], frozenset[str]]] = []
    heads = Heads()
    for number, title in enumerate(titles):
        fields.vocabulary.update({word for segment in title for word in segment})
        fields.joining.update(word for segment in title for word in segment if kind_of(word) is not None)
        chunks = chunks_of(title)
        slots: dict[str, list[Words]] = {}
        brand = brand_words(brands[number], segments(brands[number], lexicon)) if brands[number] else ()
        fields.vocabulary.update(set(brand))
        if brand:
            slots[BRAND] = [brand]
        for name in attributes:
            if found := values[name].of(split[name][number]):
                slots[name] = found
        skipped = frozenset(unit for phrases in slots.values() for phrase in phrases for unit in key(phrase))
        heads.add(chunks, brands[number], categories[number], skipped)
        parsed.append((chunks, slots, skipped))
    contrasts: defaultdict[Words, list[Words]] = defaultdict(list)
    for number, (chunks, slots, skipped) in enumerate(parsed):
        category = names.get(paths[number], ())
        if category:
            slots[CATEGORY] = [category]
        head = heads.find(chunks, key(category), skipped)
        add_parts(slots, chunks, head, skipped, titles[number])
        keys = title_keys[number] | skipped
        add_words(slots, titles[number], segments(descriptions[number][:_DESCRIPTION], lexicon), keys, frequency)
        fields.items.append(Item(slots, keys | frozenset(unit for p in slots.get(DETAIL, []) for unit in key(p))))
        if TYPE in slots:
            kept = contrasts[key(slots[TYPE][0])]
            kept.extend([*slots.get(PART, []), *slots.get(MODIFIER, [])][: max(0, _CONTRASTS - len(kept))])
    fields.contrasts = dict(contrasts)
    return fields


def _lexicon(titles: list[str], columns: list[list[str]], queries: Iterable[str]) -> Lexicon:
    texts = [*titles[:_LEXICON_TEXTS], *queries]
    found = [run for text in texts if not text.isascii() for run in runs(text)]
    known: Counter[str] = Counter()
    for values in columns:
        for value, count in Counter(values).items():
            if not value.isascii():
                for run in runs(value):
                    known[run] += count
    return Lexicon.learn(found, {**dict.fromkeys(UNSPACED_JOINING, 20), **known} if found else {})
