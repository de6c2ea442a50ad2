"""A local server that speaks the protocol of OpenAI's chat/completions, good and bad."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Behaviour = Callable[[Any, int, dict[str, Any]], bool]


class ModelServer(ThreadingHTTPServer):
    """Answers every prompt with queries that repeat the products' words.

    Attributes:
        seen: (path, headers, payload) of every request.
        behave: given handler, number of the request (from 0) and payload; True when it has answered itself.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.behave: Behaviour | None = None
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def products(self) -> list[str]:
        """Texts of all products asked about."""
        return [text for _, _, payload in self.seen for text in asked_about(payload).values()]


def asked_about(payload: dict[str, Any]) -> dict[str, str]:
    """number -> text of the products of a prompt."""
    _, _, listed = payload["messages"][1]["content"].rpartition("Products:\n")
    return dict(re.findall(r"^(\d+)\. (.*)$", listed, re.MULTILINE))


def completion(content: str, usage: dict[str, int] | None = None) -> dict[str, Any]:
    """The body of an answer."""
    usage = usage or {"prompt_tokens": 100, "completion_tokens": 20}
    return {"choices": [{"message": {"role": "assistant", "content": content}}], "usage": usage}


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            number = len(self.server.seen)
            self.server.seen.append((self.path, dict(self.headers), payload))
        if self.server.behave is not None and self.server.behave(self, number, payload):
            return
        queries = {n: [f"buy {text}".lower(), f"{text} online"] for n, text in asked_about(payload).items()}
        self.send(200, completion(f"Here you are:\n```json\n{json.dumps(queries)}\n```"))

    def send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        """Sends a JSON value, or text as it is."""
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def drip(self, seconds: float) -> None:
        """Sends a byte now and then, so that no single read ever times out."""
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.02)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture()
def server() -> Iterator[ModelServer]:
    running = ModelServer()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture()
def llm_shop(tmp_path: Path) -> Callable[..., Path]:
    """llm_shop(url, **settings of synthesis.llm) writes a shop of 12 items and gives its configuration file."""

    def write(url: str | None, **settings: Any) -> Path:
        names = ["sofa", "lamp", "kettle", "backpack"]
        rows = [(f"i{place}", f"{colour} {name}") for place, (colour, name) in enumerate(
            (colour, name) for colour in ("red", "blue", "green") for name in names
        )]  # fmt: skip
        pl.DataFrame(rows, ["item_id", "title"], orient="row").write_csv(tmp_path / "items.csv")
        judged = [("crimson couch", "i0", "train"), ("night light", "i5", "train"), ("secret teapot", "i2", "dev")]
        pl.DataFrame(judged, ["query", "item_id", "split"], orient="row").write_csv(tmp_path / "searches.csv")
        llm = {
            "base_url": url, "model": "tiny", "items_per_request": 2, "first_wait_seconds": 0.01,
            "most_wait_seconds": 0.05, "timeout_seconds": 5, **settings,
        }  # fmt: skip
        config = {
            "runs_dir": str(tmp_path / "runs"), "synthesis": {"sources": ["llm"], "llm": llm},
            "data": {
                "root": str(tmp_path), "template": "{title}", "items": "items.csv", "searches": "searches.csv",
                "split": {"few_queries": 0},
            },
        }  # fmt: skip
        path = tmp_path / "shop.yaml"
        path.write_text(json.dumps(config))  # JSON is YAML
        return path

    return write
