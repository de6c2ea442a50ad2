"""`tfrec search` as a command: files in, rankings out in the same order."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tfrec.errors import DataError
from tfrec.export.batch import Request, read_requests, trec_lines
from tfrec.export.loaded import LoadedModel


@pytest.fixture
def run(exported: Path, loaded: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command on the export, which is loaded once for all tests."""
    import typer

    from tfrec.cli.search import search

    open_ = LoadedModel.open
    monkeypatch.setattr(LoadedModel, "open", lambda path: loaded if path == exported.parent else open_(path))
    app = typer.Typer()
    app.command()(search)

    def invoke(*arguments: str | Path) -> Any:
        return CliRunner().invoke(app, ["--export", str(exported.parent), *map(str, arguments)])

    return invoke


def write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_jsonl_rows_come_in_input_order_with_the_model_ranking(run: Any, loaded: Any, tmp_path: Path) -> None:
    queries = [f"{'with drawer ' * (7 * n % 5)}sofa {n}" for n in range(600)]  # lengths mixed, more than one call
    text = "query_id,query\n" + "".join(f"q{600 - n},{query}\n" for n, query in enumerate(queries))
    output = tmp_path / "out" / "run.jsonl"
    done = run("--queries", write(tmp_path / "q.csv", text), "--k", 3, "--format", "jsonl", "--output", output)
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert [row["query_id"] for row in rows] == [f"q{600 - n}" for n in range(600)]
    expected = loaded.search(queries, 3)
    for number in (0, 1, 2, 511, 512, 599):
        scores = [item["score"] for item in rows[number]["items"]]
        assert scores == pytest.approx(expected.scores[number].tolist(), abs=1e-5)
    assert [entry.name for entry in output.parent.iterdir()] == ["run.jsonl"]


def test_trec_lines_have_six_columns_and_ranks_from_one(run: Any, loaded: Any, tmp_path: Path) -> None:
    candidates = [f"model {n} sofa" for n in range(40)]
    ranking = loaded.search(candidates, 5)  # some ids hold a space, which a TREC run cannot say
    plain = [row for row in range(40) if not any(" " in item_id for item_id in ranking.item_ids[row])][:2]
    text = "query_id\tquery\n" + "".join(f"q{row}\t{candidates[row]}\n" for row in reversed(plain))
    done = run("--queries", write(tmp_path / "q.tsv.gz", text), "--k", 5, "--tag", "mine")
    assert done.exit_code == 0, done.output
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    expected = [(f"q{row}", "Q0", ranking.item_ids[row, n], str(n + 1)) for row in reversed(plain) for n in range(5)]
    assert [tuple(line[:4]) for line in lines] == expected and {line[5] for line in lines} == {"mine"}
    scores = [ranking.scores[row, n] for row in reversed(plain) for n in range(5)]
    assert [float(line[4]) for line in lines] == pytest.approx(scores, abs=1e-5)


def test_history_in_the_file_personalises(run: Any, loaded: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", '{"query_id": 1, "query": "red sofa", "history": ["item-3", "item-4"]}\n'
                 '{"query_id": 2, "query": "red sofa"}\n')  # fmt: skip
    done = run("--queries", file, "--k", 4, "--format", "jsonl")
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    expected = loaded.personalised_search(["red sofa", "red sofa"], [["item-3", "item-4"], []], 4)
    assert [[item["item_id"] for item in row["items"]] for row in rows] == expected.item_ids.tolist()
    assert rows[0]["items"] != rows[1]["items"] and rows[0]["query_id"] == "1"


def test_users_get_recommendations_without_their_history(run: Any, loaded: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "u.csv", "user_id,history\nann,item-3 item-77\nbob,\n")
    done = run("--users", file, "--k", 120, "--format", "jsonl")
    assert done.exit_code == 0, done.output
    ann, bob = (json.loads(line) for line in done.stdout.splitlines())
    assert (ann["user_id"], len(ann["items"]), len(bob["items"])) == ("ann", 118, 120)
    assert not {"item-3", "item-77"} & {item["item_id"] for item in ann["items"]}
    assert [item["item_id"] for item in bob["items"]] == loaded.search([""], 120).item_ids[0].tolist()


def test_the_table_shows_query_and_ranks(run: Any, tmp_path: Path) -> None:
    done = run("--queries", write(tmp_path / "q.csv", "query_id,query\n7,red sofa\n"), "--k", 2, "--format", "table")
    lines = done.stdout.splitlines()
    assert lines[0] == "7 · red sofa" and lines[1].split() == ["rank", "item_id", "score"]
    assert [line.split()[0] for line in lines[2:4]] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("query_id,text\n1,a\n", "no column 'query'"),
        ("id,query\n1,a\n", "no column 'query_id'"),
        ("a,b\n1,2\n", "no column 'query_id'"),
        ("query_id,query\n1,a\n2,b\n1,c\n", "row 4: query_id '1' was already used in row 2"),
        ("query_id,query\n1,a\n,b\n", "row 3: query_id is empty"),
        ("query_id,query\n1,a,b,c\n", "row 2"),
        ('query_id,query\n1,"red sofa\n2,lamp\n3,"blue chair\n4,rug\n', "look like rows of their own"),
        ("", "is empty"),
    ],
)
def test_bad_query_files_are_named_in_one_sentence(run: Any, tmp_path: Path, text: str, named: str) -> None:
    output = tmp_path / "run"
    done = run("--queries", write(tmp_path / "q.csv", text), "--output", output)
    assert done.exit_code == 2 and not output.exists()
    assert named in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize(
    ("option", "name", "content"),
    [
        ("--queries", "q.csv", "query_id,query\n"),
        ("--queries", "q.tsv", "query_id\tquery\n"),
        ("--queries", "q.csv", "query_id,query,history\n\n"),
        ("--queries", "q.jsonl", "\n"),
        ("--users", "u.csv", "user_id,history\n"),
    ],
)
def test_a_file_without_rows_has_an_empty_answer(
    run: Any, tmp_path: Path, option: str, name: str, content: str
) -> None:
    output = tmp_path / "answers"
    done = run(option, write(tmp_path / name, content), "--output", output)
    assert done.exit_code == 0, done.output
    assert output.read_text() == "" and f"{name} has no rows: the answer is empty." in done.stderr


def test_a_command_that_ends_early_is_not_aborted_by_reading_threads(tmp_path: Path) -> None:
    """Before, Arrow called a Python stream from a thread while the interpreter ended: exit 134 in half of the runs."""
    import subprocess
    import sys

    header_only = write(tmp_path / "q.csv", "query_id,query\n")
    long = write(
        tmp_path / "long.csv", "query_id,query\n1,a,b\n" + "".join(f"{n},{'sofa ' * 40}\n" for n in range(99_999))
    )
    for file, said in ((header_only, "holds no export"), *3 * [(long, "row 2: 3 fields instead of 2")]):
        command = [sys.executable, "-m", "tfrec", "search", "--export", str(tmp_path), "--queries", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 2 and said in done.stderr, (done.returncode, done.stderr)


def test_other_mistakes_are_named(run: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "q.csv", "query_id,query\n1,a\n")
    assert "either --queries FILE or --users FILE" in run().stderr
    assert "either --queries FILE or --users FILE" in run("--queries", file, "--users", file).stderr
    assert "There is no file" in run("--queries", tmp_path / "nowhere.csv").stderr
    assert "no column 'user_id'" in run("--users", file).stderr
    assert "holds no export" in run("--queries", file, "--export", tmp_path).stderr


def test_answers_replace_neither_the_requests_nor_a_part_of_the_export(
    run: Any, exported: Path, tmp_path: Path
) -> None:
    text = "query_id,query\n1,red sofa\n"
    file = write(tmp_path / "q.csv", text)
    (tmp_path / "link.csv").symlink_to(file)
    for output, said in (
        (file, "is the file of the requests"),
        (tmp_path / "link.csv", "is the file of the requests"),
        (tmp_path, "is a folder"),
        (exported / "answers.trec", "lies in the export"),
    ):
        done = run("--queries", file, "--output", output)
        assert done.exit_code == 2 and said in done.stderr
        assert "Loading" not in done.stderr, "told after the search"
    assert file.read_text() == text


def test_a_failure_midway_leaves_no_output(run: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "q.csv", "query_id,query\n1,red sofa\n")
    output = tmp_path / "run.trec"
    output.write_text("old")
    done = run("--queries", file, "--k", 120, "--output", output)  # among all items are ids with a space
    assert done.exit_code == 2 and "is not one word" in done.stderr
    assert output.read_text() == "old" and sorted(p.name for p in tmp_path.iterdir()) == ["q.csv", "run.trec"]


def test_a_trec_run_takes_only_single_words() -> None:
    good, hits = Request("1", "a", []), [("i-1", 0.5)]
    assert list(trec_lines([(good, hits)], "t")) == ["1 Q0 i-1 1 0.5000000 t"]
    for request, found, tag in (
        (Request("1 2", "", []), hits, "t"),
        (good, [("i 1", 0.5)], "t"),
        (good, hits, "my tag"),
    ):
        with pytest.raises(DataError, match="not one word"):
            list(trec_lines([(request, found)], tag))


def test_a_quote_at_the_start_of_a_tab_separated_query_is_a_character(tmp_path: Path) -> None:
    file = write(tmp_path / "q.tsv", 'query_id\tquery\n1\t"red sofa\n2\tlamp\n3\t"blue\n4\t10" pan\n')
    found = [(request.name, request.query) for request in read_requests(file, "query_id")]
    assert found == [("1", '"red sofa'), ("2", "lamp"), ("3", '"blue'), ("4", '10" pan')]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_histories_in_lists_keep_blanks_in_ids_and_numbers_become_ids(kind: str, tmp_path: Path) -> None:
    import polars as pl

    file = tmp_path / f"u.{kind}"
    texts = {"user_id": ["2.00", "b", "c"], "history": [["ärtikel 10", " item-3 "], ["2.00"], []]}
    frame = pl.DataFrame(texts)
    frame.write_ndjson(file) if kind == "jsonl" else frame.write_parquet(file)
    assert [tuple(request) for request in read_requests(file, "user_id")] == [
        ("2.00", "", ["ärtikel 10", "item-3"]), ("b", "", ["2.00"]), ("c", "", []),
    ]  # fmt: skip
    numbers = pl.DataFrame({"user_id": [1.0, 2.0], "history": [[3.0, 17850.0], [2.5]]})
    numbers.write_ndjson(file) if kind == "jsonl" else numbers.write_parquet(file)
    assert [(request.name, request.history) for request in read_requests(file, "user_id")] == [
        ("1", ["3", "17850"]), ("2", ["2.5"]),
    ]  # fmt: skip


def test_ids_keep_their_form(tmp_path: Path) -> None:
    file = write(tmp_path / "q.csv", 'query_id,query,history\n007,"a, ""b""",x  y\n')
    assert read_requests(file, "query_id") == [Request("007", 'a, "b"', ["x", "y"])]
