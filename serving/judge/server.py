"""The judging page over HTTP: one file of HTML, its questions in JSON, and the items' pictures.

GET  /                                                     the page
POST /api/next      {judge}                                what the judge sees now
POST /api/answer    {judge, query, item, answer}           keeps an answer, and what comes next
POST /api/undo      {judge}                                takes the latest answer back
POST /api/picture   {item}                                 the picture's bytes

All but the page need the key that the command prints with the page's address, in the header X-Judge-Key: another site
can neither read it nor send it, and on an open interface it is what lets people in.
"""

from __future__ import annotations

import hmac
import json
import secrets
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any

from tfrec.errors import TfrecError
from tfrec.json_text import parse_json
from tfrec.serving.demo.server import content_policy
from tfrec.serving.judge.desk import Desk, WrongAnswer
from tfrec.serving.judge.pictures import Pictures
from tfrec.serving.server.rest.limits import Limits
from tfrec.serving.server.rest.listener import RestListener
from tfrec.serving.server.rest.message import Reply, Request

PAGE = Path(__file__).with_name("page.html")
KEY_HEADER = "x-judge-key"
_LIMITS = Limits(connections=64, body_bytes=1 << 16, idle_seconds=60)


class JudgeApi:
    """Answers what a browser asks with the page, JSON, or a picture.

    Args:
        desk: what judges see and say.
        pictures: of the items.
        key: what a browser must know.
    """

    def __init__(self, desk: Desk, pictures: Pictures, key: str) -> None:
        self._desk, self._pictures, self._key = desk, pictures, key.encode()
        text = PAGE.read_text("utf-8")
        self._page = text.encode()
        policy = content_policy(text).replace("img-src data:", "img-src data: blob:")
        self._headers = (
            ("Content-Security-Policy", policy), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"),
        )  # fmt: skip

    def respond(self, request: Request) -> Reply:
        """Answers one request; nothing of it is printed, because it holds names and queries."""
        if request.path in ("/", "/index.html"):
            if request.method not in ("GET", "HEAD"):
                return self._error(HTTPStatus.METHOD_NOT_ALLOWED, "The page can only be asked for (GET).")
            return Reply(HTTPStatus.OK, self._page, "text/html; charset=utf-8", self._headers)
        if not request.path.startswith("/api/"):
            return self._error(HTTPStatus.NOT_FOUND, "No such page.")
        if request.method != "POST":
            return self._error(HTTPStatus.METHOD_NOT_ALLOWED, "The page's questions are sent (POST).")
        given = request.headers.get(KEY_HEADER, "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._key):
            return self._error(HTTPStatus.FORBIDDEN, "Open the address that `tfrec judge` printed last, key and all.")
        try:
            told = parse_json(request.body)
            if not isinstance(told, dict):
                raise ValueError("it is no object")
        except ValueError as error:
            return self._error(HTTPStatus.BAD_REQUEST, f"The request is no JSON object ({error}).")
        try:
            return self._answer(request.path, told)
        except WrongAnswer as error:
            return self._error(HTTPStatus.BAD_REQUEST, str(error))
        except TfrecError as error:
            return self._error(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

    def _answer(self, path: str, told: dict[str, Any]) -> Reply:
        judge = told.get("judge")
        if path == "/api/next":
            return self._json(HTTPStatus.OK, self._desk.next(judge))  # type: ignore[arg-type]
        if path == "/api/answer":
            query, item = str(told.get("query")), str(told.get("item"))
            return self._json(HTTPStatus.OK, self._desk.answer(judge, query, item, told.get("answer")))  # type: ignore[arg-type]
        if path == "/api/undo":
            return self._json(HTTPStatus.OK, self._desk.undo(judge))  # type: ignore[arg-type]
        found = self._pictures.read(str(told.get("item"))) if path == "/api/picture" else None
        if found is None:
            return self._error(HTTPStatus.NOT_FOUND, "There is no such page or picture.")
        return Reply(HTTPStatus.OK, *found, headers=self._headers)

    def _error(self, status: HTTPStatus, sentence: str) -> Reply:
        return self._json(status, {"error": sentence})

    def _json(self, status: HTTPStatus, content: dict[str, Any]) -> Reply:
        return Reply(status, json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"), headers=self._headers)


class JudgeServer:
    """Serves the page beside the caller, by the server of the REST port. A context manager.

    Attributes:
        url: the page's address, with the key behind #, which browsers keep to themselves.

    Args:
        desk, pictures: see JudgeApi.
        host: interface to listen on; on loopback the page answers under its own names only.
        port: TCP port; 0 takes a free one.

    Raises:
        ServingError: the port cannot be opened.
    """

    def __init__(self, desk: Desk, pictures: Pictures, host: str = "127.0.0.1", port: int = 8081) -> None:
        self.key = secrets.token_urlsafe(16)
        self._listener = RestListener(JudgeApi(desk, pictures, self.key), limits=_LIMITS)
        self.port = self._listener.start(host, port, "--port")
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/#{self.key}"

    def __enter__(self) -> JudgeServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.stop(1)
