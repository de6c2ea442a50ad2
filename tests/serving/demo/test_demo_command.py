"""`tfrec demo`."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """run(*arguments) -> (result, what /api/search?q=red+lamp told while the page was up)."""
    import re

    import typer
    from typer.testing import CliRunner

    from tfrec.cli import demo

    told: list[Any] = []
    pages: list[str] = []
    show = demo.console.print

    def listen(text: str, **more: Any) -> None:
        pages.extend(re.findall(r"http://\S+/", text))
        show(text, **more)

    def visit() -> None:
        with urllib.request.urlopen(f"{pages[-1]}api/search?q=red+lamp&k=1", timeout=20) as response:
            told.append(json.load(response))
        raise KeyboardInterrupt

    monkeypatch.setattr(demo.console, "print", listen)
    monkeypatch.setattr(demo, "wait_for_interrupt", visit)
    app = typer.Typer()
    app.command()(demo.demo)

    def invoke(*arguments: str) -> tuple[Any, Any]:
        return CliRunner().invoke(app, [*arguments, "--port", "0", "--model-name", "shop"]), (told or [None])[-1]

    return invoke


def test_the_page_of_a_running_server(run: Any, server: Any, items_file: Path) -> None:
    result, told = run("--target", server.address, "--run", str(items_file.parents[1]))
    assert result.exit_code == 0, result.output
    assert told["hits"][0]["id"] == "L-1"


def test_the_page_starts_a_server_of_its_own(run: Any, export_dir: Path) -> None:
    result, told = run("--export", str(export_dir))
    assert result.exit_code == 0, result.output
    assert told["hits"][0]["id"] == "L-1"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "error: Say what to serve"),
        (["--export", "no-such-folder"], "error: There is no export folder no-such-folder"),
        (["--target", "nowhere"], "error: The target must look like host:port"),
        (["--run", "no-such-run"], "error: There is no run folder no-such-run"),
        (["--token-file", "token"], "error: --ca and --token-file are about a running server"),
        (["--target", "127.0.0.1:1", "--token-file", "no-token"], "error: The file no-token cannot be read"),
        (["--target", "127.0.0.1:1", "--ca", "no-ca.pem"], "error: The file no-ca.pem cannot be read"),
    ],
)
def test_mistakes_are_one_line(run: Any, arguments: list[str], sentence: str) -> None:
    result, _ = run(*arguments)
    assert result.exit_code == 2 and result.stderr.startswith(sentence) and result.stderr.count("\n") == 1


def test_the_wrong_model_is_told(run: Any, server: Any) -> None:
    from typer.testing import CliRunner

    from tfrec.cli.main import app

    result = CliRunner().invoke(app, ["demo", "--target", server.address, "--model-name", "other", "--port", "0"])
    assert result.exit_code == 2 and "Could not find any versions of model other" in result.stderr
