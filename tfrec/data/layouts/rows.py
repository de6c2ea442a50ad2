"""The rows of a table with all that belongs to them: joined columns, computed columns, long forms made wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from tfrec.config.rows import JoinConfig, RowsConfig
from tfrec.data.layouts.computed import computed, fields_of, is_computed
from tfrec.data.layouts.joins import Lookup, joined_columns, keys_of
from tfrec.data.layouts.pivot import pivoted
from tfrec.data.tables.files import files_of
from tfrec.data.tables.read import Batch, read_table

_OWN = "_of_"  # begins the names of columns that are only read to make others


def read_rows(
    table: RowsConfig,
    root: Path,
    required: Sequence[str],
    optional: Sequence[str],
    section: str,
    further: bool = False,
    raw: Sequence[str] = (),
    most: int | None = None,
) -> Iterator[Batch]:
    """Reads a table as `read_table` does, with what is joined to it.

    Args:
        table: path, settings, joins.
        root: folder that paths are relative to.
        required: columns, by tfrec's names, without which the table is useless; joins may give them.
        optional: columns that are taken when there.
        section: name of the table in the configuration, for messages.
        further: also take every other column that may hold text, under the file's own name.
        raw: columns of the file that are read too, under `_raw_` and their own name.
        most: rows after which reading stops, where not all are wanted.

    Yields:
        batches; String columns without nulls and `_row`.

    Raises:
        DataError: see `read_table`; also of joined tables.
    """
    if table.pivot is not None:
        yield from pivoted(table, root, required, optional, section, further)
        return
    lookups = [_lookup(join, root, f"{section}.join") for join in table.join]
    joined = {name for lookup in lookups for name in lookup.columns}
    templates = {name: of for name, of in table.columns.items() if is_computed(of)}
    places = {field: f"{_OWN}{field}" for of in templates.values() if of for field in fields_of(of)}
    places |= {key: f"{_OWN}{key}" for lookup in lookups for key in keys_of(lookup.on)}
    keys = {key for lookup in lookups for key in keys_of(lookup.on)}
    from_joins = {field: field for field in places if field in joined and field not in keys}
    own = {field: place for field, place in places.items() if field not in from_joins}
    kept = {f"_raw_{name}": name for name in raw}
    made = {*joined, *templates}
    plain = {name: of for name, of in table.columns.items() if name not in made}
    inner = table.model_copy(update={"columns": plain | {place: field for field, place in own.items()} | kept})
    wanted = [*(name for name in required if name not in made), *own.values(), *kept]
    others = [name for name in optional if name not in made]
    read = 0
    for batch in read_table(inner, root, wanted, others, section, further):
        read += batch.rows
        if batch.frame.width:
            frame = batch.frame
            for lookup in lookups:
                frame = lookup.add(frame, own | from_joins)
            frame = frame.with_columns(
                computed(name, of, own | from_joins) for name, of in templates.items() if of is not None
            )
            batch.frame = frame.drop([name for name in frame.columns if name.startswith(_OWN)])
        yield batch
        if most is not None and read >= most:
            break
    last = [sentence for lookup in lookups for sentence in lookup.sentences()]
    if last:
        yield Batch(files_of(table, root)[0], pl.DataFrame(), notes=last)


def _lookup(join: JoinConfig, root: Path, section: str) -> Lookup:
    """A joined table in memory, with what is joined to it in turn."""
    table = joined_columns(join, section)
    return Lookup.of(list(read_rows(table, root, list(table.columns), (), section)), join.on)
