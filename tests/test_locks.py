"""One at a time writes in a folder, says so, and holds nobody up once it is gone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tfrec import locks
from tfrec.errors import BusyError, TfrecError
from tfrec.files import atomic_directory, remove_rests
from tfrec.locks import LOCK, alone_at

HOLD = (
    "import sys, time; from pathlib import Path; from tfrec.locks import alone_at\n"
    "with alone_at(Path(sys.argv[1]), 'training'): print('held', flush=True); time.sleep(600)"
)


def _holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline().strip() == "held"
    return process


def test_the_second_is_told_who_and_since_when_until_the_first_is_gone(tmp_path: Path) -> None:
    with _holder(tmp_path) as process:
        since = json.loads((tmp_path / LOCK).read_text())["since"]
        said = rf"in use: process {process.pid} on {socket.gethostname()} is training there since "
        with pytest.raises(BusyError, match=said) as caught, alone_at(tmp_path, "preparing"):
            pass
        assert since in str(caught.value) and "\n" not in str(caught.value)
        process.send_signal(signal.SIGKILL)
    with alone_at(tmp_path, "preparing"):
        assert json.loads((tmp_path / LOCK).read_text())["process"] == os.getpid()
    assert not (tmp_path / LOCK).exists()


def test_whoever_holds_it_may_ask_again_and_another_thread_may_not(tmp_path: Path) -> None:
    caught: list[BaseException] = []

    def other() -> None:
        try:
            with alone_at(tmp_path, "b"):
                pass
        except BusyError as error:
            caught.append(error)

    with alone_at(tmp_path, "a"), alone_at(tmp_path, "a"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with pytest.raises(BusyError), alone_at(tmp_path, "a", again=False):
            pass
    assert len(caught) == 1
    other()
    assert len(caught) == 1


def test_waiting_takes_it_when_it_is_given_back(tmp_path: Path) -> None:
    order: list[str] = []
    held, waiting = threading.Event(), threading.Event()

    def first() -> None:
        with alone_at(tmp_path, "a"):
            held.set()
            waiting.wait(5)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(5)
    waiting.set()
    with alone_at(tmp_path, "b", wait=True):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("card", [
    {"process": 2**22 + 1, "host": socket.gethostname(), "boot": "now", "doing": "x", "since": "then"},
    {"process": 1, "host": socket.gethostname(), "boot": "another start", "doing": "x", "since": "then"},
])  # fmt: skip
def test_without_flock_the_card_tells_who_lives(
    card: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_without_flock", lambda file: True)
    monkeypatch.setattr(locks, "_boot", lambda: "now")
    (tmp_path / LOCK).write_text(json.dumps(card))
    with alone_at(tmp_path, "a"):
        pass
    (tmp_path / LOCK).write_text(json.dumps(card | {"process": 1, "boot": "now"}))
    with pytest.raises(BusyError, match="process 1 on"), alone_at(tmp_path, "a"):
        pass


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TfrecError, match="cannot be written"), alone_at(tmp_path / "file" / "run", "a"):
        pass


def test_what_a_living_process_writes_stays_and_what_a_dead_one_left_goes(tmp_path: Path) -> None:
    code = (
        "import sys, time; from tfrec.files import atomic_directory\n"
        "with atomic_directory(sys.argv[1]) as aside: print(aside, flush=True); time.sleep(600)"
    )
    target = tmp_path / "deep" / "out"
    command = [sys.executable, "-c", code, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        aside = Path(process.stdout.readline().strip())
        remove_rests(tmp_path)
        with atomic_directory(target) as mine:
            (mine / "a").write_text("mine")
        assert aside.is_dir() and (target / "a").read_text() == "mine"
        process.send_signal(signal.SIGKILL)
    (tmp_path / "deep" / ".x.json.partial-0").write_text("half")
    remove_rests(tmp_path)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
