"""Configuration of what happens to a shop's tables: cleaning, the held-out part, the demo shop in their place."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tfrec.config.base import Section


class CleaningConfig(Section):
    """What is repaired on reading. Everything that changes or goes is counted in data/report.json."""

    mojibake: bool = Field(
        True, description="Mend UTF-8 that was read as another encoding before it came here: donâ€™t becomes don’t."
    )
    html: bool = Field(True, description="Decode HTML entities and remove tags.")
    nfkc: bool = Field(True, description="Unicode NFKC: full-width letters, ligatures and compatibility forms.")
    whitespace: bool = Field(True, description="Collapse white space and control characters, trim the ends.")
    duplicate_products: bool = Field(
        False, description="Merge products whose every text field is equal into the first of them."
    )
    strict: bool = Field(
        False, description="Stop at the first file with faulty rows; else such rows are dropped, counted and listed."
    )
    max_faulty_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Stop when more than this share of a file's rows is faulty: the mapping is probably wrong.",
    )


class SplitConfig(Section):
    """How the evaluated part is held out. Searches are split by query, interactions by time."""

    few_queries: int = Field(
        300,
        ge=0,
        description="With fewer labelled queries (beside test) none is held out as dev, whatever a split column says: "
        "all of them choose how the catalogue is ranked, by folds, and are what the reported estimate is made on. The "
        "towers learn from purchases and made queries, or else for a few steps from these (training.few_labels). 0 "
        "always holds dev out, and trains on the others.",
    )
    dev_share: float = Field(
        0.1, ge=0, lt=1, description="Share of the queries held out as dev, unless a split column says."
    )
    test_share: float = Field(0.0, ge=0, lt=1, description="Share of the queries held out as test.")
    max_queries: int = Field(500, ge=1, description="At most so many queries in dev, and in test.")
    train_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the training queries that is used, at least one: shows what more labels are worth. A "
        "larger share holds the smaller ones. 0 uses none: a shop without labels.",
    )
    dev_days: float = Field(
        30,
        ge=0,
        description="Interactions of the last so many days (before the test days) are dev, and so are a search log's "
        "searches of known shoppers; its labels come from before.",
    )
    test_days: float = Field(0, ge=0, description="Interactions of the last so many days are test.")


class DemoConfig(Section):
    """The demo shop that tfrec generates when no files are given."""

    language: Literal["en", "zh"] = Field("en", description="English or Chinese.")
    items: int = Field(3000, ge=200, description="Products.")
    queries: int = Field(1500, ge=20, description="Distinct queries with judgments.")
    shoppers: int = Field(2000, ge=0, description="Shoppers with purchases.")
    relations: bool = Field(
        False, description="Also write which items are substitutes, go with each other or are of a series."
    )
    log: int = Field(
        0,
        ge=0,
        description="Searches in a log of the shop (User Behavior Insights), half of its queries judged by nobody; 0 "
        "writes none.",
    )
    taste: float = Field(
        0.0,
        ge=0,
        le=2,
        description="How much clicks in the log follow each shopper's own taste, by which they buy, too (their odds "
        "are multiplied by exp(taste * liking)); 0 lets all shoppers like the same.",
    )
