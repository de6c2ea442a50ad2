"""From a layout's name in the configuration to plain tables: which file is which, which column is what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfrec.config.data import DataConfig
from tfrec.config.rows import RowsConfig
from tfrec.config.shop_tables import InteractionsConfig, ItemsConfig, SearchesConfig
from tfrec.data.layouts.headers import columns_of, data_files
from tfrec.data.layouts.layout import TABLES, Layout, layout_named
from tfrec.data.layouts.settings import fits, keys_spelled, settings_of
from tfrec.data.tables.files import files_of
from tfrec.errors import ConfigError, DataError

_KINDS: dict[str, type[RowsConfig]] = {
    "items": ItemsConfig, "searches": SearchesConfig, "interactions": InteractionsConfig,
}  # fmt: skip


def resolved(data: DataConfig, root: Path) -> DataConfig:
    """A shop's section data with every layout replaced by the settings that it stands for.

    Args:
        data: as configured; returned as it is when it names no layout.
        root: the folder that paths are relative to.

    Returns:
        the same with explicit tables; what the user gave for a table comes first.

    Raises:
        ConfigError: there is no such layout.
        DataError: the files are not of that layout.
    """
    changes: dict[str, Any] = {}
    headers: dict[Path, list[str]] | None = None
    for name in TABLES:
        table: RowsConfig | None = getattr(data, name)
        if table is not None and table.layout is not None:
            changes[name] = _one_table(name, table, root)
    if data.format is not None:
        layout = layout_named(data.format, root)
        headers = {path: columns_of(path) for path in data_files(root)}
        found = tables_of(layout, headers, root)
        if not found:
            names = ", ".join(path.name for path in headers) or "no file"
            raise DataError(
                f"{root} holds {names}, none of them in the layout {layout.name} ({layout.about}): run "
                f"`tfrec init {root}` to see what they look like."
            )
        for name, settings in found.items():
            if getattr(data, name) is None:
                changes[name] = _KINDS[name].model_validate(settings)
        if "items" not in {*found} and data.items is None:
            raise DataError(
                f"{root} holds no catalogue in the layout {layout.name}: add its file, or name it in data.items."
            )
        changes["format"] = None
    return data.model_copy(update=changes) if changes else data


def with_items(data: DataConfig, path: str) -> DataConfig:
    """The section with another file of items, in the same format or layout.

    Args:
        data: as configured.
        path: the file, relative to data.root.

    Raises:
        ConfigError: the shop is a generated one.
    """
    if data.demo is not None:
        raise ConfigError("--items is about a shop with files; the demo shop's are generated.")
    section = data.items or ItemsConfig.model_validate({"path": path, "layout": data.format})
    return data.model_copy(update={"items": section.model_copy(update={"path": path})})


def every_file(table: RowsConfig, root: Path) -> list[Path]:
    """The files of a table and of all that is joined to it.

    Raises:
        DataError: one is missing.
    """
    found = files_of(table, root)
    for join in table.join:
        found += every_file(join, root)
    return list(dict.fromkeys(found))


def _one_table(name: str, table: RowsConfig, root: Path) -> RowsConfig:
    assert table.layout is not None
    layout = layout_named(table.layout, root)
    paths = files_of(table, root)
    headers = {path: columns_of(path) for path in data_files(root, also=paths)}
    for alternative in layout.tables.get(name, []):
        if all(fits(alternative, path, headers[path]) for path in paths):
            settings = _with_joins(alternative, paths[0], headers, root)
            if settings is not None:
                given = table.model_dump(exclude_unset=True, exclude={"layout"})
                columns = {**settings.get("columns", {}), **given.pop("columns", {})}
                return type(table).model_validate({**settings, **given, "columns": columns})
    raise DataError(
        f"{paths[0]} is not in the layout {layout.name} ({layout.about}): it has the columns "
        f"{', '.join(headers[paths[0]])}. Leave format out and name data.{name}.columns."
    )


def tables_of(
    layout: Layout, headers: Mapping[Path, list[str]], root: Path, filled: Mapping[Path, set[str]] | None = None
) -> dict[str, dict[str, Any]]:
    """The tables of a layout that a folder's files make.

    Args:
        layout: the layout.
        headers: the columns of every file of the folder.
        root: the folder, which the paths in the result are relative to.
        filled: the columns of every file that have a value, where that is known: of several they come first.

    Returns:
        items, searches, interactions -> settings as the configuration has them; only those that are there.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, alternatives in layout.tables.items():
        for alternative in alternatives:
            paths = [path for path, columns in headers.items() if fits(alternative, path, columns)]
            if not paths:
                continue
            settings = _with_joins(alternative, paths[0], headers, root, filled)
            if settings is not None:
                relative = [path.relative_to(root).as_posix() for path in paths]
                found[name] = {"path": relative[0] if len(relative) == 1 else relative, **settings}
                break
    return found


def _with_joins(
    alternative: Mapping[str, Any],
    path: Path,
    headers: Mapping[Path, list[str]],
    root: Path,
    filled: Mapping[Path, set[str]] | None = None,
) -> dict[str, Any] | None:
    """The settings with the files of the joins; None where a join that is needed has none."""
    settings = settings_of(alternative, headers[path], None if filled is None else filled[path])
    joins = []
    for join in alternative.get("join", []):
        partner = path if join.get("same") else _partner(join, path, headers)
        if partner is None:
            if join.get("optional"):
                continue
            return None
        inner = _with_joins(join, partner, headers, root, filled)
        if inner is None:
            return None
        inner["on"] = keys_spelled(inner["on"], headers[path], headers[partner])
        joins.append({"path": _relative(partner, root), **inner})
    return {**settings, "join": joins} if joins else settings


def _partner(join: Mapping[str, Any], path: Path, headers: Mapping[Path, list[str]]) -> Path | None:
    return next((other for other, columns in headers.items() if other != path and fits(join, other, columns)), None)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
