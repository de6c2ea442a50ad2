"""The name of the narrowest category, out of a path that was joined with blanks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from tfrec.synth.templates.connectives import kind_of
from tfrec.synth.templates.words import Words, key

_LONGEST = 4
_LEAST_SHARE = 0.1  # of a category's titles that hold its name
_MOST_TITLES = 200  # read per category


def category_names(paths: Sequence[Words], titles: Sequence[frozenset[str]]) -> dict[Words, Words]:
    """The tail of every path that names its items best.

    "Home & Kitchen Furniture Bed Frames" does not say where its last name begins. The longest tail counts whose words
    stand together in some of the titles ("bed frames"); without one, what follows the longest beginning that the
    path has in common with another.

    Args:
        paths: words of every item's category, () where it has none.
        titles: keys of the words of every item's title.

    Returns:
        path -> name; paths without a short name are left out.
    """
    members: defaultdict[Words, list[int]] = defaultdict(list)
    for number, path in enumerate(paths):
        if path and len(members[path]) < _MOST_TITLES:
            members[path].append(number)
    prefixes: Counter[Words] = Counter(path[:end] for path in members if path for end in range(len(path)))
    names: dict[Words, Words] = {}
    for path, numbers in members.items():
        if not path:
            continue
        name = _told_by_titles(path, [titles[number] for number in numbers]) or _own_part(path, prefixes)
        if name:
            names[path] = name
    return names


def _told_by_titles(path: Words, titles: Sequence[frozenset[str]]) -> Words:
    for size in range(min(_LONGEST, len(path)), 0, -1):
        tail = path[-size:]
        if kind_of(tail[0]) is not None or len(set(key(tail))) < len(key(tail)):
            continue
        wanted = {unit for unit, word in zip(key(tail), tail, strict=False) if kind_of(word) is None}
        if sum(wanted <= title for title in titles) > _LEAST_SHARE * len(titles):
            return tail
    return ()


def _own_part(path: Words, prefixes: Counter[Words]) -> Words:
    shared = max((end for end in range(len(path)) if prefixes[path[:end]] > 1), default=0)
    rest = path[shared:]
    while rest and kind_of(rest[0]) is not None:
        rest = rest[1:]
    return rest if len(rest) <= _LONGEST else ()
