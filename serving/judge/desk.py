"""What judges see next and what becomes of their answers, without HTTP."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tfrec.data.judging.strokes import GRADES, MACHINE, Grades, Stroke, Strokes, grades_of, is_machine
from tfrec.pipeline.judging.pool import Pooled

LONGEST_NAME = 60
SKIP, NEXT = "skip", "next"


class WrongAnswer(Exception):
    """An answer that cannot be taken, in one sentence."""


class Desk:
    """Gives each judge one candidate after the other, and keeps every answer before the next is shown.

    A judge sees the queries in the pool's order, and the candidates of a query in an order of his own that has nothing
    to do with where they were found: drawn from his name, so that it is the same after a restart.

    Args:
        pool: what is judged.
        strokes: what was judged so far, and where answers are kept.
        shown: item id -> what is shown of it, plain JSON values.
        keep: called with all grades after every answer.
    """

    def __init__(
        self, pool: Sequence[Pooled], strokes: Strokes, shown: Callable[[str], Mapping[str, Any]],
        keep: Callable[[Grades], None] = lambda grades: None,
    ) -> None:  # fmt: skip
        self._pool, self._strokes, self._shown, self._keep = pool, strokes, shown, keep
        self._places = {(one.query, item) for one in pool for item in one.items}
        self._lock = threading.Lock()
        self._states: dict[str, _State] = {}

    def next(self, judge: str) -> dict[str, Any]:
        """The candidate that a judge sees now.

        Args:
            judge: the name; blanks around it do not count.

        Returns:
            "done" and "total" (pairs of the pool), "graded" (his grades of the pool), and "card" (None at the end):
            "query", "why", "number" and "queries" (which query it is of how many), "item" as it is shown.

        Raises:
            WrongAnswer: there is no name, or it is too long.
        """
        with self._lock:
            return self._told(_name(judge))

    def answer(self, judge: str, query: str, item: str, answer: Any) -> dict[str, Any]:
        """Keeps an answer, and gives what comes next.

        Args:
            judge: the name.
            query, item: the pair that was shown.
            answer: one of GRADES, "skip" for this item, "next" for the rest of the query.

        Raises:
            WrongAnswer: the pair is not in the pool, or the answer is none.
            TfrecError: it cannot be written.
        """
        known = answer in (SKIP, NEXT) if isinstance(answer, str) else type(answer) is int and answer in GRADES
        if not known:
            raise WrongAnswer(f"An answer is one of {', '.join(map(str, GRADES))}, {SKIP} or {NEXT}.")
        with self._lock:
            judge = _name(judge)
            if (query, item) not in self._places:
                raise WrongAnswer("This query and item are not judged here: load the page again.")
            grade = answer if isinstance(answer, int) else None
            stroke = Stroke(judge, query, None if answer == NEXT else item, grade)
            state = self._state(judge)
            self._strokes.add(stroke)
            state.take(stroke)
            self._keep(grades_of(self._strokes.by_judge))
            return self._told(judge)

    def undo(self, judge: str) -> dict[str, Any]:
        """Takes the judge's latest answer back, and shows what it was about."""
        with self._lock:
            judge = _name(judge)
            if self._strokes.undo(judge) is not None:
                self._states.pop(judge, None)
                self._keep(grades_of(self._strokes.by_judge))
            return self._told(judge)

    def _state(self, judge: str) -> _State:
        if judge not in self._states:
            self._states[judge] = _State(judge, self._pool, self._strokes.by_judge.get(judge, ()))
        return self._states[judge]

    def _told(self, judge: str) -> dict[str, Any]:
        state = self._state(judge)
        found = state.now()
        card = None
        if found is not None:
            number, item = found
            one = self._pool[number]
            card = {
                "query": one.query, "why": one.why, "number": number + 1, "queries": len(self._pool),
                "item": dict(self._shown(item)),
            }  # fmt: skip
        return {"done": state.done, "total": len(self._places), "graded": state.graded, "card": card}


class _State:
    """Where one judge is.

    Args:
        judge: the name.
        pool: what is judged.
        strokes: his answers so far.
    """

    def __init__(self, judge: str, pool: Sequence[Pooled], strokes: Sequence[Stroke]) -> None:
        self._numbers = {one.query: number for number, one in enumerate(pool)}
        self._open = [dict.fromkeys(_order(judge, one)) for one in pool]
        self._first = 0  # queries before it are answered
        self.done = self.graded = 0
        for stroke in strokes:
            self.take(stroke)

    def take(self, stroke: Stroke) -> None:
        """Notes an answer; one about what is not in the pool changes nothing, nor does a second one."""
        number = self._numbers.get(stroke.query)
        if number is None:
            return
        left = self._open[number]
        if stroke.item is None:
            self.done += len(left)
            left.clear()
        elif stroke.item in left:
            del left[stroke.item]
            self.done += 1
            self.graded += stroke.grade is not None

    def now(self) -> tuple[int, str] | None:
        """The first query, and its first candidate, without an answer."""
        while self._first < len(self._open) and not self._open[self._first]:
            self._first += 1
        return (self._first, next(iter(self._open[self._first]))) if self._first < len(self._open) else None


def _order(judge: str, pooled: Pooled) -> list[str]:
    """The candidates of a query in an order that is random, another one for each judge, and always the same."""

    def drawn(item: str) -> bytes:
        return hashlib.sha256("\0".join((judge, pooled.query, item)).encode("utf-8", "replace")).digest()

    return sorted(pooled.items, key=drawn)


def _name(judge: Any) -> str:
    name = " ".join(judge.split()) if isinstance(judge, str) else ""
    if not name or len(name) > LONGEST_NAME or "|" in name:
        raise WrongAnswer(f"Say who judges: a name of 1 to {LONGEST_NAME} characters, without |.")
    if is_machine(name):
        raise WrongAnswer(f"Names with {MACHINE} in front are those of language models: take another one.")
    return name
