"""A desk of four queries and its page."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tfrec.data.judging.strokes import Strokes, grades_of
from tfrec.data.judging.table import judgments_csv
from tfrec.pipeline.judging.pool import Pooled
from tfrec.serving.judge.desk import Desk
from tfrec.serving.judge.pictures import Pictures
from tfrec.serving.judge.server import JudgeServer

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
POOL = [
    Pooled("red sofa", "asked 7 times", ("S-1", "S-2", "S-3")),
    Pooled(HOSTILE, "", ("S-2", "灯-é")),
    Pooled("台灯", "", ("灯-é",)),
]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def shown(item_id: str) -> dict[str, Any]:
    return {
        "id": item_id, "title": f"{item_id} {HOSTILE}", "description": HOSTILE, "price": 9.5,
        "attributes": {"colour": HOSTILE}, "picture": item_id == "S-1",
    }  # fmt: skip


@pytest.fixture
def strokes(tmp_path: Path) -> Iterator[Strokes]:
    with Strokes(tmp_path / "judging" / "strokes.jsonl") as opened:
        yield opened


@pytest.fixture
def desk(strokes: Strokes, tmp_path: Path) -> Desk:
    file = tmp_path / "judgments.csv"
    return Desk(POOL, strokes, shown, lambda grades: file.write_text(judgments_csv(grades, {}, {})))


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    root = tmp_path / "shop"
    (root / "photos").mkdir(parents=True)
    (root / "photos" / "s1.png").write_bytes(PIXEL)
    (root / "secret.txt").write_text("secret")
    (tmp_path / "outside.png").write_bytes(PIXEL)
    (root / "link.png").symlink_to(tmp_path / "outside.png")
    names = {
        "S-1": "photos/s1.png", "up": "../outside.png", "link": "link.png", "text": "secret.txt", "gone": "no.png",
        "absolute": str(tmp_path / "outside.png"), "url": "https://example.org/a.png", "nul": "a\0b", "none": "",
    }  # fmt: skip
    return Pictures(root, names)


@pytest.fixture
def page(desk: Desk, pictures: Pictures) -> Iterator[JudgeServer]:
    with JudgeServer(desk, pictures, port=0) as running:
        yield running


Send = Callable[..., tuple[int, Any]]


def sender(url: str) -> Send:
    """send(path, told, **headers) -> (status, JSON or bytes), with the key of the page's address."""
    base, _, key = url.partition("/#")

    def send(path: str, told: Any = None, method: str = "POST", **headers: str) -> tuple[int, Any]:
        data = told if isinstance(told, bytes) else None if told is None else json.dumps(told).encode()
        given = {"X-Judge-Key": key} | {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(base + path, data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                raw, kind, status = response.read(), response.headers["Content-Type"], response.status
        except urllib.error.HTTPError as error:
            raw, kind, status = error.read(), error.headers["Content-Type"], error.code
        return status, json.loads(raw) if kind == "application/json" else raw

    return send


@pytest.fixture
def send(page: JudgeServer) -> Send:
    return sender(page.url)


def kept(desk_strokes: Strokes) -> dict[tuple[str, str], dict[str, int]]:
    return grades_of(desk_strokes.by_judge)
