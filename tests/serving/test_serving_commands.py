"""`tfrec serve` and `tfrec query`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def app() -> Any:
    import typer

    from tfrec.cli.query import query
    from tfrec.cli.serve import serve

    application = typer.Typer()
    application.command()(serve)
    application.command()(query)
    return application


def _run(app: Any, *arguments: str) -> Any:
    from typer.testing import CliRunner

    return CliRunner().invoke(app, list(arguments))


def _rows(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines() if line.strip()]


def test_query_prints_rank_id_and_score(app: Any, server: Any) -> None:
    result = _run(app, "query", "leather sofa", "--k", "3", "--target", server.address, "--model-name", "shop")
    assert result.exit_code == 0, result.output
    rows = _rows(result.output)
    assert rows[0] == ["rank", "item_id", "score"]
    assert rows[1:] == [["1", "S-1", "0.8165"], ["2", "S-2", "0.8165"], ["3", "S-3", "0.5000"]]


def test_query_with_a_history_only_recommends(app: Any, server: Any) -> None:
    result = _run(app, "query", "--history", "L-1, ,", "-k", "1", "--target", server.address, "--model-name", "shop")
    assert _rows(result.output)[1] == ["1", "L-1", "1.0000"]


def test_query_with_both_personalises(app: Any, server: Any) -> None:
    where = ["-k", "1", "--target", server.address, "--model-name", "shop"]
    assert _rows(_run(app, "query", "sofa", *where).output)[1][1] == "S-3"
    assert _rows(_run(app, "query", "sofa", "--history", "S-1", *where).output)[1][1] == "S-1"


def test_query_shows_the_titles_of_a_run(app: Any, server: Any, tmp_path: Path) -> None:
    import polars as pl

    (tmp_path / "data").mkdir()
    items = pl.DataFrame({"item_id": ["S-1", "L-1"], "title": ["A [red] sofa", "A lamp"]})
    items.write_parquet(tmp_path / "data" / "items.parquet")
    where = ["--target", server.address, "--model-name", "shop", "--run", str(tmp_path)]
    rows = _rows(_run(app, "query", "red leather sofa", "-k", "1", *where).output)
    assert rows == [["rank", "item_id", "title", "score"], ["1", "S-1", "A", "[red]", "sofa", "1.0000"]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["query", "sofa", "--target", "127.0.0.1:1"], "error: No server answers at 127.0.0.1:1"),
        (["query"], "error: Say what to look for"),
        (["query", "sofa", "-k", "0"], "error: k must be at least 1"),
        (["query", "sofa", "--target", "here"], "error: The target must look like host:port"),
        (["serve"], "error: Say what to serve"),
        (["serve", "--export", "no-such-folder"], "error: There is no export folder no-such-folder"),
        (["serve", "--run", "no-such-run"], "error: There is no run folder no-such-run"),
        (["serve", "--config", "no-such.yaml"], "error: There is no configuration file no-such.yaml"),
    ],
)
def test_mistakes_are_one_line(app: Any, arguments: list[str], sentence: str) -> None:
    result = _run(app, *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(sentence) and result.stderr.count("\n") == 1


def test_commands_import_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys; import tfrec.cli.serve, tfrec.cli.query;"
        "print(sorted({'tensorflow', 'polars', 'grpc', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
