"""Rules from their file, checked against the catalogue."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml
from pydantic import Field, model_validator
from typing_extensions import Self

from tfrec.config import Config
from tfrec.config.base import Section
from tfrec.data.shop import ShopData
from tfrec.errors import ConfigError
from tfrec.retrieval.filters import ColumnFilters, filter_columns
from tfrec.retrieval.prior import numeric_column, standardised
from tfrec.tensorflow_setup import tf


class When(Section):
    """Which queries a rule is for."""

    query: str | None = Field(None, description="The whole query, in any case and punctuation.")
    contains: str | None = Field(None, description="Words that stand in it, one behind the other.")


class Rule(Section):
    """One rule: what happens to which items for which queries."""

    name: str = Field("", description="What messages call it.")
    when: When | None = Field(None, description="Only for these queries; null = for all requests.")
    items: list[str] = Field(default_factory=list, description="Item ids.")
    where: list[str] = Field(default_factory=list, description="Conditions on columns, such as brand=Acme, price<=50.")
    boost: float | None = Field(None, description="Deviations of a request's scores to add; below 0 lowers.")
    bury: bool = Field(False, description="Behind all other items.")
    pin: list[str] = Field(default_factory=list, description="Item ids that come first, in this order.")
    first: str | None = Field(None, description="Column: items whose number in it is above 0 come before all others.")
    weigh: dict[str, float] = Field(default_factory=dict, description="Numeric column (margin): deviations to add.")

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        effects = (self.boost is not None, self.bury, bool(self.pin), self.first is not None, bool(self.weigh))
        if sum(effects) != 1:
            raise ValueError("a rule has exactly one of boost, bury, pin, first and weigh")
        chosen = bool(self.items or self.where)
        if chosen != (self.boost is not None or self.bury):
            raise ValueError("boost and bury need items or where, and the others take neither")
        if self.when is not None and (self.when.query is None) == (self.when.contains is None):
            raise ValueError("when needs either query or contains")
        if self.when is not None and not re.search(r"\w", f"{self.when.query or ''}{self.when.contains or ''}"):
            raise ValueError("when needs a word")
        return self


class RuleFile(Section):
    """A file of rules."""

    rules: list[Rule] = Field(description="Of all that hold for a request, boosts add up.")


@dataclass(frozen=True)
class ReadRules:
    """Rules as numbers of items.

    Attributes:
        rules: R of them.
        amounts: what each adds to items, float32 [R, N]: deviations for boost and weigh, 1 for what bury and first put
            behind, and for pin the place from the end.
        notes: sentences on what rules could not do.
    """

    rules: list[Rule]
    amounts: list[np.ndarray] = field(repr=False)
    notes: list[str]


def rules_digest(config: Config) -> str:
    """sha256 (hex) of the file of rules; "" for none."""
    return "" if config.rules.file is None else hashlib.sha256(_path(config).read_bytes()).hexdigest()


def read_rules(config: Config, shop: ShopData) -> ReadRules | None:
    """Reads the rules of a configuration; None for none.

    Raises:
        ConfigError: the file cannot be read, holds something else, or names a column that is not there.
    """
    if config.rules.file is None:
        return None
    path = _path(config)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        rules = RuleFile.model_validate(tree).rules
    except (yaml.YAMLError, UnicodeDecodeError, ConfigError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from None
    row_of = {item_id: row for row, item_id in enumerate(shop.item_ids)}
    amounts, notes = [], []
    for number, rule in enumerate(rules, 1):
        name = f"rule {number}" + (f" ({rule.name})" if rule.name else "")
        unknown = [item for item in [*rule.items, *rule.pin] if item not in row_of]
        if unknown:
            notes.append(
                f"{name} names {len(unknown)} items that the catalogue does not have: {', '.join(unknown[:5])}"
            )
        try:
            values = _amounts(rule, shop, row_of)
        except (ConfigError, tf.errors.InvalidArgumentError) as error:
            told = str(getattr(error, "message", error)).removeprefix("retrieval.filters: ")
            raise ConfigError(f"{path}: {name}: {' '.join(told.split())[:300]}") from None
        if not values.any():
            notes.append(f"{name} changes no item of the catalogue")
        amounts.append(values)
    return ReadRules(rules, amounts, notes)


def _path(config: Config) -> Path:
    path = Path(config.data.root or ".") / str(config.rules.file)
    if not path.is_file():
        raise ConfigError(f"rules.file: {path} is not there.")
    return path


def _amounts(rule: Rule, shop: ShopData, row_of: dict[str, int]) -> np.ndarray:
    values = np.zeros(shop.size, np.float32)
    if rule.pin:
        rows = [row_of[item] for item in rule.pin if item in row_of]
        values[rows] = np.arange(len(rows), 0, -1)
    elif rule.first is not None:
        held = numeric_column(filter_columns(shop.items, [rule.first])[rule.first])
        if not np.isfinite(held).any():
            raise ConfigError(f"no item has a number in the column {rule.first!r}")
        values[~(held > 0)] = 1
    elif rule.weigh:
        for column, weight in rule.weigh.items():
            values += weight * standardised(numeric_column(filter_columns(shop.items, [column])[column]))
    else:
        chosen = np.zeros(shop.size, bool)
        chosen[[row_of[item] for item in rule.items if item in row_of]] = True
        if rule.where:
            names = [condition.split("<")[0].split(">")[0].split("=")[0].strip() for condition in rule.where]
            columns = ColumnFilters(filter_columns(shop.items, list(dict.fromkeys(names))), shop.size)
            chosen |= columns(tf.constant([rule.where])).numpy()[0]
        values[chosen] = 1.0 if rule.boost is None else rule.boost
    return values
