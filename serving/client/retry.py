"""Which target a call tries, when it tries again, and when it gives up."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds; doubled each time, drawn uniformly below (full jitter)
_FIRST_REST, _LONGEST_REST = 1.0, 30.0  # seconds that a failed target stands at the end of the line
_SHARE, _PER_SECOND, _MOST = 0.2, 10.0, 100.0
Clock = Callable[[], float]


class RetryBudget:
    """Bounds the retries of a client, so that a server in trouble is not buried under them.

    Allows a fifth of the calls to be retried, and ten retries a second besides, whatever the number of calls.

    Args:
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._left, self._since = _PER_SECOND, clock()

    def call(self) -> None:
        """Tells of a new call."""
        with self._lock:
            self._left = min(self._left + _SHARE, _MOST)

    def take(self) -> bool:
        """Takes one retry, if there is one left."""
        with self._lock:
            now = self._clock()
            self._left = min(self._left + (now - self._since) * _PER_SECOND, _MOST)
            self._since = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Targets:
    """Several servers of one model, taken in turn; one that failed comes last until it has rested.

    Args:
        names: addresses, at least one.
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, names: Sequence[str], clock: Clock = time.monotonic) -> None:
        self.names = list(names)
        self._clock, self._lock = clock, threading.Lock()
        self._turn = 0
        self._failures = [0] * len(self.names)
        self._rests_until = [0.0] * len(self.names)

    def order(self) -> list[int]:
        """Numbers of the targets in the order in which a call should try them."""
        if len(self.names) == 1:
            return [0]
        with self._lock:
            start, self._turn, now = self._turn, (self._turn + 1) % len(self.names), self._clock()
            turned = [(start + step) % len(self.names) for step in range(len(self.names))]
            rests = [until if until > now else 0.0 for until in self._rests_until]
        return sorted(turned, key=lambda number: rests[number])

    def rests(self, number: int) -> bool:
        """Whether a target has failed not long ago."""
        with self._lock:
            return self._rests_until[number] > self._clock()

    def answered(self, number: int) -> None:
        """Tells that a target lives."""
        if self._failures[number]:
            with self._lock:
                self._failures[number], self._rests_until[number] = 0, 0.0

    def failed(self, number: int) -> None:
        """Tells that a target could not be reached or was silent."""
        with self._lock:
            rest = min(_FIRST_REST * 2 ** min(self._failures[number], 9), _LONGEST_REST)
            self._failures[number] += 1
            self._rests_until[number] = self._clock() + rest


class Attempts:
    """The attempts of one call.

    Every call of the protocol only reads, so an attempt that never reached the server (UNAVAILABLE) may be repeated; no
    other failure is.

    Args:
        targets: the client's targets.
        budget: the client's budget.
        retries: further attempts after the first, at most.
        timeout: seconds for all attempts and pauses together.

    Attributes:
        target: number of the target to try now.
    """

    def __init__(self, targets: Targets, budget: RetryBudget, retries: int, timeout: float) -> None:
        self._targets, self._budget, self._retries = targets, budget, retries
        self._order = targets.order()
        self._made = 0
        self._deadline = time.monotonic() + timeout
        self.target = self._order[0]
        budget.call()

    def seconds_left(self) -> float:
        """Time until the call's deadline, never 0."""
        return max(self._deadline - time.monotonic(), 0.001)

    def answered(self) -> None:
        """Tells that the target of now answered, be it with a refusal."""
        self._targets.answered(self.target)

    def pause_after(self, code: str) -> float | None:
        """Tells that the attempt of now failed, and asks for another.

        Args:
            code: name of the gRPC status code.

        Returns:
            seconds to wait before `target`, which may be another one by then, is tried; None to give up.
        """
        if code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
            self._targets.answered(self.target)
            return None
        self._targets.failed(self.target)
        if code != "UNAVAILABLE" or self._made >= self._retries:
            return None
        self._made += 1
        self.target = self._order[self._made % len(self._order)]
        rounds = self._made // len(self._order)
        # Another server that has not failed is asked at once; the same one again only after a pause.
        pause = 0.0
        if rounds or self._targets.rests(self.target):
            pause = random.uniform(0, min(_FIRST_PAUSE * 2 ** min(rounds, 9), _LONGEST_PAUSE))
        if time.monotonic() + pause >= self._deadline or not self._budget.take():
            return None
        return pause
