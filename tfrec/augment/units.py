"""Units of a text: words where words are written apart, single characters where they are not.

"T恤 男款 XL" has the units T, 恤, 男, 款, XL. A unit remembers the white space before it, so that a text whose
units are left alone is joined to the very same bytes. A unit always is a run of whole grapheme clusters.

Texts of printable ASCII, most of them in a Western shop, are split at blanks by one string operation; only the others
are decoded. So operations are written on flat units and called through `change_units`, once for either kind of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tfrec.augment.clusters import glued
from tfrec.augment.randomness import uniform
from tfrec.augment.scripts import SINGLE, WHITE, kinds_of
from tfrec.tensorflow_setup import tf


class Units(NamedTuple):
    """The units of a batch, flat: U units of all B rows, in order.

    Attributes:
        texts: string [B], what was split.
        words: string [U]. Empty for what is white space only (a second blank, a blank at the end).
        gaps: string [U], the white space before each unit; None where it is one blank between all units.
        single: bool [U], the units that are one character of a script without blanks; None where there is none.
        rows: int32 [U], the row of each unit, ascending.
        places: int32 [U], its place in the row, from 0.
        counts: int32 [B], units of each row.
    """

    texts: Any
    words: Any
    gaps: Any | None
    single: Any | None
    rows: Any
    places: Any
    counts: Any

    @property
    def ascii(self) -> bool:
        """Whether all rows are printable ASCII."""
        return self.gaps is None

    @property
    def real(self) -> Any:
        """bool [U], False for the units that are white space only."""
        return tf.not_equal(self.words, "")

    def uniform(self, keys: Any, salt: int = 0) -> Any:
        """One number in [0, 1) per unit.

        Args:
            keys: uint64 [B], the rows' keys.
            salt: see randomness.derive; another one gives other numbers.

        Returns:
            float32 [U].
        """
        # place and salt share one number, beyond the small salts of the rows' own draws; no row has 2^20 units
        return uniform(self.per_unit(keys), tf.cast(self.places, tf.int64) + ((salt + 1) << 20))

    def per_unit(self, values: Any) -> Any:
        """Values of the rows [B], given to each of their units [U]."""
        return tf.gather(values, self.rows)

    def per_row(self, mask: Any) -> Any:
        """How many units of each row have the mask [U] set: int32 [B]."""
        return tf.math.unsorted_segment_sum(tf.cast(mask, tf.int32), self.rows, tf.size(self.texts))

    def byte_spans(self) -> tuple[Any, Any]:
        """Where each unit begins in its text, without the white space before it, and where it ends: int32 [U] each."""
        lengths = tf.strings.length(self.words)
        ends = tf.cumsum(lengths + (1 if self.gaps is None else tf.strings.length(self.gaps)))
        before = tf.gather(tf.concat([[0], ends], 0), tf.cumsum(self.counts, exclusive=True))  # [B], of the rows above
        ends = ends - self.per_unit(before) - (1 if self.gaps is None else 0)
        return ends - lengths, ends

    def join(self, words: Any | None = None, keep: Any | None = None) -> Any:
        """The texts of these units, with the white space they had.

        Args:
            words: string [U], in place of the units' own.
            keep: bool [U]; the others are left out with the white space before them. Whoever leaves out must see to it
                that something stays (see keep_one).

        Returns:
            string [B]; with neither argument, the texts themselves.
        """
        words = self.words if words is None else words
        gaps, rows = self.gaps, self.rows
        if keep is not None:
            stay = tf.where(keep)[:, 0]
            words, rows = tf.gather(words, stay), tf.gather(rows, stay)
            gaps = None if gaps is None else self._gaps_of(stay, rows)
        if gaps is not None:
            words = tf.strings.join([gaps, words])
        separator = " " if gaps is None else ""
        return tf.strings.unsorted_segment_join(words, rows, tf.size(self.texts), separator=separator)

    def _gaps_of(self, stay: Any, rows: Any) -> Any:
        """The white space before each of the units that stay: their indices [K], their rows [K] -> string [K]."""
        gaps, apart, begins = tf.gather(self.gaps, stay), ~tf.gather(self.single, stay), _changes(rows)
        # two words that stood on either side of a character do not grow together
        touching = apart & _shifted(apart, False) & tf.equal(gaps, "") & ~begins
        # the first unit that stays takes the white space the text began with
        moved = begins & (tf.gather(self.places, stay) > 0)
        index = tf.where(touching | moved)
        of_row = tf.gather(rows, index[:, 0])
        first = tf.gather(self.gaps, tf.gather(tf.cumsum(self.counts, exclusive=True), of_row))
        fresh = tf.where(tf.gather(moved, index[:, 0]), first, " ")
        return tf.tensor_scatter_nd_update(gaps, index, fresh)

    def keep_one(self, keep: Any, draws: Any) -> Any:
        """The mask with the real unit of the highest draw set in each row, so that no row is emptied.

        Args:
            keep: bool [U].
            draws: float32 [U], not negative.

        Returns:
            bool [U].
        """
        draws = tf.where(self.real, draws, -1.0)
        best = tf.math.unsorted_segment_max(draws, self.rows, tf.size(self.texts))
        return keep | ~self.real | tf.equal(draws, self.per_unit(best))


@tf.autograph.experimental.do_not_convert  # operations have no Python control flow; converting took most of the tracing
def change_units(texts: Any, keys: Any, change: Callable[[Units, Any], Any]) -> Any:
    """Applies a change of units to every text.

    Args:
        texts: string [B].
        keys: uint64 [B].
        change: (Units of b rows, their keys uint64 [b]) -> string [b]; called twice while tracing, for the rows of
            printable ASCII and for the others.

    Returns:
        string [B].
    """
    simple = tf.strings.regex_full_match(texts, "([!-~][ -~]*)?")  # the join would lose a blank at the start
    places = [tf.cast(tf.where(mask)[:, 0], tf.int32) for mask in (simple, ~simple)]
    changed = [
        change(split(tf.gather(texts, index)), tf.gather(keys, index))
        for split, index in zip((split_ascii, split_any), places, strict=True)
    ]
    return tf.reshape(tf.dynamic_stitch(places, changed), tf.shape(texts))


def split_ascii(texts: Any) -> Units:
    """Units of printable ASCII texts that do not begin with a blank: string [B] -> Units."""
    split = tf.raw_ops.StringSplitV2(input=texts, sep=" ")
    indices = tf.cast(split.indices, tf.int32)
    rows = indices[:, 0]
    counts = tf.math.unsorted_segment_sum(tf.ones_like(rows), rows, tf.size(texts))
    return Units(texts, split.values, None, None, rows, indices[:, 1], counts)


def split_any(texts: Any) -> Units:
    """Units of any texts: string [B] -> Units. Slower than split_ascii."""
    return Units(texts, *_split_any(texts))


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)  # traced once for all operations
def _split_any(texts: Any) -> tuple[Any, ...]:
    """What the units have beside their texts, in the order of their attributes."""
    codes, offsets = tf.strings.unicode_decode_with_offsets(texts, "UTF-8")
    size = tf.size(texts)
    # 1. clusters: their first character says what they are
    kinds = kinds_of(codes.flat_values)
    starts = tf.cast(tf.where(~glued(codes))[:, 0], tf.int32)
    ends = tf.concat([starts[1:], [tf.size(kinds)]], 0)[: tf.size(starts)]
    first_kind, last_kind = tf.gather(kinds, starts), tf.gather(kinds, ends - 1)
    rows = tf.cast(tf.gather(codes.value_rowids(), starts), tf.int32)
    bytes_ = tf.cast(tf.gather(offsets.flat_values, starts), tf.int32)
    white = tf.equal(first_kind, WHITE) & tf.equal(last_kind, WHITE)  # a blank that carries a mark is none
    single = tf.equal(first_kind, SINGLE)
    # 2. segments: runs of white space, words, single characters
    fresh = single | _shifted(single, True) | tf.not_equal(white, _shifted(white, False)) | _changes(rows)
    begins = tf.cast(tf.where(fresh)[:, 0], tf.int32)
    rows, bytes_, white, single = (tf.gather(x, begins) for x in (rows, bytes_, white, single))
    final = tf.concat([tf.not_equal(rows[1:], rows[:-1]), [True]], 0)[: tf.size(rows)]
    following = tf.concat([bytes_[1:], [0]], 0)[: tf.size(rows)]
    until = tf.where(final, tf.gather(tf.strings.length(texts), rows), following)
    # 3. units: words with the white space before them; white space at the end is the gap of an empty word
    after_white = _shifted(white, False) & ~_changes(rows)
    gap_start = tf.where(after_white, _shifted(bytes_, 0), bytes_)
    chosen = tf.where(~white | final)[:, 0]
    rows, bytes_, gap_start, until = (tf.gather(x, chosen) for x in (rows, bytes_, gap_start, until))
    white, single = tf.gather(white, chosen), tf.gather(single, chosen)
    word_start = tf.where(white, until, bytes_)
    whole = tf.gather(texts, rows)
    words = tf.strings.substr(whole, word_start, until - word_start)
    gaps = tf.strings.substr(whole, gap_start, word_start - gap_start)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(rows), rows, size)
    places = tf.range(tf.size(rows)) - tf.gather(tf.cumsum(counts, exclusive=True), rows)
    return words, gaps, single, rows, places, counts


def _shifted(values: Any, start: Any) -> Any:
    """Each value's forerunner; start before the first: [n] -> [n]."""
    return tf.concat([[start], values[:-1]], 0)[: tf.size(values)]


def _changes(rows: Any) -> Any:
    """Whether a row begins here: int32 [n] -> bool [n]."""
    return tf.not_equal(rows, _shifted(rows, -1))
