"""Prices as shops write them: currencies, decimal and thousands signs, ranges.

Whether a point or a comma is the decimal sign is decided from all rows of a column. A value with both signs, with
groups (1.299.000, 1 299,00, 1'299.00, 1,29,999.00) or with other than three digits after its one sign tells by itself;
where no row tells, three digits after every sign are thousands.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

_BLANK = r"^(?i:[-–—−_?]+|n/?a|null|nan|none|tba|)$"
_MACHINE = r"^[-+]?[0-9]+(?:\.[0-9]+)?[eE][-+]?[0-9]+$"
_NUMBER = r"[0-9]{1,3}(?:[ '][0-9]{3})+(?:[.,][0-9]+)?|[0-9]+(?:[.,][0-9]+)*|[.,][0-9]+"
_PLAIN = r"^[0-9]+(?:\.[0-9]{1,2})?$"  # what most columns hold alone
_WORDS = r"[^0-9%]{0,20}?"
_RANGE = r"\s*(?:-|–|—|~|〜|to|bis|à|до|至|\.\.\.?|…)\s*"
_ONE = rf"^({_WORDS})({_NUMBER})(?:[.,]?\s*[-–—]+)?[^0-9%]{{0,20}}$"
_TWO = rf"^({_WORDS})({_NUMBER})[^0-9%]{{0,6}}?{_RANGE}[^0-9%]{{0,6}}?({_NUMBER})[^0-9%]{{0,20}}$"
_GROUPED = {
    sign: rf"^[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}$" for sign, mark in ((".", r"\."), (",", ","))
}
_OTHER = {".": ",", ",": "."}


@dataclass(frozen=True)
class Amounts:
    """Amounts of a column.

    Attributes:
        numbers: Float64 each, null where a text is empty or cannot be read.
        unreadable: Boolean each: not empty, and no amount.
        decimal: the decimal sign of values that do not tell by themselves; None where they contradict each other.
        note: how it was decided where it mattered, a sentence without its full stop; "" where it did not.
    """

    numbers: list[pl.Series]
    unreadable: list[pl.Series]
    decimal: str | None
    note: str


def read_amounts(texts: Sequence[pl.Series], decimal: str | None = None) -> Amounts:
    """Reads the parts of one column.

    Args:
        texts: String each.
        decimal: the sign, when the configuration says it.
    """
    every = pl.concat(texts).rename("text") if texts else pl.Series("text", [], dtype=pl.String)
    different = every.unique(maintain_order=True)
    plain = different.str.contains(_PLAIN)
    part = _parts(different.filter(~plain))
    points = different.filter(plain & different.str.contains(".", literal=True))
    sign, note = (decimal, "") if decimal is not None else _decided(part, points)
    if decimal == "," and len(points):
        plain, part = pl.repeat(False, len(different), dtype=pl.Boolean, eager=True), _parts(different)
    read = pl.concat(
        [
            pl.DataFrame({"text": different.filter(~plain)}).hstack(_read(part, sign, decimal is not None)),
            pl.DataFrame({"text": different.filter(plain)}).select(
                "text", pl.col("text").cast(pl.Float64).alias("n"), pl.lit(False).alias("bad")
            ),
        ]
    )
    found = every.to_frame().join(read, on="text", how="left", maintain_order="left")
    places = list(zip(itertools.accumulate(map(len, texts), initial=0), map(len, texts), strict=False))
    return Amounts([found["n"].slice(*at) for at in places], [found["bad"].slice(*at) for at in places], sign, note)


def _read(part: pl.DataFrame, sign: str | None, fixed: bool) -> pl.DataFrame:
    """n Float64 and bad Boolean of parted texts."""
    one, two = (_number(column, sign, fixed) for column in ("one", "two"))
    read = part.with_columns(
        pl.min_horizontal(one, two).alias("n"), (pl.col("two").is_not_null() & two.is_null()).alias("half")
    ).select(
        pl.when(pl.col("machine").is_not_null()).then(pl.col("machine"))
        .when(pl.col("half")).then(None)
        .when(pl.col("negative")).then(-pl.col("n")).otherwise(pl.col("n")).alias("n"),
        "given",
    )  # fmt: skip
    finite = read["n"].is_finite().fill_null(False)
    return pl.DataFrame({"n": read["n"].set(~finite, None), "bad": read["given"] & ~finite})


def _parts(texts: pl.Series) -> pl.DataFrame:
    """one and two (of a range) as written, machine (scientific notation), negative, given, text."""
    text = pl.col("raw").str.normalize("NFKC") if not texts.str.contains(r"^[\x00-\x7f]*$").all() else pl.col("raw")
    plain = text.str.replace_all(r"[\s\u00a0]+", " ").str.replace_all(r"[’`´]", "'").str.strip_chars()
    frame = pl.DataFrame({"raw": texts}).select(plain.alias("text"))
    one = pl.col("text").str.extract_groups(_ONE)
    frame = frame.with_columns(one.struct[0].alias("before"), one.struct[1].alias("one"))
    two = pl.lit(None, pl.String)
    left = frame["one"].is_null() & frame["text"].str.contains(r"[0-9][^0-9]+[0-9]")
    if left.any():
        both = pl.when(pl.col("one").is_null()).then(pl.col("text")).str.extract_groups(_TWO)
        frame = frame.with_columns(both.alias("both")).with_columns(
            pl.coalesce("before", pl.col("both").struct[0]).alias("before"),
            pl.coalesce("one", pl.col("both").struct[1]).alias("one"),
            pl.col("both").struct[2].alias("two"),
        )
        two = pl.col("two")
    machine = pl.when(pl.col("text").str.contains(_MACHINE)).then(pl.col("text")).cast(pl.Float64, strict=False)
    return frame.select(
        "one", two.alias("two"), machine.alias("machine"), "text",
        pl.col("before").fill_null("").str.contains(r"^[-−]|[-−]\s*\p{Sc}?\s*$").alias("negative"),
        (~pl.col("text").str.contains(_BLANK)).alias("given"),
    )  # fmt: skip


def _evident(sign: str) -> pl.Expr:
    """Whether a number's writing shows that this is its decimal sign."""
    one, own, other = pl.col("one"), pl.lit(sign), _OTHER[sign]
    last = one.str.contains(rf"\{sign}[0-9]+$")
    many = one.str.count_matches(rf"\{other}") > 1
    alone = one.str.count_matches(own, literal=True) == 1
    plain = last & alone & ~one.str.contains(f"[{other} ']") & (
        ~one.str.contains(rf"\{sign}[0-9]{{3}}$") | one.str.contains(rf"^0+\{sign}|^[0-9]{{4,}}\{sign}|^\{sign}")
    )  # fmt: skip
    return plain | (last & alone & one.str.contains(f"[{other} ']")) | (many & ~one.str.contains(own, literal=True))


def _open_to_both(sign: str) -> pl.Expr:
    """Whether a number has this sign once, three digits behind it and up to three before."""
    return pl.col("one").str.contains(rf"^[1-9][0-9]{{0,2}}\{sign}[0-9]{{3}}$")


def _decided(part: pl.DataFrame, points: pl.Series) -> tuple[str | None, str]:
    counts = dict.fromkeys((".", ","), 0)
    open_ = dict.fromkeys((".", ","), 0)
    shown: dict[str, str] = {}
    for sign in counts:
        looked = part.select(
            _evident(sign).fill_null(False).alias("tells"), _open_to_both(sign).fill_null(False).alias("open")
        )
        counts[sign], open_[sign] = int(looked["tells"].sum()), int(looked["open"].sum())
        if counts[sign]:
            shown[sign] = str(part["text"].filter(looked["tells"])[0])
        if sign == "." and len(points):
            counts[sign], shown[sign] = counts[sign] + len(points), str(points[0])
        if open_[sign]:
            shown[f"open {sign}"] = str(part["text"].filter(looked["open"])[0])
    asked = [sign for sign in open_ if open_[sign]]
    if counts["."] and counts[","]:
        note = f"both signs stand for decimals, as in {shown['.']!r} and {shown[',']!r}"
        return None, f"{note}: values that could be either are left empty (decimal decides)" if asked else ""
    told = next((sign for sign in counts if counts[sign]), None)
    if told is not None:
        meant = {True: "decimals", False: "thousands"}
        note = (
            f"{shown[f'open {asked[0]}']!r} has {meant[asked[0] == told]}, by rows such as {shown[told]!r}"
            if asked
            else ""
        )
        return told, f"{note} (decimal sets it)" if note else ""
    if len(asked) == 2:
        one, other = (shown[f"open {sign}"] for sign in asked)
        return None, f"no row tells the decimal sign of {one!r} and {other!r}: left empty (decimal decides)"
    if asked:
        note = f"{shown[f'open {asked[0]}']!r} is read as thousands: all values have three digits after the sign"
        return _OTHER[asked[0]], f"{note} (decimal sets it)"
    return ".", ""


def _number(column: str, decimal: str | None, fixed: bool) -> pl.Expr:
    """A number as written to Float64; null where its signs contradict the decided one."""
    text = pl.col(column).str.replace_all("[ ']", "")
    value: pl.Expr = pl.lit(None, pl.String)
    for sign in (",", "."):
        other = _OTHER[sign]
        whole = text.str.replace(rf"\{sign}[0-9]*$", "")
        sound = ~whole.str.contains(other, literal=True) | whole.str.contains(_GROUPED[other])
        as_decimal = text.str.contains(rf"\{sign}[0-9]*$") & (text.str.count_matches(sign, literal=True) == 1) & sound
        evident = (
            _evident(sign).fill_null(False)
            if column == "one"
            else as_decimal & ~text.str.contains(rf"^[1-9][0-9]{{0,2}}\{sign}[0-9]{{3}}$")
        )
        meant = pl.lit(decimal == sign) if fixed else evident | pl.lit(decimal == sign)
        read = text.str.replace_all(other, "", literal=True).str.replace(sign, ".", literal=True)
        value = pl.when(value.is_null() & as_decimal & meant).then(read).otherwise(value)
        grouped = text.str.contains(_GROUPED[sign]) & (
            pl.lit(decimal == other) | (text.str.count_matches(sign, literal=True) > 1)
        )
        value = pl.when(value.is_null() & grouped).then(text.str.replace_all(sign, "", literal=True)).otherwise(value)
    value = pl.when(text.str.contains(r"^[0-9]+$")).then(text).otherwise(value)
    return value.cast(pl.Float64, strict=False)
