"""What a search shows while it runs: a table on a terminal, a line per trial elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from tfrec.tuner.plan import Plan
from tfrec.tuner.results import TrialResult, read_results, running
from tfrec.tuner.tables import trial_table


class Board:
    """Shows the trials of a search on standard error.

    Args:
        plan: the search.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._live: Any = None
        self._begun = set(running(plan.folder))
        self._ended = {result.number for result in self._results()}

    def __enter__(self) -> Board:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                get_renderable=self._table, console=Console(stderr=True), refresh_per_second=1, transient=True
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def changed(self) -> None:
        """Tells of trials that have begun or ended since the last time."""
        if self._live is not None:
            return
        ended = self._results()
        now = set(running(self._plan.folder)) | {result.number for result in ended}
        for number in sorted(now - self._begun - self._ended):
            self._begun.add(number)
            print(f"Trial {number} begins", file=sys.stderr, flush=True)
        for result in ended:
            if result.number not in self._ended:
                self._ended.add(result.number)
                told = f"failed: {result.reason}" if result.score is None else f"dev score {result.score:.4f}"
                place = {"rung": ", rung done", "hopeless": ", hopeless"}.get(result.stopped, "")
                print(f"Trial {result.number}: {told}{place}", file=sys.stderr, flush=True)

    def _results(self) -> list[TrialResult]:
        return read_results(self._plan.folder, self._plan.config, self._plan.space)

    def _table(self) -> Any:
        return trial_table(self._results(), None, running(self._plan.folder))
