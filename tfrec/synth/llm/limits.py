"""Limits of rate and of cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tfrec.config.synth_llm import LlmConfig

_MINUTE = 60.0


class Rate:
    """Lets through at most so many requests and tokens a minute (evenly spaced).

    Args:
        requests: per minute, None for no limit.
        tokens: per minute, None for no limit.
        clock: seconds.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        requests: float | None,
        tokens: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = (requests, tokens)
        self._free = [clock(), clock()]
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()

    def wait(self, tokens: int) -> None:
        """Returns when a request of so many tokens may go."""
        with self._lock:
            now = self._clock()
            start = now
            for limit, free in zip(self._limits, self._free, strict=True):
                if limit is not None:
                    start = max(start, free)
            for place, (limit, amount) in enumerate(zip(self._limits, (1, tokens), strict=True)):
                if limit is not None:
                    self._free[place] = max(start, self._free[place]) + amount * _MINUTE / limit
        if start > now:
            self._sleep(start - now)


class Budget:
    """What may be spent, and what has been.

    Args:
        settings: max_tokens, max_cost and the prices are read.
    """

    def __init__(self, settings: LlmConfig) -> None:
        self._settings = settings
        self.prompt_tokens = self.answer_tokens = 0

    def spend(self, prompt_tokens: int, answer_tokens: int) -> None:
        """Counts an answer."""
        self.prompt_tokens += prompt_tokens
        self.answer_tokens += answer_tokens

    @property
    def cost(self) -> float:
        """Of all answers so far."""
        return self._cost(self.prompt_tokens, self.answer_tokens)

    def allows(self, prompt_tokens: int, answer_tokens: int) -> bool:
        """Whether requests of at most so many tokens stay within the limits."""
        prompt, answer = self.prompt_tokens + prompt_tokens, self.answer_tokens + answer_tokens
        most, cost = self._settings.max_tokens, self._settings.max_cost
        return (most is None or prompt + answer <= most) and (cost is None or self._cost(prompt, answer) <= cost)

    def _cost(self, prompt: int, answer: int) -> float:
        settings = self._settings
        return (prompt * settings.price_per_million_prompt + answer * settings.price_per_million_answer) / 1e6
