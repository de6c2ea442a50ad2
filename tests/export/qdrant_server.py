"""Qdrant's REST protocol over its own client's local mode: what a client sends to a server, understood and answered."""

from __future__ import annotations

import json
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydantic import BaseModel


class QdrantServer:
    """Serves a folder on a free port for as long as the block lasts.

    Attributes:
        url: for `tfrec push-index` and for QdrantEngine.
        calls: the paths that were asked.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.calls: list[str] = []

    def __enter__(self) -> QdrantServer:
        from qdrant_client.local.qdrant_local import QdrantLocal

        local, lock, calls = (
            QdrantLocal(str(self._folder), force_disable_check_same_thread=True),
            threading.Lock(),
            self.calls,
        )

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size) or "null")
                path = self.path.partition("?")[0]
                calls.append(path)
                with lock:
                    result = answer(local, self.command, path, body)
                raw = json.dumps({"result": plain(result), "status": "ok", "time": 0.0}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = _answer  # noqa: N815

            def log_message(self, *told: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"qdrant://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def plain(value: Any) -> Any:
    """Models as JSON."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def answer(local: Any, method: str, path: str, body: Any) -> Any:
    """What the server gives for a request."""
    from qdrant_client import models

    parts = path.strip("/").split("/")
    if path == "/aliases":
        return local.get_aliases()
    if path == "/collections/aliases":
        return local.update_collection_aliases(models.ChangeAliasesOperation(**body).actions)
    name, rest = parts[1], "/".join(parts[2:])
    if rest == "":
        if method == "PUT":
            given = models.CreateCollection(**body)
            return local.create_collection(name, given.vectors or {}, given.sparse_vectors)
        return local.delete_collection(name) if method == "DELETE" else local.get_collection(name)
    if rest == "exists":
        return {"exists": local.collection_exists(name)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if rest == "index":
            local.create_payload_index(name, body["field_name"], body["field_schema"])
            return {"operation_id": 0, "status": "completed"}
    if rest == "points" and method == "PUT":
        return local.upsert(name, models.PointsList(**body).points)
    if rest == "points":
        given = models.PointRequest(**body)
        return local.retrieve(name, given.ids, given.with_payload, given.with_vector)
    if rest == "points/scroll":
        given = models.ScrollRequest(**body)
        points, offset = local.scroll(
            name, given.filter, given.limit, given.order_by, given.offset, given.with_payload, given.with_vector
        )
        return {"points": plain(points), "next_page_offset": offset}
    if rest == "points/query":
        given = models.QueryRequest(**body)
        query = given.query.nearest if isinstance(given.query, models.NearestQuery) else given.query
        return local.query_points(
            name, query, given.using, None, given.filter, given.params, given.limit, with_payload=given.with_payload
        )
    raise AssertionError(f"{method} {path} is not understood")
