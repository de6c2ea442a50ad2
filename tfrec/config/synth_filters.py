"""Configuration of the checks that made samples must pass."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tfrec.config.base import Section

Scorer = Literal["dense", "lexical", "hybrid"]


class LanguageConfig(Section):
    """Queries must be written as this shop's customers write."""

    enabled: bool = Field(True, description="Whether to check the script and the words of a query.")
    script_share: float = Field(
        0.005,
        ge=0,
        le=1,
        description="A script is the shop's own when it holds this share of the letters of its items and queries.",
    )
    known_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="At least this share of a query's words stands in the shop's items or train queries, "
        "or is one typing error away from a word there.",
    )


class LengthConfig(Section):
    """Queries must be neither too short nor too long."""

    enabled: bool = Field(True, description="Whether to check the length of a query.")
    characters: tuple[int, int] = Field((2, 80), description="Fewest and most letters and digits.")
    words: tuple[int, int] = Field(
        (1, 12), description="Fewest and most words; two characters of a script without spaces are a word."
    )

    @model_validator(mode="after")
    def _ordered(self) -> LengthConfig:
        for name in ("characters", "words"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ValueError(f"{name} must be [fewest, most] with 0 <= fewest <= most, not [{low}, {high}]")
        return self


class NearDuplicatesConfig(Section):
    """Of several queries that are nearly the same and ask for the same item, one is kept."""

    enabled: bool = Field(True, description="Whether to look for near-duplicates.")
    similarity: float = Field(0.8, gt=0.5, le=1, description="Jaccard similarity of the character pairs, at least.")
    hashes: int = Field(64, ge=8, le=512, description="MinHash values per query; a multiple of band.")
    band: int = Field(4, ge=1, le=16, description="Hash values that must agree for a pair to be compared.")

    @model_validator(mode="after")
    def _whole_bands(self) -> NearDuplicatesConfig:
        if self.hashes % self.band:
            raise ValueError(f"hashes ({self.hashes}) must be a multiple of band ({self.band})")
        return self


class GuardConfig(Section):
    """No query of dev or test, nor a near-copy of one, is ever trained on. There is no switch for this check."""

    words: float = Field(
        0.8,
        ge=0.5,
        le=0.9,
        description="Jaccard similarity of the sets of words (function words and plurals aside) from which on a query "
        "is a near-copy.",
    )
    characters: float = Field(
        0.75, ge=0.5, le=0.9, description="Jaccard similarity of character pairs from which on a query is a near-copy."
    )


class RoundTripConfig(Section):
    """A query must lead back to the item that it was made from."""

    enabled: bool = Field(True, description="Whether to search with every query.")
    scorers: list[Scorer] = Field(
        ["hybrid"],
        min_length=1,
        description="Who searches: dense = the teacher's vectors, lexical = BM25, hybrid = the sum of both z-scores.",
    )
    agree: Literal["all", "any"] = Field("all", description="Whether all scorers must find the item, or one of them.")
    top: int = Field(20, ge=1, description="The item must be among that many best; equal scores count half.")
    exempt: list[str] = Field(
        ["expansion"],
        description="Further sources that are not checked so; expansion and behaviour, whose items are labels of their "
        "own, never are.",
    )


class SecondOpinionConfig(Section):
    """Another scorer of (query, item text) must find the pair good enough."""

    enabled: bool = Field(False, description="Whether to ask it.")
    least: float = Field(
        -2.0,
        description="Least score. Without a scorer of one's own (`tfrec.train(config, second_opinion=...)`) it is the "
        "hybrid teacher's margin: the item's z-score sum minus the best item's, so 0 says: found first.",
    )


class CapsConfig(Section):
    """No item and no category may fill the training data; the samples with the best confidence stay."""

    per_item: int | None = Field(20, ge=1, description="Most search samples of one item; null: no cap.")
    per_category: int | None = Field(None, ge=1, description="Most search samples of one category; null: no cap.")
    category_column: str = Field("category", description="Column of the items that per_category counts by.")


class FiltersConfig(Section):
    """What made search samples are checked for, in this order. Recommendation samples pass unread."""

    enabled: bool = Field(
        True, description="false leaves only the guard of the evaluated queries, which always stands."
    )
    untouched: list[str] = Field(
        ["catalogue"],
        description="Sources that only meet the guard. Queries cut from the catalogue are labelled by the teacher "
        "without regard to the item they were cut from, so nothing has to lead back there.",
    )
    language: LanguageConfig = Field(default_factory=lambda: LanguageConfig())
    length: LengthConfig = Field(default_factory=lambda: LengthConfig())
    guard: GuardConfig = Field(default_factory=lambda: GuardConfig())
    near_duplicates: NearDuplicatesConfig = Field(default_factory=lambda: NearDuplicatesConfig())
    round_trip: RoundTripConfig = Field(default_factory=lambda: RoundTripConfig())
    second_opinion: SecondOpinionConfig = Field(default_factory=lambda: SecondOpinionConfig())
    caps: CapsConfig = Field(default_factory=lambda: CapsConfig())
    examples: int = Field(5, ge=0, description="Dropped samples shown per check in the report.")
