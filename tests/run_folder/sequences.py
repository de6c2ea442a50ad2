"""Random sequences of commands on one run folder, and what has to hold after each of them."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.run_folder.forked import Commands
from tests.run_folder.tiny_shop import QUERIES, STATES, write_items

SEEDS = (17, 99)
KINDS = ["train", "train", "train", "only", "evaluate", "dense", "export", "update", "update", "inspect", "prepare"]
_LAST_RENAME = 24  # a whole `train` on the tiny shop has about so many
_LIMITS = (300, 3_000, 10_000, 30_000, 60_000)  # bytes; the weights have some 40,000


@dataclass
class Reference:
    """What a clean run of a configuration answers.

    Attributes:
        training: signature of its training.
        scores: query -> item id -> score.
    """

    training: str
    scores: dict[str, dict[str, float]]


@dataclass
class Shop:
    """A tiny shop and its commands.

    Attributes:
        config: its configuration file.
        commands: run them.
        state: of its catalogue.
        log: what was run, with how it ended.
    """

    config: Path
    commands: Commands
    state: int = 0
    log: list[str] = field(default_factory=list)

    @property
    def run(self) -> Path:
        """The run folder."""
        return self.config.parent / "runs" / "tiny"

    def order(self, kind: str, seed: int, **how: Any) -> dict[str, Any]:
        """The order for `Commands.run`."""
        own = ["--config", str(self.config), "--set", f"seed={seed}"]
        argv = {
            "train": ["train"], "only": ["train", "--only"], "evaluate": ["evaluate"], "export": ["export"],
            "dense": ["evaluate", "--set", "retrieval.scorers=[dense]"], "update": ["index", "update"],
            "inspect": ["data", "inspect"], "prepare": ["data", "prepare"],
        }[kind]  # fmt: skip
        return {"argv": [*argv, *own], **how}

    def do(self, *orders: dict[str, Any]) -> list[int]:
        """Runs orders at the same time; each must end well, by the kill that was ordered, or with one sentence."""
        codes = []
        for order, (code, text) in zip(orders, self.commands.run(*orders), strict=True):
            errors = [line for line in text.splitlines() if line.startswith("error: ")]
            how = {name: value for name, value in order.items() if name != "argv"}
            self.log.append(f"{' '.join(order['argv'])} {how or ''} -> {code} {' '.join(errors)}")
            assert "Traceback" not in text, f"{self.told()}\n{text}"
            if code == -9 and "rename" in order:
                codes.append(code)
                continue
            assert code in (0, 2) and len(errors) == (code == 2), f"{self.told()}\n{text}"
            codes.append(code)
        return codes

    def told(self) -> str:
        """What was run so far."""
        return "\n".join(self.log)


def exports_of(run: Path) -> list[Path]:
    """The version folders of a run, the oldest first."""
    return sorted((path for path in (run / "export").glob("[0-9]*")), key=lambda path: int(path.name))


def answers_of(export: Path) -> dict[str, dict[str, float]]:
    """query -> item id -> score, over the whole catalogue."""
    from tfrec.export.loaded import LoadedModel

    found = LoadedModel.open(export).search(QUERIES, len(STATES[0]))
    rows = zip(QUERIES, found.item_ids, found.scores, strict=True)
    return {query: dict(zip(map(str, ids), map(float, scores), strict=True)) for query, ids, scores in rows}


def manifest_of(export: Path) -> dict[str, Any]:
    """What an export says of itself."""
    return json.loads((export / "tfrec_manifest.json").read_text())


def references(folder: Path, config: Path, commands: Commands) -> dict[str, Reference]:
    """Clean runs of all that a sequence may come to: seeds, states of the catalogue, and updates from one to the other.

    The run folders as they are after training are kept as trained-SEED-STATE.

    Returns:
        by the signature that an export states.
    """
    found = {}
    for seed in SEEDS:
        for state in range(len(STATES)):
            shop = Shop(copied(config, folder / f"{seed}-{state}"), commands)
            write_items(shop.config.parent, state)
            assert shop.do(shop.order("train", seed)) == [0], shop.told()
            shutil.copytree(shop.run, folder / f"trained-{seed}-{state}")
            training = manifest_of(exports_of(shop.run)[0])["signature"]
            write_items(shop.config.parent, 1 - state)
            assert shop.do(shop.order("update", seed)) == [0], shop.told()
            for export in exports_of(shop.run):
                found[manifest_of(export)["signature"]] = Reference(training, answers_of(export))
    return found


def copied(config: Path, folder: Path) -> Path:
    """A shop's files at another place, without its runs."""
    shutil.copytree(config.parent, folder, ignore=shutil.ignore_patterns("home"))
    return folder / config.name


class Player:
    """Plays sequences.

    Args:
        config: of a clean shop without runs.
        known: see `references`.
        clean: folder that `references` was given.
        commands: run them.
    """

    def __init__(self, config: Path, known: dict[str, Reference], clean: Path, commands: Commands) -> None:
        self._config, self._known, self._clean, self._commands = config, known, clean, commands
        self._checked: set[str] = set()

    def play(self, number: int, folder: Path) -> list[str]:
        """Plays one sequence and checks what it leaves.

        Args:
            number: of the sequence; the same number plays the same one.
            folder: of its own.

        Returns:
            what was run.
        """
        chance = random.Random(number)
        shop = Shop(copied(self._config, folder), self._commands)
        if chance.random() < 0.7:
            shutil.copytree(self._clean / f"trained-{SEEDS[0]}-0", shop.run)
            shop.log.append("begins with a finished training")
        for _ in range(chance.randint(2, 4)):
            self._step(shop, chance)
        seed = chance.choice(SEEDS)
        assert shop.do(shop.order("train", seed)) == [0], f"what came before must not stop it:\n{shop.told()}"
        self._check(shop)
        newest = self._known[manifest_of(exports_of(shop.run)[-1])["signature"]]
        assert newest.training == self._training(seed, shop.state), shop.told()
        assert not list(shop.run.rglob(".*.partial-*")), f"half-written files are left:\n{shop.told()}"
        return shop.log

    def _step(self, shop: Shop, chance: random.Random) -> None:
        if chance.random() < 0.25:
            shop.state = 1 - shop.state
            write_items(shop.config.parent, shop.state)
            shop.log.append(f"the catalogue is now state {shop.state}")
        orders = [shop.order(chance.choice(KINDS), chance.choice(SEEDS))]
        trouble = chance.choice(["none", "kill", "kill", "full", "two"])
        if trouble == "kill":
            orders[0]["rename"] = chance.randint(1, _LAST_RENAME)
        elif trouble == "full":
            orders[0]["limit"] = chance.choice(_LIMITS)
        elif trouble == "two":
            orders.append(shop.order(chance.choice(KINDS), chance.choice(SEEDS)))
        shop.do(*orders)
        self._check(shop)

    def _check(self, shop: Shop) -> None:
        """Every export answers as the clean run that it claims to be, and tells no other's figures."""
        for export in exports_of(shop.run):
            manifest = manifest_of(export)
            assert manifest["signature"] in self._known, f"{export} claims what no clean run is:\n{shop.told()}"
            reference = self._known[manifest["signature"]]
            measured = manifest["metrics"].get("signature", reference.training)
            assert measured == reference.training, f"{export} tells another run's figures:\n{shop.told()}"
            content = json.dumps([manifest["signature"], manifest["files"]], sort_keys=True)
            if content not in self._checked:
                self._same(answers_of(export), reference.scores, f"{export}:\n{shop.told()}")
                self._checked.add(content)

    @staticmethod
    def _same(found: dict[str, dict[str, float]], wanted: dict[str, dict[str, float]], told: str) -> None:
        for query, scores in wanted.items():
            assert found[query].keys() == scores.keys(), told
            ids: Sequence[str] = list(scores)
            np.testing.assert_allclose(
                [found[query][item] for item in ids], [scores[item] for item in ids], atol=2e-3, err_msg=told
            )

    def _training(self, seed: int, state: int) -> str:
        return manifest_of(exports_of(self._clean / f"trained-{seed}-{state}")[0])["signature"]
