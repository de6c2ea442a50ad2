"""What a search is about: the same for its chief, its workers and whoever resumes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfrec.config import Config
from tfrec.errors import ConfigError
from tfrec.files import read_json, write_json
from tfrec.tuner.encoding import decode
from tfrec.tuner.fields import with_values
from tfrec.tuner.folder import Order, Outcome, trial_folder, tune_folder, write_order, write_outcome
from tfrec.tuner.space import Space

TRAINING = "tfrec.tuner.training"
_SECTIONS = ("data", "synthesis", "augment", "encoder", "model", "training", "evaluation")  # what dev scores depend on


@dataclass(frozen=True)
class Plan:
    """A search.

    Attributes:
        config: the base configuration, with the trials' time budget.
        space: what varies.
        objective: module with `prepare` and `run` (see tfrec.tuner.training).
    """

    config: Config
    space: Space
    objective: str = TRAINING

    @property
    def folder(self) -> Path:
        """Where the search leaves everything."""
        return tune_folder(self.config)

    def order(self, number: int, proposed: Mapping[str, Any]) -> None:
        """Leaves the order of a trial in its folder, once.

        Args:
            number: of the trial.
            proposed: KerasTuner's values; tuner/... are Hyperband's.
        """
        folder = trial_folder(self.folder, number)
        if (folder / "order.json").is_file():
            return
        values = decode(self.config, self.space, proposed) if number else {}
        evaluations = self.config.training.evaluations
        until = proposed.get("tuner/epochs", evaluations)
        earlier = proposed.get("tuner/trial_id")
        bracket, rung = proposed.get("tuner/bracket", -1), proposed.get("tuner/round", 0)
        order = Order(
            number,
            self.objective,
            until=None if until >= evaluations else int(until),
            continues=None if earlier is None else int(earlier),
            values=values,
            place="" if bracket < 0 else f"bracket {bracket}, rung {rung}",
            stop_hopeless=self.config.tune.stop_hopeless and "tuner/epochs" not in proposed,
        )
        own: dict[str, Any] = {"runs_dir": str(self.folder), "name": f"trial_{number}"}
        try:
            config = with_values(self.config, {**values, **own})
        except ConfigError as error:  # each value is allowed, but not all of them together
            write_outcome(folder, Outcome(None, str(error)))
            config = with_values(self.config, own)
        write_order(folder, config, order)

    def check_same(self, data: str | None = None) -> None:
        """Scores of different spaces, configurations or data do not belong into one search.

        Args:
            data: fingerprint of the prepared data, once that is known.

        Raises:
            ConfigError: the folder holds a search that was begun with something else.
        """
        settings = self.config.tune
        now: dict[str, Any] = {
            "space": {path: vary.model_dump(mode="json") for path, vary in self.space.items()},
            "configuration": self.config.hash_of(*_SECTIONS),
            "oracle": [settings.oracle, settings.factor if settings.oracle == "hyperband" else settings.stop_hopeless],
            "scoring": settings.whole_catalogue,
            "data": data,
        }
        file = self.folder / "search.json"
        if file.is_file():
            before = read_json(file)
            changed = [name for name, value in now.items() if value is not None and before.get(name) != value]
            if changed:
                raise ConfigError(
                    f"{self.folder} holds a search that was begun with another {' and another '.join(changed)}: delete "
                    "the folder to start anew, or go back to what it was begun with."
                )
        if data is not None:
            write_json(file, now)
