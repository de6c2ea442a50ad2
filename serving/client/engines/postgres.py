"""A catalogue in PostgreSQL with pgvector; needs the packages psycopg and pgvector (`tfrec-shop[postgres]`)."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfrec.serving.client.engines.hybrid import Found
from tfrec.serving.client.errors import ClientError

_LOOK = 5.0  # seconds after which the alias is read again
_CANDIDATES = """
WITH typed AS (SELECT unnest(%(words)s::int[]) AS word, unnest(%(amounts)s::real[]) AS amount),
lexical AS MATERIALIZED (
    SELECT posting.item AS row, sum(posting.weight * typed.amount) AS words
    FROM typed JOIN {schema}.words USING (word), unnest(items, weights) AS posting (item, weight)
    GROUP BY posting.item
),
by_vector AS MATERIALIZED (
    SELECT row FROM {schema}.items {where} ORDER BY vector <#> %(vector)s LIMIT %(depth)s
),
by_words AS MATERIALIZED (
    SELECT row FROM lexical {joined} ORDER BY words DESC, row LIMIT %(depth)s
)
SELECT item_id, row, -(vector <#> %(vector)s), coalesce(lexical.words, 0), prior,
    (SELECT coalesce(max(words), 0) FROM lexical)
FROM (SELECT row FROM by_vector UNION SELECT row FROM by_words) AS found
JOIN {schema}.items USING (row) LEFT JOIN lexical USING (row)
"""


class PostgresEngine:
    """What `tfrec push-index` wrote. Safe to use from several threads, one query at a time: give each thread its own.

    Args:
        url: postgresql://USER:PASSWORD@HOST:PORT/DATABASE.
        name: that the content was pushed by.
        search: candidates that the HNSW index keeps (hnsw.ef_search, 1 to 1000): more finds more and takes longer.
        exact: compare with all vectors instead.
    """

    def __init__(self, url: str, name: str = "tfrec", *, search: int = 400, exact: bool = False) -> None:
        self._url, self._name, self._search, self._exact = url, name, search, exact
        self._lock = threading.Lock()
        self._connection: Any = None
        self._schema, self._looked = "", -_LOOK
        self._facts: Mapping[str, Any] = {}

    def facts(self) -> Mapping[str, Any]:
        """See Engine; a new content is seen within five seconds."""
        with self._lock:
            self._ready()
            return self._facts

    def candidates(
        self, vector: np.ndarray, words: Mapping[int, float], depth: int, conditions: Sequence[tuple[str, str, Any]]
    ) -> Found:
        """See Engine."""
        values: dict[str, Any] = {
            "vector": np.asarray(vector, np.float32),
            "words": list(words),
            "amounts": list(words.values()),
            "depth": depth,
        }
        with self._lock:
            self._ready()
            where = self._where(conditions, values)
            joined = f"JOIN {self._schema}.items USING (row) {where}" if where else ""
            query = _CANDIDATES.format(schema=self._schema, where=where, joined=joined)
            rows = self._run(query, values)
        columns = list(zip(*rows, strict=True)) or [()] * 6
        dots, sums, prior = (np.array(column, np.float64) for column in columns[2:5])
        highest = float(columns[5][0]) if rows else 0.0
        return Found(list(columns[0]), np.array(columns[1], np.int64), dots, sums, prior, highest)

    def close(self) -> None:
        """Closes the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _where(self, conditions: Sequence[tuple[str, str, Any]], values: dict[str, Any]) -> str:
        places = {name: f"c{number}" for number, name in enumerate(self._facts["columns"])}
        parts, equal = [], dict[str, list[Any]]()
        for number, (name, sign, value) in enumerate(conditions):
            if sign == "=":
                equal.setdefault(name, []).append(value)
            else:
                values[f"bound{number}"] = value
                parts.append(f"{places[name]} {sign} %(bound{number})s")
        for number, (name, any_of) in enumerate(equal.items()):
            values[f"equal{number}"] = any_of
            parts.append(f"{places[name]} = ANY(%(equal{number})s)")
        return f"WHERE {' AND '.join(parts)}" if parts else ""

    def _ready(self) -> None:
        if time.monotonic() - self._looked < _LOOK and self._connection is not None:
            return
        found = self._run("SELECT schema FROM tfrec.aliases WHERE name = %(name)s", {"name": self._name})
        if not found:
            raise ClientError("NOT_FOUND", f"The database holds no catalogue {self._name!r}: run `tfrec push-index`.")
        if found[0][0] != self._schema:
            self._schema = found[0][0]
            self._facts = self._run(f"SELECT facts FROM {self._schema}.facts", {})[0][0]
        self._looked = time.monotonic()

    def _run(self, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        import psycopg

        for attempt in (0, 1):
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = self._connected()
                return self._connection.execute(query, values).fetchall()
            except psycopg.OperationalError as error:  # the server was started anew: once more
                self._connection = None
                if attempt:
                    told = " ".join(str(error).split())[:200]
                    raise ClientError("UNAVAILABLE", f"PostgreSQL does not answer ({told}).") from None
            except psycopg.Error as error:
                self._looked = -_LOOK
                told = " ".join(str(error).split())[:200]
                raise ClientError("INTERNAL", f"PostgreSQL refused the search ({told}).") from None
        return []

    def _connected(self) -> Any:
        import psycopg
        from pgvector.psycopg import register_vector

        connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
        register_vector(connection)
        connection.execute(f"SET hnsw.ef_search = {int(self._search)}")
        connection.execute("SET hnsw.iterative_scan = strict_order")  # filters shall not leave too few
        if self._exact:
            connection.execute("SET enable_indexscan = off")
        return connection
