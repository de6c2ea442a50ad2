"""Configuration of a search log: where it is, what its actions mean, who is left out, and how clicks become labels."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from tfrec.config.base import Section
from tfrec.config.rows import RowsConfig

Action = Literal["search", "shown", "click", "cart", "purchase", "ignore"]
Kind = Literal["auto", "ubi", "ga4", "table"]


class VisitorsConfig(Section):
    """Who is no shopper. Their rows are counted and leave no other trace."""

    leave_out: list[str] = Field(
        default_factory=list,
        description="Ids of users, visitors or sessions to leave out, such as the shop's own staff; an entry between "
        "slashes is a regular expression that an id must match fully: /staff-.*/.",
    )
    agents: str = Field(
        r"(?i)bot\b|crawl|spider|headless|python-requests|curl/|monitor",
        description="Regular expression; whoever's browser it is found in is left out. Empty leaves nobody out.",
    )
    max_searches_a_minute: int = Field(30, ge=1, description="Who ever searches more often than this is a machine.")
    max_searches_a_day: int = Field(500, ge=1, description="Likewise, on one day (UTC).")
    max_clicks_a_search: float = Field(
        20, gt=0, description="Who clicks on more items than this per search, on average over 10 or more, is left out."
    )


class LogLabelsConfig(Section):
    """How impressions and clicks become gains with a weight."""

    model: Literal["auto", "ctr", "coec", "pbm", "cascade", "dbn"] = Field(
        "auto",
        description="Click model: ctr (naive), coec (clicks over expected clicks), pbm (position-based), cascade, dbn "
        "(dynamic Bayesian network). auto takes the one that predicts held-out clicks best.",
    )
    actions: dict[Literal["click", "cart", "purchase"], Annotated[float, Field(ge=0)]] = Field(
        {"click": 1.0, "cart": 3.0, "purchase": 5.0},
        description="What each action is worth in a gain.",
    )
    half_life_days: float | None = Field(
        180, gt=0, description="Age, before the newest search, at which a search counts half; null = all count alike."
    )
    min_searches: int = Field(3, ge=1, description="Queries that were searched less often give no labels.")
    min_confidence: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Pairs give no label below this share of their estimate that comes from their own impressions.",
    )
    skipped_gain: float = Field(
        0.15,
        ge=0,
        lt=1,
        description="Items below this gain were looked at and left alone: hard negatives of their query, from a "
        "confidence of one half on. Less sure ones give no label.",
    )
    frequency_power: float = Field(
        0.3,
        ge=0,
        le=1,
        description="A query's labels weigh by how often it is searched, to this power: 0 all queries alike, 1 by "
        "their share of searches.",
    )
    max_depth: int = Field(50, ge=1, le=500, description="Places of a list that are read; deeper ones are left out.")


class SearchLogConfig(RowsConfig):
    """A search log. format: ubi (User Behavior Insights), ga4 (Google Analytics' BigQuery export) or any table.

    A table needs query, item_id, action and timestamp; query_id, position, user_id, visitor_id, session_id, amount,
    results, agent, experiment and variant are known. Each row is a search (item_id empty), an item that was shown, or
    an action on one.
    """

    kind: Kind = Field(
        "auto", description="What the rows are; may be given as format, too. auto takes it from their columns."
    )
    actions: dict[str, Action] = Field(
        default_factory=dict,
        description="What the log's names of actions mean, as in {view: shown, add2cart: cart, hover: ignore}; common "
        "names are known.",
    )
    lists: str | None = Field(
        r"(?i)search|result|such|recherche|b[uú]squeda|ricerca|搜索|搜寻|搜尋|検索",
        description="GA4: regular expression that the name of a list is searched for, to be one of search results; a "
        "list without a name is one. null takes all.",
    )
    session_minutes: float = Field(
        30, gt=0, description="Without a session id, a pause longer than this ends a visitor's session."
    )
    attribution_minutes: float = Field(
        60,
        gt=0,
        description="An action without a query id belongs to the visitor's latest search that showed the item, unless "
        "that is longer ago.",
    )
    typing_seconds: float = Field(
        3,
        ge=0,
        description="A search on which nothing is done, and which the session's next one continues letter by letter "
        "(g, go, gold) within this time, is a step of typing and left out; 0 takes all for searches.",
    )
    visitors: VisitorsConfig = Field(default_factory=lambda: VisitorsConfig())
    labels: LogLabelsConfig = Field(default_factory=lambda: LogLabelsConfig())

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """format may say what the rows are."""
        if isinstance(value, dict) and value.get("format") in get_args(Kind)[1:] and "kind" not in value:
            value = {**value, "kind": value["format"]}
            del value["format"]
        return super().spelled_out(value)
