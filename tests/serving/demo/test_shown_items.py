"""Titles and prices belong to the version that answers: on the page and in `tfrec query`."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import polars as pl
import pytest
from typer.testing import CliRunner

from tfrec.serving.client import Client
from tfrec.serving.demo.catalogue import Catalogues
from tfrec.serving.demo.server import DemoServer
from tfrec.serving.demo.shop import DemoShop

OLD = {"S-1": "red leather sofa", "L-1": "red lamp"}
NEW = {**OLD, "N-1": "blue lamp"}


def _shown(titles: dict[str, str], price: float) -> pl.DataFrame:
    rows = [
        {"item_id": i, "title": t, "text": "x", "description": "d" * 500, "price": price} for i, t in titles.items()
    ]
    return pl.DataFrame(rows)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, write_export: Callable[..., Path]) -> Iterator[Any]:
    """A run with version 1, its running server, and prepared data that have gone on since the export."""
    from tfrec.serving.server.server import ModelServer, ServerOptions

    folder = tmp_path_factory.mktemp("run")
    (folder / "data").mkdir()
    pl.DataFrame({"item_id": ["L-1"], "title": ["Title of tomorrow"]}).write_parquet(folder / "data" / "items.parquet")
    write_export(folder / "export" / "1", OLD, shown=_shown({"S-1": "Sofa of 1", "L-1": "Lamp of 1"}, 1.0))
    options = ServerOptions(warm_up=False, poll_seconds=0.1)
    with ModelServer(folder / "export", "shop", port=0, options=options) as server:
        yield folder, server


def _get(page: Any, path: str, **parameters: Any) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"{page.url}{path}?{urlencode(parameters, doseq=True)}", timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_each_version_is_shown_with_its_own_items(run: Any, write_export: Callable[..., Path]) -> None:
    from tfrec.cli.main import app

    folder, server = run
    catalogues = Catalogues(folder / "export", folder / "data" / "items.parquet")

    def asked() -> str:
        where = ["--target", server.address, "--model-name", "shop", "--run", str(folder)]
        return CliRunner().invoke(app, ["query", "red lamp", "-k", "1", *where]).output

    with Client(server.address, "shop", timeout=20) as client, DemoServer(DemoShop(client, catalogues), port=0) as page:
        first = _get(page, "api/search", q="red lamp", k=1)[1]["hits"][0]
        assert (first["title"], first["price"], len(first["description"])) == ("Lamp of 1", 1.0, 400)
        about = _get(page, "api/about")[1]
        assert about["items"] == 2 and about["filters"] == ["kind", "words"]
        assert "Lamp of 1" in asked() and "tomorrow" not in asked()
        titles = {"S-1": "Sofa of 2", "L-1": "Lamp of 2", "N-1": "New lamp"}
        aside = write_export(folder / "aside", NEW, shown=_shown(titles, 2.0))
        aside.rename(folder / "export" / "2")
        end = time.monotonic() + 60
        while client.status()[0][:2] != (2, "AVAILABLE") and time.monotonic() < end:
            time.sleep(0.05)
        new = _get(page, "api/search", q="blue lamp", k=2)[1]["hits"]  # an unknown item makes the page look at once
        assert [(hit["title"], hit["price"]) for hit in new] == [("New lamp", 2.0), ("Lamp of 2", 2.0)]
        assert _get(page, "api/similar", item="N-1")[1]["item"]["title"] == "New lamp"
        assert "Lamp of 2" in asked()


def test_an_export_without_items_takes_those_of_the_run(export_dir: Path, items_file: Path) -> None:
    assert Catalogues(export_dir, items_file).of(10).item("S-1")["title"] == "Red <b>sofa</b>"
    assert len(Catalogues(export_dir).of(10)) == len(Catalogues(None).of(1)) == 0


def test_every_filter_counts(run: Any) -> None:
    _, server = run
    with (
        Client(server.address, "shop", timeout=20) as client,
        DemoServer(DemoShop(client, Catalogues(None)), port=0) as page,
    ):
        status, told = _get(page, "api/search", q="red", filter=["kind=L", *["words>=0"] * 60])
        assert status == 200 and [hit["id"] for hit in told["hits"]] == ["L-1"]  # the first one decides
        status, told = _get(page, "api/search", q="red", filter=["kind=L"] * 101)
        assert (status, told["error"]) == (400, "At most 100 filters can be asked for at once, not 101.")
        status, told = _get(page, "api/search", q="red", filter="words<=")
        assert status == 400 and "the filter 'words<=' must have a number after <=" in told["error"]
