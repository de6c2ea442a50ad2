"""What judges press is on the disk before the next item is shown, whatever happens then."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tfrec.data.judging.strokes import Stroke, Strokes, grades_of, read_strokes
from tfrec.data.judging.table import judgments_csv
from tfrec.errors import DataError, TfrecError

WRITER = """
import sys
from pathlib import Path
from tfrec.data.judging.strokes import Stroke, Strokes
with Strokes(Path(sys.argv[1])) as strokes:
    for number in range(10**6):
        strokes.add(Stroke("Änne", "灯 lamp", f"item-{number}", number % 4))
        print(number, flush=True)
"""


def graded(file: Path) -> dict[tuple[str, str], dict[str, int]]:
    return grades_of(read_strokes(file)[0])


def test_strokes_come_back_and_undo_takes_the_latest_of_a_judge(tmp_path: Path) -> None:
    file = tmp_path / "judging" / "strokes.jsonl"
    with Strokes(file) as strokes:
        strokes.add(Stroke("a", "sofa", "S-1", 3))
        strokes.add(Stroke("b", "sofa", "S-1", 1))
        strokes.add(Stroke("a", "sofa", "S-2", None))
        strokes.add(Stroke("a", "sofa", "S-3", 0))
        assert strokes.undo("a") == Stroke("a", "sofa", "S-3", 0)
        strokes.add(Stroke("a", "lamp", None, None))
        assert strokes.undo("c") is None
        told = strokes.by_judge
    assert read_strokes(file)[0] == told
    assert graded(file) == {("sofa", "S-1"): {"a": 3, "b": 1}}
    with Strokes(file) as strokes:
        strokes.undo("a")
        strokes.undo("a")
        strokes.add(Stroke("a", "sofa", "S-1", 2))  # given again: the later one counts
    assert graded(file) == {("sofa", "S-1"): {"a": 2, "b": 1}}


def test_a_kill_loses_the_key_in_flight_at_most(tmp_path: Path) -> None:
    file = tmp_path / "strokes.jsonl"
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(40)]
    child.send_signal(signal.SIGKILL)
    told += [int(line) for line in child.communicate()[0].splitlines()]
    assert child.returncode == -signal.SIGKILL
    kept = len(read_strokes(file)[0]["Änne"])
    assert told[-1] + 1 <= kept <= told[-1] + 2
    with Strokes(file) as strokes:
        strokes.add(Stroke("Änne", "灯 lamp", "after", 1))
    assert len(graded(file)) == kept + 1


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_half_a_line_of_a_killed_process_is_cut_off(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "strokes.jsonl"
    with Strokes(file) as strokes:
        for number in range(3):
            strokes.add(Stroke("a", "q", f"i{number}", 1))
    file.write_bytes(file.read_bytes()[:-cut])
    assert len(graded(file)) == 2
    with Strokes(file) as strokes:
        strokes.add(Stroke("a", "q", "new", 2))
    assert graded(file) == {("q", "i0"): {"a": 1}, ("q", "i1"): {"a": 1}, ("q", "new"): {"a": 2}}


@pytest.mark.parametrize(
    "line",
    ['{"judge": "a"}', "nonsense", "[1]", '{"judge": "a", "query": "q", "item": "i", "grade": 4}',
     '{"judge": "a", "query": "q", "item": "i", "grade": true}', '{"judge": "", "undo": true}',
     '{"judge": "a", "query": "q", "item": null, "grade": 1}', ""],
)  # fmt: skip
def test_what_nobody_pressed_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "strokes.jsonl"
    with Strokes(file) as strokes:
        strokes.add(Stroke("a", "q", "i", 1))
    file.write_bytes(file.read_bytes() + line.encode() + b"\n")
    with pytest.raises(DataError, match="line 2"):
        read_strokes(file)
    with pytest.raises(DataError, match="line 2"):
        Strokes(file)


def test_a_full_disk_is_told_and_leaves_no_half_line(tmp_path: Path) -> None:
    import resource

    file = tmp_path / "strokes.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Strokes(file) as strokes:
        strokes.add(Stroke("a", "q", "i", 1))
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 10, before[1]))
            with pytest.raises(TfrecError, match="disk is full"):
                strokes.add(Stroke("a", "q", "j", 1))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert len(strokes.by_judge["a"]) == 1
        strokes.add(Stroke("a", "q", "k", 1))
    assert graded(file) == {("q", "i"): {"a": 1}, ("q", "k"): {"a": 1}}


def test_the_table_has_means_and_who_gave_what() -> None:
    grades = {("a, b", "I-1"): {"ann": 3, "bob": 2}, ('"q"', "I-2"): {"ann": 0}, ("灯", "I-3"): {"bob": 1}}
    assert judgments_csv(grades, {"I-1": "Sofa, red"}, {}).splitlines() == [
        "query,item_id,gain,weight,title,judges,grades",
        '"a, b",I-1,0.8333,1,"Sofa, red",ann|bob,3|2',
        '"""q""",I-2,0,1,,ann,0',
        "灯,I-3,0.3333,1,,bob,1",
    ]
