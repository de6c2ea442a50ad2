"""Configuration of a table's rows: its files, its layout, what is joined to it, long forms made wide."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import Field

from tfrec.config.base import Section
from tfrec.config.files import FileFormat, TableConfig


class PivotConfig(Section):
    """A long table (item, property, value) turned into one row per item, whose columns are the properties."""

    id: str = Field(description="Column of the item.")
    name: str = Field(description="Column of the property's name.")
    value: str = Field(description="Column of the property's value.")
    time: str | None = Field(None, description="Column of the time: the latest value counts; null takes the last row.")


class RowsConfig(TableConfig):
    """A table with its joins. Each row is one of path's, whatever is joined to it."""

    layout: str | None = Field(
        None,
        description="Layout that this table has, as in format: shopify, or a YAML file of your own (relative to "
        "data.root); columns named here come first.",
    )
    pivot: PivotConfig | None = Field(None, description="The table is long: rows of item, property and value.")
    join: list[JoinConfig] = Field(
        default_factory=list, description="Tables that hold further columns of each row, one mapping or a list."
    )

    @classmethod
    def spelled_out(cls, value: Any) -> Any:
        """A layout's name may stand as format; one join may stand without a list around it."""
        value = super().spelled_out(value)
        if isinstance(value, dict):
            value = dict(value)
            if (
                isinstance(value.get("format"), str)
                and value["format"] not in get_args(FileFormat)
                and "layout" not in value
            ):
                value["layout"] = value.pop("format")
            if isinstance(value.get("join"), dict):
                value["join"] = [value["join"]]
        return value


class JoinConfig(RowsConfig):
    """A table that is looked up. Its columns are added to the rows of the table that it is joined to."""

    on: str | dict[str, str] = Field(
        description="Column of both tables, or {this table's: the joined one's}. A row without partner keeps its own."
    )


RowsConfig.model_rebuild()
