"""What can fill a shape: the fields of every item, and the parts of its title."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from tfrec.progress import track
from tfrec.synth.templates.categories import category_names
from tfrec.synth.templates.chunks import Chunk, chunks_of, is_measure, measures
from tfrec.synth.templates.columns import Values, attribute_columns, brand_words
from tfrec.synth.templates.connectives import HAVING, LACKING, UNSPACED_JOINING, USE, kind_of
from tfrec.synth.templates.heads import Head, Heads
from tfrec.synth.templates.lexicon import Lexicon
from tfrec.synth.templates.words import Words, key, runs, segments, unspaced

# the slots of shapes beside the attribute columns
BRAND, TYPE, CATEGORY, MODIFIER, LINE, SIZE, PART, TITLE, WORD, DETAIL = (
    "brand", "type", "category", "modifier", "line", "size", "part", "title", "word", "detail",
)  # fmt: skip
SLOTS = (BRAND, TYPE, CATEGORY, MODIFIER, LINE, SIZE, USE, PART, LACKING, TITLE, WORD, DETAIL)
_LONGEST_USE, _LONGEST_TITLE, _SHORTEST_TITLE = 3, 6, 2
_LEXICON_TEXTS, _DESCRIPTION = 30_000, 500  # texts that words are learned from; characters read of a description
_DETAILS, _LEAST_TITLES = 8, 3
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
        _add_parts(slots, chunks, head, skipped, titles[number])
        keys = title_keys[number] | skipped
        _add_words(slots, titles[number], segments(descriptions[number][:_DESCRIPTION], lexicon), keys, frequency)
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


def _add_parts(
    slots: dict[str, list[Words]],
    chunks: list[Chunk],
    head: Head | None,
    skipped: frozenset[str],
    title: list[list[str]],
) -> None:
    def clean(words: Words) -> bool:
        return bool(words) and not any(map(is_measure, words)) and not skipped.intersection(key(words))

    if head is not None:
        words = chunks[head.chunk].words
        name, last = words[head.start : head.end], words[head.end - 1 : head.end]
        piece = name == last or (unspaced(last[0]) and len(last[0]) == 1)
        slots[TYPE] = [name] if piece else [name, last]
        before = [words[start : head.start] for start in (head.start - 1, head.start - 2) if start >= 0]
        if found := [phrase for phrase in before if clean(phrase)]:
            slots[MODIFIER] = found
    brand = key(slots[BRAND][0]) if BRAND in slots else ()
    for chunk in chunks:
        phrase = chunk.words[:_LONGEST_USE]
        if chunk.link in (USE, LACKING) and clean(phrase):
            slots.setdefault(chunk.link, []).append(phrase)
        elif chunk.link == HAVING and clean(chunk.words[-2:]):
            slots.setdefault(PART, []).append(chunk.words[-2:])
        slots_of_size = [chunk.words[start:end] for start, end in measures(chunk.words)]
        if slots_of_size:
            slots.setdefault(SIZE, []).extend(slots_of_size)
        if brand and LINE not in slots and (place := _behind(chunk.words, brand)):
            ends = (place + size for size in (1, 2) if place + size <= len(chunk.words))
            lines = [chunk.words[place:end] for end in ends]
            names = {key(phrase) for phrase in slots.get(TYPE, [])}
            if found := [line for line in lines if clean(line[:1]) and clean(line[-1:]) and key(line) not in names]:
                slots[LINE] = found
    _add_title(slots, title, brand)


def _behind(words: Words, brand: Words) -> int:
    """Where the words behind a brand start; 0 if the brand is not there."""
    size = next((size for size in range(1, len(words)) if len(key(words[:size])) >= len(brand)), 0)
    return size if size and key(words[:size]) == brand else 0


def _add_title(slots: dict[str, list[Words]], title: list[list[str]], brand: Words) -> None:
    first = tuple(title[0]) if title else ()
    first = first[_behind(first, brand) :] if brand else first
    ends = range(_SHORTEST_TITLE, min(_LONGEST_TITLE, len(first)) + 1)
    if found := [first[:end] for end in ends if kind_of(first[end - 1]) is None and kind_of(first[0]) != USE]:
        slots[TITLE] = found


def _add_words(
    slots: dict[str, list[Words]],
    title: list[list[str]],
    description: list[list[str]],
    keys: frozenset[str],
    frequency: Counter[str],
) -> None:
    def usual(words: Iterable[str]) -> list[Words]:
        found = dict.fromkeys(word for word in words if kind_of(word) is None and not is_measure(word))
        # a lone character of an unspaced script is mostly a piece of a word
        whole = [word for word in found if len(word) > 1 or not unspaced(word)]
        return [(word,) for word in whole if min(frequency[unit] for unit in key((word,))) >= _LEAST_TITLES]

    if found := usual(word for segment in title for word in segment):
        slots[WORD] = found
    told = usual(word for segment in description for word in segment)
    if details := [phrase for phrase in told if not keys.issuperset(key(phrase))][:_DETAILS]:
        slots[DETAIL] = details
