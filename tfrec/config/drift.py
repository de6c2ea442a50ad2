"""Configuration of what is watched between versions: drift, which is told, and incoming tables, which are refused."""

from __future__ import annotations

from pydantic import Field

from tfrec.config.base import Section


class DriftConfig(Section):
    """When a difference between the data as it is now and what the served version was made of is an alert.

    An alert needs more than the bound and more than chance explains. Nothing is refused for it, and nothing here makes
    a trained model or an export stale.
    """

    psi: float = Field(
        0.25,
        gt=0,
        description="Population stability index, over the bins of the version's own data. Usual reading: below 0.1 "
        "alike, above 0.25 different.",
    )
    unknown_words: float = Field(
        0.1, ge=0, le=1, description="Share of words that the version has never seen, above the share that is usual."
    )
    unknown_items: float = Field(
        0.2, ge=0, le=1, description="Share of items, and of purchases, that the version's catalogue lacks."
    )
    distance: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Energy distance between vectors of then and now, both of the served version's encoder, as a share "
        "of their mean distance (0 = one distribution, 1 = each at one other point).",
    )
    least: int = Field(50, ge=20, description="Queries, items or purchases from which anything is told.")
    chance: float = Field(
        0.001, gt=0, lt=0.5, description="An alert must be less probable than this where nothing has changed."
    )


class ChecksConfig(Section):
    """Incoming tables beside those that trained the version before: what differs by more is refused before training.

    `tfrec update` and `tfrec refresh` look; a first training has nothing to compare with. Nothing here makes a trained
    model or an export stale.
    """

    enabled: bool = Field(True, description="false trains on whatever can be read.")
    most_rows_lost: float = Field(0.3, ge=0, le=1, description="Share of a table's rows that may be missing.")
    most_rows_grown: float = Field(4.0, ge=1, description="Rows of a table, divided by those before.")
    most_left_out: float = Field(
        0.1, ge=0, le=1, description="Rise of the share of a table's rows that reading leaves out."
    )
    most_emptied: float = Field(0.2, ge=0, le=1, description="Rise of the share of rows without a value in a column.")
    most_outside: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Share of a column's numbers that lie beyond the range of the middle 98 % of those before.",
    )
    most_moved: float = Field(
        0.4,
        ge=0,
        le=1,
        description="Share of rows that would need another value to have the shares of before, in a column of few "
        "values (half the sum of all differences of shares).",
    )
    most_days_back: float = Field(
        1.0, ge=0, description="Days by which the newest purchase may be older than the newest of before."
    )
    accept: list[str] = Field(
        [],
        description='What may differ all the same: "items.price" for a column, "items" for a table, "all". Meant for '
        "one run, by --set; the data that is accepted is what the next run compares with.",
    )
