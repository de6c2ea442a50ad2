"""A catalogue in PostgreSQL with pgvector: vectors, postings of words, columns to filter by.

Each content has a schema of its own, named by its checksum. It is filled part by part, each in a transaction that notes
it, so that a killed or disconnected command goes on; then counted, indexed, and named in tfrec.aliases, which clients
read: they see the old content or the new one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tfrec.errors import ConfigError, ExportError
from tfrec.export.engines.content import EngineContent
from tfrec.export.engines.retrying import patiently
from tfrec.missing_packages import packages_for
from tfrec.progress import Progress

_ITEMS_PER_PART, _POSTINGS_PER_PART = 5_000, 500_000
_KINDS = {"text": "text", "number": "double precision"}


class Part(NamedTuple):
    """Rows of one table that are written in one transaction: `name` TABLE:FIRST:END, ids first <= id < end."""

    table: str
    first: int
    end: int

    @property
    def name(self) -> str:
        """What `pushed` calls it."""
        return f"{self.table}:{self.first}:{self.end}"


def push(url: str, name: str, content: EngineContent) -> str:
    """Writes a content and lets clients see it.

    Args:
        url: postgresql://USER:PASSWORD@HOST:PORT/DATABASE.
        name: what clients call it.
        content: the catalogue.

    Returns:
        the schema.

    Raises:
        ConfigError: the package psycopg is missing.
        ExportError: the database cannot be reached, refuses, or does not hold what was written.
    """
    with packages_for("Pushing to PostgreSQL", ConfigError, "'tfrec-shop[postgres]'"):
        import psycopg
        from pgvector.psycopg import register_vector

    schema = f"tfrec_{content.key[:16]}"

    def connect() -> Any:
        connection = psycopg.connect(url, connect_timeout=10)
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        connection.commit()
        register_vector(connection)
        return connection

    try:
        connection = patiently(connect, psycopg.OperationalError)
        with connection:
            _create(connection, schema, content)
            connection.commit()
            with connection.cursor() as cursor:
                done = {row[0] for row in cursor.execute(f"SELECT part FROM {schema}.pushed").fetchall()}
            parts = list(_parts(content))
            with Progress(f"Pushing to {schema}", len(parts)) as progress:
                for part in parts:
                    if part.name not in done:

                        def write(part: Part = part) -> None:
                            nonlocal connection
                            if connection.closed or connection.broken:
                                connection = connect()
                            _write(connection, schema, content, part)

                        patiently(write, psycopg.OperationalError)
                    progress.advance(1)
            _check(connection, schema, content)
            connection.execute(
                f"CREATE INDEX IF NOT EXISTS items_vector ON {schema}.items USING hnsw (vector vector_ip_ops)"
            )
            connection.execute(f"ANALYZE {schema}.items")
            connection.commit()
            _switch(connection, name, schema)
        return schema
    except psycopg.Error as error:
        reason = " ".join(str(error).split())[:300]
        raise ExportError(f"PostgreSQL did not take the catalogue ({reason}): the same command goes on.") from None


def _create(connection: Any, schema: str, content: EngineContent) -> None:
    columns = "".join(f", c{n} {_KINDS[kind]}" for n, kind in enumerate(content.facts["columns"].values()))
    for statement in (
        "CREATE SCHEMA IF NOT EXISTS tfrec",
        "CREATE TABLE IF NOT EXISTS tfrec.aliases (name text PRIMARY KEY, schema text NOT NULL, previous text)",
        f"CREATE SCHEMA IF NOT EXISTS {schema}",
        f"CREATE TABLE IF NOT EXISTS {schema}.items (row integer PRIMARY KEY, item_id text NOT NULL UNIQUE, "
        f"prior real NOT NULL, vector vector({content.facts['dimension']}) NOT NULL{columns})",
        f"CREATE TABLE IF NOT EXISTS {schema}.words (word integer PRIMARY KEY, items integer[] NOT NULL, "
        "weights real[] NOT NULL)",
        f"CREATE TABLE IF NOT EXISTS {schema}.pushed (part text PRIMARY KEY)",
        f"CREATE TABLE IF NOT EXISTS {schema}.facts (facts json NOT NULL)",
    ):
        connection.execute(statement)
    connection.execute(f"DELETE FROM {schema}.facts")
    connection.execute(f"INSERT INTO {schema}.facts VALUES (%s)", [json.dumps(content.facts)])


def _parts(content: EngineContent) -> Iterator[Part]:
    size = len(content.item_ids)
    for first in range(0, size, _ITEMS_PER_PART):
        yield Part("items", first, min(first + _ITEMS_PER_PART, size))
    first, words = 0, len(content.starts) - 1
    while first < words:
        end = int(np.searchsorted(content.starts, content.starts[first] + _POSTINGS_PER_PART, side="right")) - 1
        end = min(max(end, first + 1), words)
        yield Part("words", first, end)
        first = end


def _write(connection: Any, schema: str, content: EngineContent, part: Part) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        column = "row" if part.table == "items" else "word"  # parts were perhaps cut otherwise before
        inside = f"{column} >= %s AND {column} < %s"
        cursor.execute(f"DELETE FROM {schema}.{part.table} WHERE {inside}", [part.first, part.end])
        if part.table == "items":
            names = "".join(f", c{n}" for n in range(len(content.columns)))
            columns = list(content.columns.values())
            target = f"{schema}.items (row, item_id, prior, vector{names})"
            with cursor.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
                kinds = ["float8" if kind == "number" else "text" for kind in content.facts["columns"].values()]
                copy.set_types(["int4", "text", "float4", "vector", *kinds])
                for row in range(part.first, part.end):
                    own = [column[row] for column in columns]
                    copy.write_row([row, content.item_ids[row], float(content.prior[row]), content.vectors[row], *own])
        else:
            with cursor.copy(f"COPY {schema}.words (word, items, weights) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["int4", "int4[]", "float4[]"])
                for word in range(part.first, part.end):
                    some = slice(content.starts[word], content.starts[word + 1])
                    items, weights = content.items[some].tolist(), content.weights[some].tolist()
                    if items:
                        copy.write_row([word, items, weights])
        cursor.execute(f"INSERT INTO {schema}.pushed VALUES (%s)", [part.name])


def _check(connection: Any, schema: str, content: EngineContent) -> None:
    """Whether the database holds what was written."""
    found = connection.execute(
        f"SELECT count(*), sum(prior::float8), sum(vector <#> vector), "
        f"(SELECT coalesce(sum(cardinality(items)), 0) FROM {schema}.words), "
        f"(SELECT coalesce(sum(weight::float8), 0) FROM {schema}.words, unnest(weights) AS weight) FROM {schema}.items"
    ).fetchone()
    norms = -float((content.vectors.astype(np.float64) ** 2).sum())
    expected = [
        len(content.item_ids), float(content.prior.astype(np.float64).sum()), norms, len(content.items),
        float(content.weights.astype(np.float64).sum()),
    ]  # fmt: skip
    if not np.allclose(np.array(found, np.float64), expected, rtol=1e-6, atol=1e-3):
        raise ExportError(
            f"{schema} holds {found} where {expected} were written: drop the schema and run the command again."
        )


def _switch(connection: Any, name: str, schema: str) -> None:
    """Names the schema; of those that the name had before the last one stays, for clients and for going back."""
    with connection.transaction():
        asked = "SELECT schema, previous FROM tfrec.aliases WHERE name = %s FOR UPDATE"
        row = connection.execute(asked, [name]).fetchone()
        if row is not None and row[0] == schema:
            return
        old = None if row is None else row[0]
        connection.execute(
            "INSERT INTO tfrec.aliases VALUES (%s, %s, %s) ON CONFLICT (name) DO UPDATE SET schema = %s, previous = %s",
            [name, schema, old, schema, old],
        )
        pairs = connection.execute("SELECT schema, previous FROM tfrec.aliases").fetchall()
        used = {one for pair in pairs for one in pair}
        if row is not None and row[1] is not None and row[1] not in used:
            connection.execute(f"DROP SCHEMA IF EXISTS {row[1]} CASCADE")
