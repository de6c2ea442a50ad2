"""Configuration of simulated shoppers: purchases from a collaborative model, searches from a click model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tfrec.config.base import Section


class PurchasesConfig(Section):
    """Baskets that a collaborative model holds plausible, with the popularity, sizes and times of real ones."""

    enabled: bool = Field(True, description="Simulate purchases of a shop that has some.")
    model: Literal["auto", "als", "bpr", "item_item"] = Field(
        "auto", description="als and bpr need the package implicit; auto takes als, or item_item without it."
    )
    factors: int = Field(64, ge=1, description="Size of the model's vectors.")
    iterations: int = Field(15, ge=1, description="Passes of its training (bpr makes ten times as many).")
    regularisation: float = Field(0.05, ge=0, description="Of the model's vectors.")
    neighbours: int = Field(100, ge=1, description="Items that item_item remembers per item.")
    minimum_pairs: int = Field(
        200, ge=1, description="Fewer different pairs of shopper and item teach no model: nothing is simulated."
    )
    thin_share: float = Field(
        0.5, gt=0, le=1, description="Part of the shoppers, those with fewest items, that baskets are simulated for."
    )
    baskets_per_shopper: float = Field(1.0, ge=0, description="Simulated baskets per such shopper, on average.")
    largest_basket: int = Field(50, ge=1, description="Items of a basket that are learned from, at most.")
    temperature: float = Field(
        1.0, gt=0, description="Of the choice, on scores in standard deviations: lower is nearer to the model."
    )
    cold_interactions: int = Field(2, ge=0, description="Items with at most so many purchases are cold.")
    cold_shoppers: int = Field(
        3, ge=0, description="Plausible shoppers simulated per cold item, whose place the encoder's neighbours tell."
    )
    most: int = Field(50000, ge=1, description="At most so many samples of each kind, drawn at random.")


class ClicksConfig(Section):
    """Search sessions of shoppers who look from top to bottom."""

    enabled: bool = Field(True, description="Simulate clicks in a shop that has judgments.")
    model: Literal["position", "cascade"] = Field(
        "position", description="position: places are looked at independently; cascade: until something satisfies."
    )
    sessions: int = Field(50, ge=1, description="Sessions per labelled query.")
    shown: int = Field(20, ge=1, description="Items on the page.")
    shuffling: float = Field(
        1.0, ge=0, description="How far sessions differ in what the page shows, in standard deviations of the score."
    )
    eta: float = Field(1.0, ge=0, description="Place r is looked at with probability (1/r)^eta.")
    noise: float = Field(0.05, ge=0, lt=1, description="Probability of a click on what does not answer.")
    unjudged: float = Field(
        0.3, ge=0, le=1, description="Attractiveness of an unjudged item that scores like the query's answers."
    )
    stop: float = Field(0.7, ge=0, le=1, description="cascade: probability that an attractive click satisfies.")
    minimum: float = Field(
        0.15, ge=0, le=1, description="Least estimated attractiveness that makes a sample of a clicked item."
    )


class BehaviourConfig(Section):
    """Simulated behaviour."""

    purchases: PurchasesConfig = Field(default_factory=lambda: PurchasesConfig())
    clicks: ClicksConfig = Field(default_factory=lambda: ClicksConfig())
