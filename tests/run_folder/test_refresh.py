"""`tfrec refresh` on a shop that changes: what is served afterwards, whatever was damaged, killed or run twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.run_folder.forked import Commands
from tests.run_folder.growing_shop import (
    COLOURS,
    NEW,
    SHOPPER,
    SIZES,
    TEXTS,
    THINGS,
    mix_up_titles,
    take_in,
    write_growing_shop,
)
from tfrec.export.manifest import verify_manifest
from tfrec.lifecycle.act_log import read_acts, standing
from tfrec.lifecycle.models_config import Servers, is_told

CATALOGUE_ONLY = ("--set", "update.training=false")


@dataclass
class Growing:
    """A growing shop and its commands."""

    config: Path
    commands: Commands

    @property
    def run(self) -> Path:
        return self.config.parent / "runs" / "growing"

    @property
    def export(self) -> Path:
        return self.run / "export"

    def do(self, command: str, *more: str, **how: Any) -> tuple[int, str]:
        """(exit code, everything written); a traceback is never part of it."""
        code, text = self.commands.run({"argv": [command, "-c", str(self.config), *more], **how})[0]
        assert "Traceback" not in text, text
        return code, text

    def first(self, version: int, queries: list[str]) -> list[str]:
        """The item that a version finds first for each query."""
        from tfrec.export.loaded import LoadedModel

        return LoadedModel.open(self.export / str(version)).search(queries, 1).item_ids[:, 0].tolist()


@pytest.fixture(scope="module")
def served(scratch_encoder: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Growing]:
    """The shop after its first refresh: version 1 is served."""
    folder = tmp_path_factory.mktemp("growing")
    config = write_growing_shop(folder / "shop", scratch_encoder(TEXTS, **SIZES))
    commands = Commands({"TFREC_HOME": str(folder / "shop" / "home"), "TF_CPP_MIN_LOG_LEVEL": "3"})
    shop = Growing(config, commands)
    code, text = shop.do("refresh")
    assert code == 0 and "Version 1 is stable (was nothing)." in text, text
    yield shop
    commands.close()


@pytest.fixture()
def shop(served: Growing, tmp_path: Path) -> Growing:
    """A copy of it."""
    shutil.copytree(served.config.parent, tmp_path / "shop", ignore=shutil.ignore_patterns("home"))
    return Growing(tmp_path / "shop" / served.config.name, served.commands)


def holding(folder: Path, word: str) -> list[str]:
    """Files below a folder in which a word stands; those of a table are read, for they are packed."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        text = path.read_bytes()
        if path.suffix == ".parquet":
            text += repr(pl.read_parquet(path).rows()).encode()
        if word.encode() in text:
            found.append(path.relative_to(folder).as_posix())
    return found


def test_no_shoppers_id_stands_in_what_leaves_the_run_folder(served: Growing) -> None:
    places = {name.split("/")[0] for name in holding(served.run, SHOPPER)}
    assert places == {"data"}, "exports, cards, reports, logs, metrics and checkpoints name nobody"
    prepared = {name.split("/")[-1] for name in holding(served.run / "data", SHOPPER)}
    assert prepared == {"interactions.parquet"}
    for command in ("gate", "versions", "report"):
        assert SHOPPER not in served.do(command)[1]


@pytest.mark.slow
def test_forgotten_shoppers_are_taken_out_and_stay_out(shop: Growing) -> None:
    gone = [f"{SHOPPER}{number}~{place}" for number in (0, 1) for place in (0, 1)]
    (shop.config.parent / "gone.txt").write_text("\n".join(gone) + "\n\nnobody~at~all\n")
    code, text = shop.do("forget", str(shop.config.parent / "gone.txt"))
    assert code == 0 and "5 shoppers are left out" in text and "Versions made with one of them: 1." in text, text
    assert not any(holding(shop.config.parent / "runs", one) for one in gone)
    assert holding(shop.run, f"{SHOPPER}0~2"), "the others stay"
    salt = shop.config.parent / "runs" / "shoppers.salt"
    assert salt.stat().st_mode & 0o777 == 0o600
    code, text = shop.do("refresh", *CATALOGUE_ONLY)
    assert code == 0 and "Version 2 is stable" in text, text
    assert not any(holding(shop.config.parent / "runs", one) for one in gone)
    again = shop.do("forget", str(shop.config.parent / "gone.txt"))[1]
    assert "0 rows" in again and "Versions made with one of them: 1, 2." in again, "its weights were"
    (shop.config.parent / "gone.txt").write_text("\n")
    code, text = shop.do("forget", str(shop.config.parent / "gone.txt"))
    assert code == 2 and "names no shopper" in text, text


def files(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_an_update_learns_what_is_new_and_forgets_nothing_and_twice_is_once(shop: Growing) -> None:
    before = files(shop.run)
    assert shop.do("refresh")[0] == 0 and files(shop.run) == before, "nothing was new"
    take_in(shop.config.parent, "clock")
    code, text = shop.do("refresh")
    assert code == 0 and "6 new items" in text and "Version 2 is stable (was version 1)." in text, text
    held_out, names = COLOURS[-1], {**THINGS, "clock": NEW["clock"]}
    found = shop.first(2, [f"{held_out} {name}" for name in names.values()])
    assert found == [f"{thing}-{held_out}" for thing in names], "a new name is taught, none is forgotten"
    acts = read_acts(shop.export)
    assert [(act.act, act.version) for act in acts] == [("promote", 1), ("promote", 2)]
    before = files(shop.run)
    code, text = shop.do("refresh")
    assert code == 0 and "Nothing is new: version 2 is served." in text and files(shop.run) == before, text
    assert "Nothing is new" in shop.do("update")[1]
    # what somebody took back does not come again by itself
    assert shop.do("rollback")[0] == 0
    code, text = shop.do("refresh")
    assert code == 0 and "was stable before" in text and standing(shop.export).stable == 1, text


@pytest.mark.parametrize("training", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_damaged_candidate_is_refused_and_the_old_version_serves_on(shop: Growing, training: bool) -> None:
    items = (shop.config.parent / "items.csv").read_bytes()
    mix_up_titles(shop.config.parent)
    more = () if training else CATALOGUE_ONLY
    code, text = shop.do("refresh", *more)
    assert code == 3 and "falls from" in text and "version 1 serves on" in text, text
    assert standing(shop.export).stable == 1 and is_told(Servers(shop.export), standing(shop.export), whole=False)
    act = read_acts(shop.export)[-1]
    assert (act.act, act.version, act.after.stable) == ("leave", 2, 1) and act.reason.startswith("refuse: ")
    before = files(shop.run)
    assert shop.do("refresh", *more)[0] == 3 and files(shop.run) == before, "it is told again, and nothing is done"
    if training:  # the next one goes on from the served weights, not from those that were refused
        (shop.config.parent / "items.csv").write_bytes(items)
        take_in(shop.config.parent, "clock")
        code, text = shop.do("refresh")
        assert code == 0 and "6 new items" in text and "Version 3 is stable (was version 1)." in text, text


@pytest.mark.slow
def test_tables_unlike_those_that_trained_are_refused_before_training_and_can_be_accepted(shop: Growing) -> None:
    purchases = shop.config.parent / "purchases.csv"
    lines = purchases.read_text().splitlines(keepends=True)
    purchases.write_text("".join(line for line in lines if "2024-06" not in line and "2024-05" not in line))
    for more in ((), ("--full",)):
        code, text = shop.do("refresh", *more)
        assert code == 2 and "interactions.timestamp ends 61" in text and "interactions has 120 rows" in text, text
    assert shop.do("update")[0] == 2 and standing(shop.export).stable == 1 and not (shop.export / "2").exists()
    code, text = shop.do("refresh", "--set", "checks.accept=[interactions]", *CATALOGUE_ONLY)
    assert code == 0 and "Version 2 is stable" in text, text
    assert "Nothing is new" in shop.do("refresh", *CATALOGUE_ONLY)[1], "what was accepted is what it compares with"


def _killed(shop: Growing, moment: int, *more: str) -> bool:
    """Kills a refresh at a rename, checks what it leaves, and lets the same command finish."""
    take_in(shop.config.parent, "vase")
    code, text = shop.do("refresh", *more, rename=moment)
    assert code in (-9, 0), text
    stands = standing(shop.export)
    assert stands.stable in (1, 2) and verify_manifest(shop.export / str(stands.stable)) is not None
    assert (shop.export / "models.config").is_file()
    code_after, text = shop.do("refresh", *more)
    assert code_after == 0, f"killed at {moment}: {text}"
    stands = standing(shop.export)
    assert stands.stable == 2 and is_told(Servers(shop.export), stands, whole=False), f"killed at {moment}: {text}"
    assert [(act.act, act.version) for act in read_acts(shop.export)] == [("promote", 1), ("promote", 2)]
    assert sorted(path.name for path in shop.export.iterdir() if path.is_dir()) == ["1", "2"]
    assert not list(shop.run.rglob(".*.partial-*")), f"killed at {moment}"
    code_after, text = shop.do("refresh", *more)
    assert code_after == 0 and "Nothing is new" in text, f"killed at {moment}: {text}"
    return code == -9


@pytest.mark.slow
@pytest.mark.parametrize("moment", [3, 8])
def test_a_killed_refresh_leaves_all_whole_and_the_same_command_finishes(shop: Growing, moment: int) -> None:
    assert _killed(shop, moment, *CATALOGUE_ONLY)


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(1, 31))
def test_a_refresh_killed_while_it_trains_finishes_too(shop: Growing, moment: int) -> None:
    _killed(shop, moment)


def test_another_command_at_work_is_code_5_and_another_encoder_one_sentence(shop: Growing) -> None:
    from tfrec.locks import alone_at

    with alone_at(shop.run, "training or preparing"):
        code, text = shop.do("refresh")
        assert code == 5 and text.count("busy: ") == 1, text
    other = ("--set", "encoder.query_tokens=9", "--set", "model.dimension=16")
    code, text = shop.do("refresh", *other)
    assert code == 2 and text.count("error: ") == 1 and "do not fit this configuration" in text, text
    assert standing(shop.export).stable == 1
