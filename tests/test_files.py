"""Nothing half-written is ever taken for whole."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tfrec.errors import TfrecError
from tfrec.files import atomic_directory, atomic_write, read_json, sha256_file, speaking_os_errors, write_json


def test_a_failed_block_leaves_the_old_folder_and_no_rest(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with atomic_directory(target) as aside:
        (aside / "a").write_text("old")
    with pytest.raises(ValueError), atomic_directory(target) as aside:
        (aside / "a").write_text("new")
        raise ValueError
    assert (target / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    for name in ("a", "b"):
        with atomic_directory(target) as aside:
            (aside / name).write_text(name)
    assert [p.name for p in target.iterdir()] == ["b"]


def test_a_kill_between_the_two_renames_is_repaired(tmp_path: Path) -> None:
    (tmp_path / ".out.old").mkdir()
    (tmp_path / ".out.old" / "a").write_text("old")
    with pytest.raises(ValueError), atomic_directory(tmp_path / "out"):
        raise ValueError
    assert (tmp_path / "out" / "a").read_text() == "old"


def test_kill_9_while_writing_leaves_no_target(tmp_path: Path) -> None:
    code = (
        "import sys, time; from tfrec.files import atomic_directory\n"
        f"with atomic_directory({str(tmp_path / 'out')!r}) as aside:\n"
        "    (aside / 'a').write_text('x'); print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline().strip() == "ready"
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "out").exists()
    with atomic_directory(tmp_path / "out") as aside:
        (aside / "a").write_text("whole")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"], "the killed run's rest must be gone"


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "cannot be written")])
def test_system_errors_are_told_in_a_sentence(tmp_path: Path, number: int, said: str) -> None:
    with pytest.raises(TfrecError, match=said), speaking_os_errors(tmp_path):
        raise OSError(number, os.strerror(number))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atomic_write(tmp_path / "a", "old")
    opened = Path.open

    def full(self: Path, *args: object, **kwargs: object) -> object:
        return opened(Path("/dev/full"), "wb") if ".partial-" in self.name else opened(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(TfrecError, match="disk is full"):
        atomic_write(tmp_path / "a", "new")
    monkeypatch.undo()
    assert (tmp_path / "a").read_text() == "old"


def test_json_round_trip_and_broken_json_is_named(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": [1, "ü"]})
    assert read_json(tmp_path / "a.json") == {"b": [1, "ü"]}
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(TfrecError, match=r"a\.json"):
        read_json(tmp_path / "a.json")


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_importing_tfrec_and_its_command_line_is_light() -> None:
    code = (
        "import sys, tfrec, tfrec.cli.main\n"
        "heavy = {'tensorflow', 'polars', 'pydantic', 'scipy', 'pyarrow', 'bm25s', 'grpc'} & set(sys.modules)\n"
        "sys.exit(f'imported at start: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
