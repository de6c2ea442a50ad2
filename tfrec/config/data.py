"""Configuration of a shop's data: its tables, their cleaning, their split, and the examples made of them."""

from __future__ import annotations

import os

from pydantic import Field, field_validator, model_validator

from tfrec.config.base import Section
from tfrec.config.files import FileConfig
from tfrec.config.preparation import CleaningConfig, DemoConfig, SplitConfig
from tfrec.config.privacy import PrivacyConfig
from tfrec.config.search_log import SearchLogConfig
from tfrec.config.shop_tables import InteractionsConfig, ItemsConfig, RelationsConfig, SearchesConfig


class DataConfig(Section):
    """A shop's files, their cleaning and their split."""

    root: str = Field(
        ".",
        description="Folder that the paths below are relative to; itself relative to this file (--set: to the working "
        "directory); ~ is yours.",
    )
    demo: DemoConfig | None = Field(
        None, description="Generate the demo shop and use it as items, searches, interactions."
    )
    format: str | None = Field(
        None,
        description="Layout of the files in root, from which all tables that are not given below are taken: shopify, "
        "woocommerce, movielens ... (`tfrec init` lists them), or a YAML file of your own, relative to root.",
    )
    items: ItemsConfig | None = Field(None, description="The catalogue.")
    searches: SearchesConfig | None = Field(None, description="Searches with the items that answer them.")
    interactions: InteractionsConfig | None = Field(None, description="What shoppers bought or clicked.")
    relations: RelationsConfig | None = Field(
        None,
        description="What belongs together: accessories, substitutes, series. Similar items are given by kind of "
        "relation, and the ranker of recommendations reads how candidates are related to the history.",
    )
    search_log: SearchLogConfig | None = Field(
        None,
        description="What was searched, shown, clicked and bought: a click model makes labels of it for training. "
        "Queries that data.searches judges are left to those judgments.",
    )
    privacy: PrivacyConfig = Field(default_factory=lambda: PrivacyConfig())
    template: str = Field(
        "{brand} {title}",
        description="Text that stands for an item; {name} is a column of items, empty when the shop has none.",
    )
    cleaning: CleaningConfig = Field(default_factory=lambda: CleaningConfig())
    split: SplitConfig = Field(default_factory=lambda: SplitConfig())
    history_length: int = Field(
        20, ge=1, le=500, description="Most recent items of a shopper that the query tower sees."
    )
    max_examples_per_user: int = Field(
        50,
        ge=1,
        description="Latest purchases of one shopper used as training examples: wholesalers must not drown the rest.",
    )
    example_half_life_days: float | None = Field(
        None,
        gt=0,
        description="Age, before the newest purchase, at which a purchase weighs half as training example; null = all "
        "weigh alike. For shops whose assortment changes with the season.",
    )
    negatives_per_query: int = Field(32, ge=0, description="Judged non-relevant items kept with each search example.")

    @field_validator("root")
    @classmethod
    def _home(cls, value: str) -> str:
        return os.path.expanduser(value)

    @field_validator("template")
    @classmethod
    def _template_has_a_field(cls, value: str) -> str:
        import string

        try:
            fields = [name for _, name, _, _ in string.Formatter().parse(value) if name is not None]
        except ValueError as error:
            raise ValueError(f"the template {value!r} is not well formed ({error})") from error
        if not fields or not all(name.isidentifier() for name in fields):
            raise ValueError("the template needs at least one {column} and only plain column names")
        return value

    @model_validator(mode="after")
    def _splits_of_searches_alone(self) -> DataConfig:
        for name in ("items", "interactions", "search_log", "relations"):
            table = getattr(self, name)
            paths = table.path if table is not None and isinstance(table.path, list) else []
            if any(isinstance(entry, FileConfig) and entry.split for entry in paths):
                raise ValueError(
                    f"a file of {name} has no split: interactions are split by time, searches alone by file"
                )
        return self

    @model_validator(mode="after")
    def _some_data(self) -> DataConfig:
        if self.demo is None and self.items is None and self.format is None:
            raise ValueError(
                "give data.items (best with data.searches or data.interactions), data.format, or data.demo"
            )
        return self
