"""Shoppers' ids on reading: replaced by keyed hashes, and left out where `tfrec forget` named them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from tfrec.config import Config
from tfrec.data.report import TableReport
from tfrec.errors import DataError
from tfrec.files import atomic_write, speaking_os_errors

_SALT_BYTES, _HASH_BYTES = 32, 12
_KIND = "rows of shoppers whom `tfrec forget` took out, left out"


@dataclass(frozen=True)
class ShopperIds:
    """What becomes of a table's ids.

    Attributes:
        salt: the shop's own.
        hashed: whether ids are replaced.
        forgotten: hashes of the shoppers whose rows are left out.
    """

    salt: bytes = field(repr=False)
    hashed: bool
    forgotten: frozenset[str] = frozenset()

    def of(self, shopper: str) -> str:
        """The hash of an id, 24 hex digits; "" stays."""
        raw = shopper.encode()
        return hashlib.blake2b(raw, key=self.salt, digest_size=_HASH_BYTES).hexdigest() if raw else ""

    @property
    def state(self) -> str:
        """sha256 (hex) of all that decides what becomes of ids."""
        parts = [hashlib.sha256(self.salt).hexdigest(), str(self.hashed), *sorted(self.forgotten)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def __call__(self, frame: pl.DataFrame, columns: Sequence[str], report: TableReport) -> pl.DataFrame:
        """The rows of those who are not forgotten, with their ids as they are kept.

        Args:
            frame: with String columns.
            columns: those that hold ids, as far as the frame has them.
            report: is told how many rows go.
        """
        columns = [name for name in columns if name in frame.columns]
        hashes = {name: self.hashes(frame[name]) for name in columns}
        gone = pl.Series("", [False] * frame.height)
        for one in hashes.values():
            gone = gone | one.is_in(list(self.forgotten))
        if self.hashed:
            frame = frame.with_columns(hashes.values())
        report.change(_KIND, int(gone.sum()))
        return frame.filter(~gone)

    def hashes(self, ids: pl.Series) -> pl.Series:
        """The hash of each id."""
        known = ids.unique().to_list()
        return ids.replace_strict(known, [self.of(one) for one in known], return_dtype=pl.String)


def shopper_ids(config: Config, table: Literal["search_log", "interactions"]) -> ShopperIds | None:
    """What becomes of a table's ids; None leaves them as they are. The salt is made where there is none.

    Raises:
        DataError: the file of the salt holds none.
        TfrecError: it cannot be written.
    """
    hashed, forgotten = table in config.data.privacy.hash_ids, forgotten_shoppers(config)
    return ShopperIds(_salt(config), hashed, forgotten) if hashed or forgotten else None


def one_form(config: Config, log: pl.Series, interactions: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Ids of both tables so that a shopper has the same one in both: hashed where either table's are, by the one salt.

    Args:
        config: the whole configuration.
        log: ids as the prepared search log has them.
        interactions: ids as the prepared interactions have them.
    """
    hashed = config.data.privacy.hash_ids
    if ("search_log" in hashed) == ("interactions" in hashed):
        return log, interactions
    ids = ShopperIds(_salt(config), True)
    return (log, ids.hashes(interactions)) if "search_log" in hashed else (ids.hashes(log), interactions)


def forgotten_file(config: Config) -> Path:
    """Where the hashes of forgotten shoppers are."""
    path = _salt_file(config)
    return path.with_name(f"{path.name}.forgotten")


def forgotten_shoppers(config: Config) -> frozenset[str]:
    """The hashes of the shoppers to leave out."""
    file = forgotten_file(config)
    return frozenset(file.read_text("utf-8").split()) if file.is_file() else frozenset()


def forget_shoppers(config: Config, shoppers: Iterable[str]) -> ShopperIds:
    """Adds shoppers to those that are left out from now on; only their hashes are kept.

    Returns:
        the hashing that knows them.
    """
    ids = ShopperIds(_salt(config), True)
    forgotten = forgotten_shoppers(config) | {ids.of(one) for one in shoppers}
    atomic_write(forgotten_file(config), "".join(f"{one}\n" for one in sorted(forgotten)))
    return ShopperIds(ids.salt, True, forgotten)


def _salt_file(config: Config) -> Path:
    return Path(config.runs_dir) / config.data.privacy.salt_file


def _salt(config: Config) -> bytes:
    path = _salt_file(config)
    with speaking_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f".{path.name}.{os.getpid()}")
        if not path.exists():
            handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.write(handle, os.urandom(_SALT_BYTES).hex().encode() + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
            try:
                os.link(made, path)  # whole or not at all, and never over one that another command has just made
            except FileExistsError:
                pass
            finally:
                os.unlink(made)
        text = path.read_text("utf-8", errors="replace").strip()
    try:
        salt = bytes.fromhex(text)
    except ValueError:
        salt = b""
    if not 16 <= len(salt) <= 64:
        raise DataError(
            f"{path} holds no salt (32 to 128 hex digits): put it back from a backup, or delete it to begin with a new "
            "one, to which every shopper is a new one."
        )
    return salt
