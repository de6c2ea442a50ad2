"""Downloads from a real server on this machine: good, changed, absent, unreachable, and what publishers send."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tfrec.data.download import download
from tfrec.data.sources import SOURCES, Remote, Source, convert_esci
from tfrec.errors import DataError


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path != "/short.csv":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"only this")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a server of tmp_path/public."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "public").mkdir()
    handler = functools.partial(_Quiet, directory=str(tmp_path / "public"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def _copy(raw: Path, folder: Path) -> None:
    (folder / "table.csv").write_bytes((raw / "raw.csv").read_bytes())


def _source(url: str, sha256: str | None) -> Source:
    return Source("a test", (Remote(url, "raw.csv", sha256),), _copy, ("table.csv",))


CONTENT = b"item_id,title\n1,a\n" * 50_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def test_a_good_download_is_kept_and_not_repeated(server: str, tmp_path: Path) -> None:
    (tmp_path / "public" / "good.csv").write_bytes(CONTENT)
    source = _source(f"{server}/good.csv", DIGEST)
    folder = download("shop", tmp_path / "downloads", source=source)
    assert (folder / "table.csv").read_bytes() == CONTENT
    origin = json.loads((folder / "SOURCE.json").read_text())
    assert origin["files"] == [{"url": f"{server}/good.csv", "sha256": DIGEST, "verified": True}]
    assert sorted(path.name for path in folder.iterdir()) == ["SOURCE.json", "table.csv"]
    (tmp_path / "public" / "good.csv").unlink()
    assert download("shop", tmp_path / "downloads", source=source) == folder


@pytest.mark.parametrize(
    "path, sha256, words",
    [
        ("good.csv", "0" * 64, [DIGEST, "0" * 64, "nothing was kept"]),
        ("good.csv", None, [DIGEST, "--trust"]),
        ("absent.csv", DIGEST, ["404", "copy the files to", "table.csv"]),
        ("short.csv", DIGEST, ["copy the files to"]),
    ],
)
def test_anything_else_leaves_nothing(
    path: str, sha256: str | None, words: list[str], server: str, tmp_path: Path
) -> None:
    (tmp_path / "public" / "good.csv").write_bytes(CONTENT)
    with pytest.raises(DataError) as caught:
        download("shop", tmp_path / "downloads", source=_source(f"{server}/{path}", sha256))
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_trust_keeps_a_file_without_a_known_checksum(server: str, tmp_path: Path) -> None:
    (tmp_path / "public" / "good.csv").write_bytes(CONTENT)
    folder = download("shop", tmp_path / "downloads", trust=True, source=_source(f"{server}/good.csv", None))
    assert json.loads((folder / "SOURCE.json").read_text())["files"][0]["verified"] is False


def test_unreachable_says_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    message = r"cannot be reached \(.*\): check the network or copy the files to .*shop yourself"
    with pytest.raises(DataError, match=message):
        download("shop", tmp_path, source=_source(f"http://127.0.0.1:{port}/x", None))
    with pytest.raises(DataError, match="no data set 'mnist'.*esci, online_retail"):
        download("mnist", tmp_path)


def test_a_folder_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "mine.txt").write_text("x")
    with pytest.raises(DataError, match=r"lacks table.csv"):
        download("shop", tmp_path, source=_source("http://127.0.0.1:1/x", None))
    assert (tmp_path / "shop" / "mine.txt").exists()


def test_the_published_form_of_esci_becomes_tables(server: str, tmp_path: Path) -> None:
    public = tmp_path / "public"
    products = [{"asin": f"B{n}", "title": f"title {n}", "price": None, "category": ["a", "b"]} for n in range(3)]
    with zipfile.ZipFile(public / "products.zip", "w") as archive:
        lines = [text for one in products for text in (json.dumps({"index": {"_id": one["asin"]}}), json.dumps(one))]
        archive.writestr("esci.ndjson", "\n".join(lines) + "\n")
    ratings = [{"docId": "B0", "rating": "100.000"}, {"docId": "B2", "rating": "10.000"}]
    judged = {"judgmentRatings": [{"query": "tea, towel", "ratings": ratings}]}
    (public / "judgments.json").write_text(json.dumps(judged))
    files = tuple(
        Remote(f"{server}/{there}", here)
        for there, here in (("products.zip", "products.ndjson.zip"), ("judgments.json", "judgments.json"))
    )
    source = Source("a test", files, convert_esci, SOURCES["esci"].tables)
    folder = download("esci", tmp_path / "downloads", trust=True, source=source)
    assert pl.read_ndjson(folder / "products.jsonl.gz").to_dicts() == products
    rows = pl.read_csv(folder / "judgments.csv").rows()
    assert rows == [("q0", "tea, towel", "B0", 1.0), ("q0", "tea, towel", "B2", 0.1)]
    (public / "judgments.json").write_text("<html>moved</html>")
    with pytest.raises(DataError, match="not the data set that was expected"):
        download("esci", tmp_path / "elsewhere", trust=True, source=source)
