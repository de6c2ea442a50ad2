"""The page on the toy shop's real server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

HOSTILE = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"
ITEMS = [
    {"item_id": "S-1", "title": "Red <b>sofa</b>", "text": "x", "brand": "Kora", "color": "red", "price": 499.0,
     "description": HOSTILE},
    {"item_id": "S-2", "title": "Blue sofa & more", "text": "x", "brand": "", "color": "blue", "price": None,
     "description": ""},
    {"item_id": "灯-é", "title": "台灯", "text": "x", "brand": "Belun", "color": "", "price": 20.5, "description": ""},
]  # fmt: skip


@pytest.fixture(scope="session")
def items_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared catalogue; S-3 and L-1 are missing in it."""
    import polars as pl

    file = tmp_path_factory.mktemp("run") / "data" / "items.parquet"
    file.parent.mkdir()
    pl.DataFrame(ITEMS).write_parquet(file)
    return file


@pytest.fixture
def page(client: Any, items_file: Path) -> Iterator[Any]:
    """A running page."""
    from tfrec.serving.demo.catalogue import Catalogue
    from tfrec.serving.demo.server import DemoServer
    from tfrec.serving.demo.shop import DemoShop

    with DemoServer(DemoShop(client, Catalogue.open(items_file)), port=0) as running:
        yield running


@pytest.fixture
def get(page: Any) -> Callable[..., tuple[int, Any]]:
    """get(path, host=..., **parameters) -> (status, JSON)."""

    def fetch(path: str, host: str | None = None, **parameters: Any) -> tuple[int, Any]:
        url = page.url.rstrip("/") + path + ("?" + urlencode(parameters, doseq=True) if parameters else "")
        request = urllib.request.Request(url, headers={} if host is None else {"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return fetch
