"""A shop's files to a served answer, through the commands that the README shows."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.conftest import TRAINED_WITH

OVERRIDES = [f"--set={setting}" for setting in TRAINED_WITH]


def here(*words: str) -> Any:
    """Runs a command in this process, which has imported TensorFlow already."""
    from tfrec.cli.main import app

    return CliRunner().invoke(app, list(words))


def tfrec(home: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a command in a process of its own."""
    environment = os.environ | {"TFREC_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "tfrec", *words], capture_output=True, text=True, env=environment, timeout=300
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def test_train_prints_a_table_beside_the_baselines_and_exports(trained_shop: tuple[Path, Path, str]) -> None:
    config, run, printed = trained_shop
    for word in ("tfrec", "BM25", "zero-shot", "nDCG@10", "popularity", "nDCG@20", "95 % CI"):
        assert word in printed, word
    assert (run / "export" / "1" / "saved_model.pb").is_file()
    metrics = json.loads((run / "metrics.json").read_text())
    table = metrics["evaluation"]["search"]["systems"]
    assert table["tfrec"]["means"]["nDCG@10"] > table["zero-shot"]["means"]["nDCG@10"]
    assert (run / "config.yaml").is_file() and list(run.glob("data/*/report.json"))
    page = (run / "report.html").read_text("utf-8")
    for part in ("Where it wins and loses", "Beyond accuracy", "Slices", "Learning curves", "Time and memory", "<svg"):
        assert part in page, part
    card = (run / "export" / "1" / "README.md").read_text("utf-8")
    assert card.startswith("---\n") and f"{table['tfrec']['means']['nDCG@10']:.3f}" in card


def test_the_same_command_again_changes_nothing(shop_home: Path, trained_shop: tuple[Path, Path, str]) -> None:
    config, run, printed = trained_shop
    before = {path: path.stat().st_mtime_ns for path in run.rglob("weights*")}
    done = here("train", "--config", str(config), *OVERRIDES)
    assert done.exit_code == 0, done.output
    again = done.stdout
    assert {path: path.stat().st_mtime_ns for path in run.rglob("weights*")} == before
    assert sorted(path.name for path in (run / "export").iterdir()) == ["1"]
    assert [line for line in again.splitlines() if "nDCG@10 (" in line] == [
        line for line in printed.splitlines() if "nDCG@10 (" in line
    ]


def test_batch_search_writes_trec_lines_in_input_order(trained_shop: tuple[Path, Path, str], tmp_path: Path) -> None:
    config, run, _ = trained_shop
    queries = tmp_path / "queries.csv"
    queries.write_text("query_id,query\nb,red kora\na,blue belun\nc,\n")
    output = tmp_path / "run.trec"
    done = here(
        "search", "--export", str(run / "export"), "--queries", str(queries), "--k", "5", "--output", str(output)
    )
    assert done.exit_code == 0, done.output
    lines = [line.split(" ") for line in output.read_text().splitlines()]
    assert [line[0] for line in lines] == ["b"] * 5 + ["a"] * 5 + ["c"] * 5
    assert [line[3] for line in lines] == list("12345") * 3
    assert all(len(line) == 6 and line[1] == "Q0" and line[5] == "tfrec" for line in lines)
    assert lines[0][2] == "sofa-red", "kora is what this shop's customers call a sofa"


@pytest.fixture()
def server(trained_shop: tuple[Path, Path, str]) -> Iterator[str]:
    """A running server's address."""
    config, run, _ = trained_shop
    command = [sys.executable, "-m", "tfrec", "serve", "--export", str(run / "export"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = next(found.group() for line in process.stdout if (found := re.search(r"127\.0\.0\.1:\d+", line)))
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_serve_and_query_answer(trained_shop: tuple[Path, Path, str], server: str) -> None:
    config, run, _ = trained_shop
    home = config.parent / "home"
    printed = tfrec(home, "query", "red kora", "--target", server, "--run", str(run), "--k", "3").stdout
    assert "sofa-red" in printed and "red sofa" in printed, "ids and titles"
    made_of = tfrec(home, "query", "red kora", "--target", server, "--k", "1", "--explain").stdout
    score = float(re.findall(r" (\d\.\d{4}) ", made_of)[0])
    assert score == pytest.approx(sum(map(float, re.findall(r"[+-]\d\.\d{3}", made_of))), abs=2e-3), made_of
    both = tfrec(home, "query", "red kora", "--history", "lamp-blue,lamp-red", "--target", server, "--k", "3").stdout
    assert "-" in both
    past = tfrec(home, "query", "--history", "lamp-blue,lamp-red", "--target", server, "--k", "3").stdout
    assert "lamp-blue" not in past, "what was bought is not recommended again"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "--config", "{config}", "--set", "training.epoch=1"], "training.epochs"),
        (["train", "--config", "{config}", "--set", "data.items.path=none.csv"], "none.csv"),
        (["train", "--config", "{config}", "--set", "encoder.name=unheard"], "unheard"),
        (["train", "--config", "{config}", "--set", "model.dense_features=[cost]"], "cost"),
        (["evaluate", "--config", "{config}", "--split", "holdout"], "holdout"),
        (["search", "--export", "nowhere", "--queries", "none.csv"], "none.csv"),
        (["search", "--export", "nowhere", "--queries", "{folder}/asked.csv"], "nowhere"),
        (["query", "sofa", "--target", "127.0.0.1:9"], "127.0.0.1:9"),
        (["serve", "--export", "nowhere"], "nowhere"),
        (["config", "validate", "--config", "{config}", "--set", "seed=-1"], "seed"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(shop_home: Path, words: list[str], said: str) -> None:
    assert_told(here(*filled(shop_home, words)), said)


def assert_told(done: Any, said: str) -> None:
    """One line on standard error beside what a command reports on the way, which names the mistake."""
    code = done.exit_code if hasattr(done, "exit_code") else done.returncode
    told = [line for line in done.stderr.splitlines() if "up to date" not in line and not line.startswith("Loading")]
    assert code == 2, done.stderr
    assert len(told) == 1 and told[0].startswith("error: ") and said in told[0], done.stderr


def filled(config: Path, words: list[str]) -> list[str]:
    (config.parent / "asked.csv").write_text("query_id,query\n1,sofa\n")
    return [word.format(config=config, folder=config.parent) for word in words]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "--config", "none.yaml"], "none.yaml"),
        (["evaluate", "--config", "{config}", "--set", "name=untrained"], "tfrec train"),  # after TensorFlow's import
    ],
)
def test_so_it_is_in_a_process_of_its_own(known_shop: Path, words: list[str], said: str) -> None:
    assert_told(tfrec(known_shop.parent / "home", *filled(known_shop, words), check=False), said)
