"""The page over HTTP: one file of HTML, and its questions answered in JSON.

GET /                                                      the page
GET /api/search?q=&looked=&k=&filter=&diversity=           items for words, or for what was looked at
GET /api/similar?item=&k=                                  items like one
GET /api/because?looked=&k=                                what to offer next
GET /api/about                                             the model's versions
POST /api/image?q=&k=&filter=&diversity=                   items like the picture that is sent, and like words

`looked` and `filter` may be repeated; what was looked at last comes last.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs

from tfrec.serving.client import ClientError
from tfrec.serving.demo.shop import DemoShop
from tfrec.serving.server.rest.limits import Limits
from tfrec.serving.server.rest.listener import RestListener
from tfrec.serving.server.rest.message import Reply, Request

PAGE = Path(__file__).with_name("page.html")
_LONGEST_TEXT, _MOST_LOOKED, _MOST_HITS, _MOST_FILTERS, _MOST_FIELDS = 500, 50, 100, 100, 200
Given = dict[str, list[str]]
_LIMITS = Limits(idle_seconds=15)
_PICTURE = "/api/image"
_STATUS = {
    "INVALID_ARGUMENT": HTTPStatus.BAD_REQUEST,
    "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "RESOURCE_EXHAUSTED": HTTPStatus.SERVICE_UNAVAILABLE,
    "DEADLINE_EXCEEDED": HTTPStatus.GATEWAY_TIMEOUT,
}


class BadRequest(Exception):
    """A wrong parameter, in one sentence."""


def _number(given: Given, name: str, usual: float, least: float, most: float) -> float:
    text = _last(given, name)
    if not text:
        return usual
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise BadRequest(f"{name} must be a number from {least:g} to {most:g}, not {text[:40]!r}.")
    return value


def _last(given: Given, name: str) -> str:
    text = given.get(name, [""])[-1]
    if len(text) > _LONGEST_TEXT:
        raise BadRequest(f"{name} may have {_LONGEST_TEXT} characters, not {len(text)}.")
    return text


def _list(given: Given, name: str) -> list[str]:
    return [value for value in given.get(name, []) if value.strip()]


def answer(shop: DemoShop, path: str, given: Given, body: bytes = b"") -> dict[str, Any] | None:
    """Answers one question of the page.

    Args:
        shop: what is asked.
        path: such as "/api/search".
        given: the values of each parameter.
        body: what was sent, for "/api/image".

    Returns:
        plain JSON values; None for an unknown path.

    Raises:
        BadRequest: a parameter is missing or wrong.
        ClientError: the model server does not answer or refuses.
    """
    k = int(_number(given, "k", 20 if path in ("/api/search", _PICTURE) else 8, 1, _MOST_HITS))
    looked = _list(given, "looked")[-_MOST_LOOKED:]  # the latest: a model reads no more of a history
    if path in ("/api/search", _PICTURE):
        diversity = _number(given, "diversity", 0.0, 0.0, 1.0)
        filters = _list(given, "filter")
        if len(filters) > _MOST_FILTERS:
            raise BadRequest(f"At most {_MOST_FILTERS} filters can be asked for at once, not {len(filters)}.")
        if path == _PICTURE:
            if not body:
                raise BadRequest("Send a JPEG or PNG file as the body: POST /api/image.")
            return shop.search_image(body, _last(given, "q"), k, filters, diversity)
        return shop.search(_last(given, "q"), looked, k, filters, diversity)
    if path == "/api/similar":
        if not _last(given, "item"):
            raise BadRequest("Name an item: /api/similar?item=ID.")
        return shop.similar(_last(given, "item"), k)
    if path == "/api/why":
        if not _last(given, "item"):
            raise BadRequest("Name an item: /api/why?item=ID&q=WORDS.")
        return shop.why(_last(given, "item"), _last(given, "q"), looked)
    if path == "/api/because":
        if not looked:
            raise BadRequest("Name the items that were looked at: /api/because?looked=ID.")
        return shop.because(looked, k)
    return shop.about() if path == "/api/about" else None


def content_policy(page: str) -> str:
    """A Content-Security-Policy that lets just the page's own script and style run."""

    def hashes(tag: str) -> str:
        found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in found]
        return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"

    return (
        f"default-src 'none'; script-src {hashes('script')}; style-src {hashes('style')}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


class DemoApi:
    """Answers what a browser asks with the page, or with JSON.

    Args:
        shop: what the page asks.
    """

    def __init__(self, shop: DemoShop) -> None:
        self._shop, text = shop, PAGE.read_text("utf-8")
        self._page = text.encode()
        self._headers = (
            ("Content-Security-Policy", content_policy(text)),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
        )

    def respond(self, request: Request) -> Reply:
        """Answers one request; nothing of it is printed, because the address holds what was typed."""
        if request.method not in (("POST",) if request.path == _PICTURE else ("GET", "HEAD")):
            way = (
                "Pictures are sent here (POST)."
                if request.path == _PICTURE
                else "This page can only be asked for (GET)."
            )
            return self._json(HTTPStatus.METHOD_NOT_ALLOWED, {"error": way})
        if request.path in ("/", "/index.html"):
            return Reply(HTTPStatus.OK, self._page, "text/html; charset=utf-8", self._headers)
        try:
            given = parse_qs(request.query, max_num_fields=_MOST_FIELDS)
            told = answer(self._shop, request.path, given, request.body)
        except (BadRequest, ValueError) as error:
            return self._json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        except ClientError as error:
            return self._json(_STATUS.get(error.code, HTTPStatus.BAD_GATEWAY), {"error": error.message})
        return self._json(HTTPStatus.NOT_FOUND, {"error": "No such page."}) if told is None else self._json(200, told)

    def _json(self, status: int, content: dict[str, Any]) -> Reply:
        body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
        return Reply(status, body, headers=self._headers)


class DemoServer:
    """Serves the page beside the caller, by the server of the REST port. A context manager.

    Args:
        shop: what the page asks.
        host: interface to listen on; on loopback the page answers under its own names only, or another site could
            reach it through a name that it points at this machine.
        port: TCP port; 0 takes a free one.

    Raises:
        ServingError: the port cannot be opened.
    """

    def __init__(self, shop: DemoShop, host: str = "127.0.0.1", port: int = 8080) -> None:
        self._listener = RestListener(DemoApi(shop), limits=_LIMITS)
        self.port = self._listener.start(host, port, "--port")
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def __enter__(self) -> DemoServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.stop(1)
