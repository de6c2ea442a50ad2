"""Times as shops write them, as unix seconds: ISO, unix times, 20180901, Excel's day numbers, 1 Sep 2018, 2018年9月1日.

What is left, days and months as numbers with the year last, is read by the order that all rows of a column tell:
tfrec.data.tables.day_order.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from tfrec.errors import DataError

EARLIEST = 788_918_400  # 1995-01-01: no shop on the web is older
_DAY = 86_400
_EXCEL = 25_569  # Excel's number of 1970-01-01
_CLOCK = r"(?:[T ,:]+([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2}))?(?:[.,][0-9]+)?)?\s*([AaPp])?\.?(?:[Mm]\.?)?"
_ZONE = r"\s*(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})?(?:\s*\([A-Z]+\))?$"
_WEEKDAY = r"^(?:[A-Za-z]{3,9}\.?,? )?"
_YEAR_FIRST = rf"^([0-9]{{4}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_CLOCK}{_ZONE}"
_COMPACT = r"^((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})(?:[T ]?([0-9]{2})([0-9]{2})([0-9]{2})?)?()(Z)?$"
_YEAR = "([0-9]{4}|[0-9]{2})"
_DAY_NAME = rf"{_WEEKDAY}([0-9]{{1,2}})(?:st|nd|rd|th|\.)?[-/ ]([A-Za-z]{{3,12}})\.?,?[-/ ]{_YEAR}{_CLOCK}{_ZONE}"
_NAME_DAY = rf"{_WEEKDAY}([A-Za-z]{{3,12}})\.? ([0-9]{{1,2}})(?:st|nd|rd|th)?,? ([0-9]{{4}}){_CLOCK}{_ZONE}"
YEAR_LAST = rf"^([0-9]{{1,2}})([-/.])([0-9]{{1,2}})[-/.]{_YEAR}{_CLOCK}{_ZONE}"
_NAMES = (  # by their first three letters: English, German, French, Spanish, Italian, Portuguese, Polish, Dutch, Nordic
    "jan ene gen sty", "feb fev lut", "mar mrz mrt", "apr avr abr kwi", "may mai maj mag mei", "jun giu cze",
    "jul lug lip", "aug aou ago sie", "sep set wrz", "oct okt ott out paz", "nov lis", "dec dez dic des gru",
)  # fmt: skip
_MONTHS = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split()}
_CHINESE = (
    (r"\s*[年月]\s*", "-"), (r"日\s*", " "), (r"[时時点點]", ":"), (r"([0-9])分([0-9])", "${1}:${2}"), (r"[分秒]", ""),
    (r":$", ":00"),
)  # fmt: skip
_HALVES = (
    (r"(上午|午前)\s*([0-9]{1,2}(?::[0-9]{2}){1,2})", "${2} AM"),
    (r"(下午|午後)\s*([0-9]{1,2}(?::[0-9]{2}){1,2})", "${2} PM"),
)


def latest() -> int:
    """The last second of tomorrow; what lies behind it has not happened."""
    return (int(time.time()) // _DAY + 2) * _DAY


def plausible(seconds: pl.Series) -> pl.Series:
    """Which times a shop may have, Boolean; False for nulls."""
    return seconds.is_between(EARLIEST, latest()).fill_null(False)


@dataclass
class Times:
    """Reads a column of times, batch by batch.

    Args:
        form: timestamp_format of the configuration.
        setting: where that is set, as in data.interactions, for messages.
    """

    form: str | None
    setting: str
    _kinds: dict[str, tuple[int, str]] = field(default_factory=dict)

    def read(self, texts: pl.Series) -> tuple[pl.Series, pl.Series]:
        """What can be read of a batch.

        Args:
            texts: String [N].

        Returns:
            (unix seconds Int64 [N], null where a text is empty, cannot be read or has to wait; Boolean [N], the texts
            that have days and months in an order that DayOrder decides).
        """
        plain = plain_times(texts)
        if self.form not in (None, "day_first", "month_first"):
            return _formatted(plain, str(self.form)), pl.repeat(False, len(texts), dtype=pl.Boolean, eager=True)
        seconds = _numbers(plain, self._count)
        for form, zone in (("%Y-%m-%d %H:%M:%S%.f", None), ("%Y-%m-%dT%H:%M:%S%.f%#z", "UTC"), ("%Y-%m-%d", None)):
            seconds = _filled(seconds, plain, lambda some, form=form, zone=zone: _quick(some, form, zone))  # type: ignore[misc]
        for pattern, order, kind in (
            (_YEAR_FIRST, "ymd", ""), (_DAY_NAME, "dmy", "names of months"), (_NAME_DAY, "mdy", "names of months"),
        ):  # fmt: skip
            before = seconds
            seconds = _filled(seconds, plain, lambda some, p=pattern, o=order: by_groups(some, p, o))  # type: ignore[misc]
            if kind:
                self._count(kind, before.is_null() & seconds.is_not_null(), texts)
        waiting = seconds.is_null() & plain.str.contains(YEAR_LAST)
        return seconds, waiting

    def _count(self, kind: str, hits: pl.Series, texts: pl.Series) -> None:
        if hits.any():
            count, shown = self._kinds.get(kind, (0, str(texts.filter(hits)[0])))
            self._kinds[kind] = (count + int(hits.sum()), shown)

    def absorb(self, other: Times) -> None:
        """Takes over what another one counted, of later rows."""
        for kind, (count, shown) in other._kinds.items():
            mine, first = self._kinds.get(kind, (0, shown))
            self._kinds[kind] = (mine + count, first)

    def notes(self) -> list[str]:
        """How times other than ISO and unix times were read, a sentence each without its full stop."""
        return [read_as(kind, count, shown) for kind, (count, shown) in self._kinds.items()]


def read_as(kind: str, count: int, shown: str) -> str:
    """A note, without its full stop, on times of a kind that somebody may have meant otherwise."""
    return f"{count:,} times are read as {kind}, such as {shown!r} (timestamp_format sets it)"


def plausible_share(texts: pl.Series) -> float:
    """The share of some values that are times a shop may have; bare running numbers are none."""
    if not len(texts):
        return 0.0
    running = texts.str.contains(r"^[0-9]{1,7}(?:\.[0-9]+)?$")
    seconds, waiting = Times(None, "").read(texts.set(running, ""))
    return float((plausible(seconds) | waiting).mean() or 0.0)  # type: ignore[arg-type]


def plain_times(texts: pl.Series) -> pl.Series:
    """Times without blanks around them, in ASCII as far as they can be written so."""
    plain = texts.str.strip_chars()
    if plain.str.contains(r"[^\x00-\x7f]").any():
        plain = plain.str.normalize("NFKC").str.replace_all(r"\s+", " ")
        letters = plain.str.contains(r"[\u00c0-\u017f]")  # of months, whose accents tell nothing
        if letters.any():
            plain = plain.str.normalize("NFD").str.replace_all(r"\p{Mn}", "").zip_with(letters, plain)
        for before, after in (*_CHINESE, *_HALVES):
            plain = plain.str.replace_all(before, after)
        plain = plain.str.strip_chars()
    return plain


def _numbers(plain: pl.Series, count: Callable[[str, pl.Series, pl.Series], None]) -> pl.Series:
    """Unix seconds, milli-, micro- and nanoseconds, eight digits that are a date, Excel's day numbers."""
    number = plain.cast(pl.Float64, strict=False)
    if number.null_count() == len(number):
        return pl.Series(plain.name, [None] * len(plain), dtype=pl.Int64)
    size = number.abs()
    frame = pl.DataFrame({"n": number, "size": size})
    unix = frame.select(
        pl.when(~pl.col("n").is_finite()).then(None)
        .when(pl.col("size") < 1e11).then(pl.col("n"))
        .when(pl.col("size") < 1e14).then(pl.col("n") / 1e3)
        .when(pl.col("size") < 1e17).then(pl.col("n") / 1e6)
        .otherwise(pl.col("n") / 1e9).floor().cast(pl.Int64, strict=False).alias("s")
    )["s"]  # fmt: skip
    days = number.is_between(EARLIEST / _DAY + _EXCEL, latest() / _DAY + _EXCEL).fill_null(False)
    if days.any():
        serial = ((number - _EXCEL) * _DAY).round().cast(pl.Int64, strict=False)
        unix = serial.zip_with(days, unix)
        count("Excel's day numbers", days, plain)
    short = plain.str.replace(r"\.0+$", "")
    digits = short.str.contains(_COMPACT)
    if digits.any():
        dates = by_groups(pl.select(pl.when(digits).then(short).alias(plain.name)).to_series(), _COMPACT, "ymd")
        hits = plausible(dates)
        unix = dates.zip_with(hits, unix)
        count("dates of digits alone", hits, plain)
    return unix.rename(plain.name)


def _filled(seconds: pl.Series, plain: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    left = (seconds.is_null() & (plain != "")).arg_true()
    if not len(left):
        return seconds
    return seconds.clone().scatter(left, each_once(plain.gather(left), read))


def each_once(texts: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Reads each different text once: the lines of an order share their time."""
    different = texts.unique()
    table = pl.DataFrame({"text": different, "seconds": read(different)})
    return pl.DataFrame({"text": texts}).join(table, on="text", how="left", maintain_order="left")["seconds"]


def _quick(texts: pl.Series, form: str, zone: str | None) -> pl.Series:
    if zone:
        texts = texts.str.replace(r"\s*(?:Z|UTC)$", "+00:00")
    return texts.str.to_datetime(form, time_unit="ms", strict=False, time_zone=zone).dt.epoch("s")


def _formatted(texts: pl.Series, form: str) -> pl.Series:
    zone = "UTC" if "%z" in form or "%#z" in form else None
    try:
        return texts.str.to_datetime(form, time_unit="ms", strict=False, time_zone=zone).dt.epoch("s")
    except pl.exceptions.PolarsError as error:
        raise DataError(f"timestamp_format {form!r} cannot be used ({str(error).splitlines()[0]}).") from None


def by_groups(texts: pl.Series, pattern: str, order: str) -> pl.Series:
    """Unix seconds of texts whose groups are three parts of a date in this order, a clock's, and a zone."""
    groups = texts.str.extract_groups(pattern).struct.unnest()
    groups.columns = (
        [*order, "h", "mi", "s", "half", "zone"]
        if groups.width == 8
        else [*order, "h", "mi", "s", "zone"][: groups.width]
    )
    if "half" not in groups.columns:
        groups = groups.with_columns(pl.lit(None, pl.String).alias("half"))
    if "zone" not in groups.columns:
        groups = groups.with_columns(pl.lit(None, pl.String).alias("zone"))
    month = pl.col("m")
    if groups["m"].str.contains("[A-Za-z]").any():
        short = pl.col("m").str.to_lowercase().str.replace("^jui(n|l)", "ju$1").str.slice(0, 3)
        month = short.replace_strict({name: str(number) for name, number in _MONTHS.items()}, default=None)
    year = pl.when(pl.col("y").str.len_chars() == 2).then(
        pl.when(pl.col("y").cast(pl.Int32, strict=False) < 70).then("20" + pl.col("y")).otherwise("19" + pl.col("y"))
    ).otherwise("y")  # fmt: skip
    hour = pl.col("h").fill_null("0").cast(pl.Int32, strict=False)
    half = pl.col("half").fill_null("").str.to_lowercase()
    hour = pl.when(half == "p").then(hour % 12 + 12).when(half == "a").then(hour % 12).otherwise(hour)
    iso = pl.format(
        "{}-{}-{} {}:{}:{}", year, month.str.zfill(2), pl.col("d").str.zfill(2), hour.cast(pl.String).str.zfill(2),
        pl.col("mi").fill_null("00"), pl.col("s").fill_null("00"),
    )  # fmt: skip
    digits = pl.col("zone").str.extract(r"([0-9]{2}):?[0-9]{0,2}$").cast(pl.Int64, strict=False)
    minutes = pl.col("zone").str.extract(r"[0-9]{2}:?([0-9]{2})$").cast(pl.Int64, strict=False).fill_null(0)
    offset = (digits * 3600 + minutes * 60) * pl.when(pl.col("zone").str.starts_with("-")).then(-1).otherwise(1)
    seconds = iso.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="ms").dt.epoch("s")
    return groups.select((seconds - offset.fill_null(0)).alias(texts.name))[texts.name]
