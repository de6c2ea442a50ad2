"""What commands do to each other in one run folder: nothing that is not said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.run_folder.forked import Commands
from tests.run_folder.sequences import Shop, exports_of, manifest_of
from tests.run_folder.tiny_shop import STATES, write_items


@pytest.fixture(scope="module")
def trained(tiny_encoder: Path, commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration file of a tiny shop that has been trained, to be copied."""
    from tests.run_folder.tiny_shop import write_shop

    config = write_shop(tmp_path_factory.mktemp("trained") / "shop", tiny_encoder)
    shop = Shop(config, commands)
    assert shop.do(shop.order("train", 17)) == [0], shop.told()
    return config


@pytest.fixture()
def shop(trained: Path, commands: Commands, tmp_path: Path) -> Shop:
    """A trained shop of one's own."""
    shutil.copytree(trained.parent, tmp_path / "shop", ignore=shutil.ignore_patterns("home"))
    return Shop(tmp_path / "shop" / trained.name, commands)


def _run(shop: Shop, kind: str, seed: int = 17, **how: Any) -> tuple[int, str]:
    return shop.commands.run(shop.order(kind, seed, **how))[0]


@pytest.mark.slow
def test_a_changed_configuration_leaves_the_finished_run_alone_until_it_has_ended(shop: Shop) -> None:
    assert _run(shop, "train")[0] == 0
    first = manifest_of(exports_of(shop.run)[-1])["signature"]
    metrics, config = (shop.run / "metrics.json").read_bytes(), (shop.run / "config.yaml").read_bytes()
    for rename in (3, 1, 2):  # killed when its data is prepared, at its first checkpoint, and while replacing that
        assert _run(shop, "train", 99, rename=rename)[0] == -9
        assert (shop.run / "metrics.json").read_bytes() == metrics
        assert (shop.run / "config.yaml").read_bytes() == config
        code, text = _run(shop, "train")
        assert code == 0 and [manifest_of(export)["signature"] for export in exports_of(shop.run)] == [first], text
    assert _run(shop, "train", 99)[0] == 0  # goes on, ends, and is the run from now on
    assert manifest_of(exports_of(shop.run)[-1])["signature"] != first
    assert _run(shop, "evaluate")[0] == 2 and _run(shop, "evaluate", 99)[0] == 0


def test_a_checkpoint_of_another_training_is_refused(shop: Shop, commands: Commands) -> None:
    mine = next((shop.run / "checkpoints").glob("*/best-*"))
    assert _run(shop, "only", 99)[0] == 0
    theirs = next((shop.run / "checkpoints").glob("*/best-*"))
    assert mine.parent != theirs.parent
    shutil.copytree(theirs, mine)
    shutil.rmtree(theirs)
    shutil.copytree(mine, theirs)
    state = json.loads((theirs / "state.json").read_text())
    (theirs / "state.json").write_text(json.dumps(state | {"signature": "0" * 64}))
    code, text = _run(shop, "export", 99)
    assert code == 2 and "is of another training" in text


@pytest.mark.slow
def test_commands_that_read_change_nothing_that_a_run_rests_on(shop: Shop) -> None:
    before = _files(shop.run)
    write_items(shop.config.parent, 1)
    for kind in ("inspect", "dense", "export"):
        code, text = _run(shop, kind)
        assert code == 0 and text.count("items.csv has changed since") == 1, text
    argv = ["augment", "preview", "red sofa", "--operation", "typo", "--config", str(shop.config)]
    code, text = shop.commands.run({"argv": argv})[0]
    assert code == 0 and "items.csv has changed since" in text, text
    after = _files(shop.run)
    told = ("metrics", "report.html", "stages.json", "rankings")  # what `evaluate` is there to write
    assert {name: after.get(name) for name in before if not name.startswith(told)} == {
        name: value for name, value in before.items() if not name.startswith(told)
    }
    code, text = _run(shop, "update")
    assert code == 0 and "1 new" in text and "1 removed" in text, text
    manifest = manifest_of(exports_of(shop.run)[-1])
    assert "lexical" in manifest["retrieval"]["scorers"], "weights of another retrieval do not rank an update"
    assert not manifest["metrics"], "what was measured of another ranking is not told"
    (shop.config.parent / "items.csv").unlink()
    code, text = _run(shop, "evaluate")
    assert code == 0 and "may have changed" in text and "Traceback" not in text, text


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


def test_data_that_nothing_refers_to_goes(shop: Shop) -> None:
    for state in (1, 0, 1):
        write_items(shop.config.parent, state)
        assert _run(shop, "prepare")[0] == 0
        assert len(list((shop.run / "data").iterdir())) <= 2
    assert _run(shop, "only")[0] == 0
    assert len(list((shop.run / "data").iterdir())) == 1 and len(list((shop.run / "checkpoints").iterdir())) == 1


@pytest.fixture()
def busy(shop: Shop) -> Iterator[Shop]:
    """The shop while another process holds its run folder."""
    code = (
        "import sys, time; from pathlib import Path; from tfrec.locks import alone_at\n"
        f"with alone_at(Path({str(shop.run)!r}), 'training or preparing'): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline().strip() == "held"
        yield shop
        process.kill()
        process.wait()
        assert _run(shop, "prepare")[0] == 0, "the lock of a process that was killed holds nobody up"
        assert not (shop.run / ".lock").exists()


@pytest.mark.parametrize(
    ("writers", "readers"),
    [
        ([("train", 17), ("prepare", 17)], ["inspect", "export"]),
        pytest.param([("train", 99)], ["evaluate", "update"], marks=pytest.mark.slow),
    ],
)
def test_a_second_writer_is_told_who_is_at_work_and_readers_may_read(
    busy: Shop, writers: list[tuple[str, int]], readers: list[str]
) -> None:
    card = json.loads((busy.run / ".lock").read_text())
    for kind, seed in writers:
        code, text = _run(busy, kind, seed)
        assert code == 2 and text.count("error: ") == 1 and "Traceback" not in text, text
        assert f"process {card['process']}" in text and card["since"] in text and "wait until" in text
    for kind in readers:
        code, text = _run(busy, kind)
        assert code == 0, text


@pytest.mark.slow
def test_two_at_once_end_well_both(tiny: Path, commands: Commands) -> None:
    shop = Shop(tiny, commands)
    codes = shop.do(*(shop.order(kind, 17) for kind in ("train", "train", "prepare")))
    assert 0 in codes, shop.told()
    assert shop.do(shop.order("train", 17)) == [0], shop.told()
    assert len(exports_of(shop.run)) == 1


@pytest.mark.parametrize("size", ["64k", "300k", "500k"])
@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_the_same_command_goes_on(
    tiny: Path, commands: Commands, tmp_path: Path, size: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]).returncode:
        pytest.skip("a small disk cannot be mounted here")
    shop = Shop(tiny, commands)
    try:
        order = shop.order("train", 17)
        order["argv"] += ["--set", f"runs_dir={disk}"]
        code, text = commands.run(order)[0]
        assert code == 2 and "disk is full while writing" in text and str(disk) in text, text
        assert "Traceback" not in text and text.count("error: ") == 1
        assert not list(disk.rglob(".*.partial-*"))
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        assert shop.do(order) == [0], shop.told()
        assert len(exports_of(disk / "tiny")) == 1
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("command", ["train", "tune", "synth run", "data prepare", "index update", "evaluate"])
def test_a_folder_that_cannot_be_written_is_one_sentence(tiny: Path, commands: Commands, command: str) -> None:
    (tiny.parent / "runs").write_text("a file, so that no folder can be made here")
    code, text = commands.run({"argv": [*command.split(), "--config", str(tiny)]})[0]
    assert code == 2 and text.count("error: ") == 1 and "Traceback" not in text, text
    assert command in ("index update", "evaluate") or str(tiny.parent / "runs") in text, text


ASCII = {"PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


@pytest.mark.slow
def test_a_terminal_that_knows_ascii_only_gets_answers_as_they_are(
    trained: Path, tmp_path: Path, commands: Commands
) -> None:
    asked = tmp_path / "asked.csv"
    asked.write_text("query_id,query\n沙发,red sofa\n", "utf-8")
    export = trained.parent / "runs" / "tiny" / "export"
    program = [sys.executable, "-m", "tfrec", "search", "--export", str(export), "--queries", str(asked), "-k", "1"]
    done = subprocess.run(program, env=os.environ | ASCII, capture_output=True, timeout=300)
    assert done.returncode == 0 and done.stdout.decode("utf-8").startswith("沙发 "), "answers are never replaced"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "environment"), [("export", ASCII), ("train", {"LC_ALL": "POSIX", "PYTHONUTF8": "0"})]
)
def test_a_terminal_that_knows_ascii_only_gets_the_export_and_replaced_letters(
    trained: Path, tmp_path: Path, command: str, environment: dict[str, str], commands: Commands
) -> None:
    folder = tmp_path / "rødt ↔ 沙发"  # which the command names as the place of its export
    shutil.copytree(trained.parent, folder)
    shutil.rmtree(folder / "runs" / "tiny" / "export")
    program = [sys.executable, "-m", "tfrec", command, "--config", str(folder / trained.name), "--set", "seed=17"]
    home = {"TFREC_HOME": commands.home, "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(program, env=os.environ | home | environment, capture_output=True, timeout=300)
    assert done.returncode == 0 and b"Exported" in done.stdout, done.stderr.decode()
    assert exports_of(folder / "runs" / "tiny")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.slow
def test_an_output_that_is_full_does_not_cost_the_export(shop: Shop) -> None:
    shutil.rmtree(shop.run / "export")
    _, text = _run(shop, "train", output="/dev/full")
    assert len(exports_of(shop.run)) == 1 and "Traceback" not in text, text


@pytest.mark.slow
@pytest.mark.parametrize(
    "rows",
    [STATES[0][: len(STATES[0]) // 2], [("new", "yellow sofa")]],
    ids=["half of the judged ones", "all of them, with one that is new"],
)
def test_products_that_left_void_nothing(shop: Shop, rows: list[tuple[str, str]]) -> None:
    items = shop.config.parent / "items.csv"
    items.write_text("item_id,title\n" + "".join(f"{item},{title}\n" for item, title in rows))
    order = shop.order("update", 17)
    if len(rows) == 1:  # how many faults are borne changes nothing that was trained
        order["argv"] += ["--set", "data.cleaning.max_faulty_share=0.9"]
    code, text = shop.commands.run(order)[0]
    assert code == 0 and "faulty" not in text, text
    assert manifest_of(exports_of(shop.run)[-1])["items"] == len(rows)


def test_steps_alone_decide_where_steps_and_minutes_are_given(tiny: Path, commands: Commands) -> None:
    order = {"argv": ["train", "--only", "--config", str(tiny), "--set", "training.max_minutes=0.00001"]}
    code, text = commands.run(order)[0]
    metrics = json.loads((tiny.parent / "runs" / "tiny" / "metrics.json").read_text())
    assert code == 0 and metrics["training"]["steps"] == 6, text
    order = {"argv": ["tune", "--config", str(tiny), "--minutes-per-trial", "1"]}
    code, text = commands.run(order)[0]
    assert code == 2 and "training.max_steps" in text and text.count("error: ") == 1, text
