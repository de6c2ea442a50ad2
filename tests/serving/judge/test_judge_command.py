"""`tfrec judge` from end to end: forty queries judged over HTTP, a kill in the middle, the file used as searches."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.conftest import COLOURS, THINGS
from tests.serving.judge.conftest import Send, sender

QUERIES = {f"{colour} {name}": (colour, thing) for thing, name in THINGS.items() for colour in COLOURS[:5]}
Start = Callable[..., tuple[Send, subprocess.Popen[str], str]]


def truth(query: str, item: str) -> int:
    """3 for what is asked, 1 for the same thing in another colour."""
    colour, thing = QUERIES[query]
    return 3 if item == f"{thing}-{colour}" else 1 if item.startswith(f"{thing}-") else 0


@pytest.fixture(scope="module")
def judged(known_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str], Start]]:
    """The folder, the words of the command, and start(*more) -> (send, process, what was printed)."""
    folder = tmp_path_factory.mktemp("judged")
    queries = folder / "queries.csv"
    queries.write_text("query\n" + "\n".join(QUERIES) + "\n")
    words = ["-c", str(known_shop), f"--set=runs_dir={folder / 'runs'}", "--folder", str(folder / "judging")]
    running: list[subprocess.Popen[str]] = []

    def start(*more: str) -> tuple[Send, subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "tfrec", "judge", *words, "--port", "0", *more]
        environment = os.environ | {"TFREC_HOME": str(known_shop.parent / "home")}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        running.append(process)
        assert process.stdout is not None
        printed = process.stdout.readline() + process.stdout.readline() + process.stdout.readline()
        assert "http://" in printed, process.communicate()[1]
        return sender(printed.partition("page is at ")[2].split()[0]), process, printed

    yield folder, words, start
    for process in running:
        process.kill()
        process.communicate()


def judge(send: Send, name: str, most: int) -> tuple[int, int]:
    """Answers as `truth` says; gives (answers that were taken, pairs in all)."""
    told = send("/api/next", {"judge": name})[1]
    for _ in range(most):
        if told["card"] is None:
            break
        query, item = told["card"]["query"], told["card"]["item"]["id"]
        status, told = send("/api/answer", {"judge": name, "query": query, "item": item, "answer": truth(query, item)})
        assert status == 200, told
    return told["done"], told["total"]


@pytest.mark.slow
def test_forty_queries_judged_killed_resumed_reported_and_read_back(
    judged: tuple[Path, list[str], Start], shop_home: Path
) -> None:
    from tfrec.cli.main import app
    from tfrec.config import load_config
    from tfrec.data.prepare import prepare

    folder, words, start = judged
    send, process, printed = start("--queries", str(folder / "queries.csv"))
    assert printed.startswith("40 queries with ")
    done, total = judge(send, "ann", 150)
    assert done == 150 and total >= 400
    busy = CliRunner().invoke(app, ["judge", *words])
    assert busy.exit_code == 2 and "is in use" in busy.stderr
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    send, process, _ = start()
    assert judge(send, "ann", 0) == (150, total)
    assert judge(send, "ann", total) == (total, total)
    assert judge(send, "bob", 30)[0] == 30
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0

    report = CliRunner().invoke(app, ["judge", "report", *words, "--json"])
    told = json.loads(report.output)
    assert (told["queries"], told["pairs"]) == (40, total) and sum(told["by_judge"]["ann"]) == total
    assert told["alpha"]["value"] == 1 and told["alpha"]["units"] == 30 and told["doubtful"] == []
    assert told["kappas"] == [["ann", "bob", 1.0, 30]]
    assert "Krippendorff's alpha (ordinal) 1.000" in CliRunner().invoke(app, ["judge", "report", *words]).output

    file = folder / "judging" / "judgments.csv"
    config = load_config(shop_home, [f"runs_dir={folder / 'read'}", f"data.searches={file}", "data.interactions=null"])
    searches = prepare(config).searches
    assert searches.height == total and searches["query"].n_unique() == 40
    gains = searches.with_columns(pl.col("gain") * 3).select("query", "item_id", "gain").iter_rows()
    assert all(round(gain) == truth(query, item) for query, item, gain in gains)
    with file.open(newline="") as handle:
        assert {row["judges"] for row in csv.DictReader(handle)} == {"ann", "ann|bob"}


@pytest.mark.slow
def test_a_model_learns_what_was_judged(judged: tuple[Path, list[str], Start], shop_home: Path) -> None:
    """The words of this shop mean nothing before: what training finds, it has from the judgments alone."""
    from tfrec.cli.main import app

    folder, _, start = judged
    send, _, _ = start("--queries", str(folder / "queries.csv"), "--depth", "48", "--again")
    done, total = judge(send, "ann", 48 * 40)
    assert done == total == 48 * 40
    file = folder / "judging" / "judgments.csv"
    settings = [f"runs_dir={folder / 'learned'}", f"data.searches={file}", "data.interactions=null"]
    settings += ["evaluation.baselines=[bm25]", "synthesis.enabled=false"]
    done_training = CliRunner().invoke(app, ["train", "-c", str(shop_home), *[f"--set={one}" for one in settings]])
    assert done_training.exit_code == 0, done_training.output
    metrics: dict[str, Any] = json.loads((folder / "learned" / "known" / "metrics.json").read_text())
    systems = metrics["evaluation"]["search"]["systems"]
    values = {name: one["means"]["nDCG@10"] for name, one in systems.items()}
    assert values["tfrec"] > values["BM25"] + 0.1, values


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["judge", "report", "--folder", "nowhere"], "holds no judgments: run `tfrec judge` first"),
        (["judge", "-c", "x.yaml", "report"], "Options go after the command"),
        (["judge", "--queries", "nothing.csv"], "nothing.csv"),
    ],
)
def test_mistakes_are_one_line(
    shop_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    from tfrec.cli.main import app

    monkeypatch.chdir(tmp_path)
    given = [*words, "-c", str(shop_home), f"--set=runs_dir={tmp_path}"]
    done = CliRunner().invoke(app, [*given, *(["--folder", str(tmp_path)] if "--queries" in words else [])])
    assert done.exit_code == 2, done.output
    assert sentence in done.stderr and done.stderr.strip().splitlines()[-1].startswith("error: ")
