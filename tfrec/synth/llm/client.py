"""Answers to prompts: from the cache, or from the endpoint with patience."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from tfrec.config.synth_llm import LlmConfig
from tfrec.errors import TfrecError
from tfrec.files import read_json, write_json
from tfrec.synth.llm.endpoint import Endpoint, Unavailable
from tfrec.synth.llm.limits import Rate
from tfrec.synth.llm.prompts import Prompt
from tfrec.synth.llm.replies import BadReply, Reply, read_reply


class Failed(Exception):
    """No usable answer after all attempts.

    Attributes:
        reached: whether a server was there at all.
        prompt_tokens, answer_tokens: spent on answers that were of no use.
    """

    def __init__(self, message: str, reached: bool, prompt_tokens: int, answer_tokens: int) -> None:
        super().__init__(message)
        self.reached, self.prompt_tokens, self.answer_tokens = reached, prompt_tokens, answer_tokens


class Cache:
    """Answers on disk by the hash of their prompt, each written whole or not at all.

    Args:
        folder: may not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, prompt: Prompt) -> Reply | None:
        """The kept answer; None if there is none, or none that can be read."""
        path = self._path(prompt)
        if not path.is_file():
            return None
        try:
            return Reply(**read_json(path))
        except (TfrecError, TypeError):
            return None  # it is asked for again and overwritten

    def put(self, prompt: Prompt, reply: Reply) -> None:
        """Keeps an answer."""
        write_json(self._path(prompt), vars(reply))

    def _path(self, prompt: Prompt) -> Path:
        return self._folder / prompt.digest[:2] / f"{prompt.digest}.json"


class Client:
    """Asks the endpoint and keeps what it says. Safe to use from several threads.

    Args:
        endpoint: see Endpoint.
        settings: attempts, waits and rates are read.
        cache: where answers are kept.
        sleep: waits so many seconds.
    """

    def __init__(
        self, endpoint: Endpoint, settings: LlmConfig, cache: Cache, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._endpoint, self._settings, self._cache, self._sleep = endpoint, settings, cache, sleep
        self._rate = Rate(settings.requests_per_minute, settings.tokens_per_minute, sleep=sleep)
        self._jitter = random.Random()  # spreads clients in time; no answer depends on it

    def answer(self, prompt: Prompt) -> Reply:
        """The answer to a prompt.

        Raises:
            Refused: the endpoint refuses it, or everything.
            Failed: all attempts failed.
        """
        kept = self._cache.get(prompt)
        if kept is not None:
            return kept
        reached, problem = False, ""
        asked: float | None = None
        wasted = [0, 0]  # tokens of bad answers, which are paid too
        for attempt in range(self._settings.retries + 1):
            if attempt:
                self._sleep(self._wait(attempt, asked))
            self._rate.wait(prompt.tokens + self._settings.max_answer_tokens)
            asked = None
            try:
                payload = dict(prompt.payload)
                if attempt:
                    # a model that heeds the seed would repeat a bad answer word by word
                    payload["seed"] = prompt.payload["seed"] + attempt
                reply = read_reply(self._endpoint.ask(payload), prompt.tokens, len(prompt.items))
            except Unavailable as error:
                problem, asked, reached = str(error), error.wait, reached or error.reached
            except BadReply as error:
                problem, reached = str(error), True
                wasted = [wasted[0] + error.prompt_tokens, wasted[1] + error.answer_tokens]
            else:
                reply = Reply(reply.content, reply.prompt_tokens + wasted[0], reply.answer_tokens + wasted[1])
                self._cache.put(prompt, reply)
                return reply
        raise Failed(problem, reached, wasted[0], wasted[1])

    def _wait(self, attempt: int, asked: float | None) -> float:
        """Exponential backoff with full jitter above a half; never less than the server asked for, within bounds."""
        settings = self._settings
        longest = min(settings.most_wait_seconds, settings.first_wait_seconds * 2 ** (attempt - 1))
        wait = longest * self._jitter.uniform(0.5, 1.0)
        return min(settings.most_wait_seconds, max(wait, asked)) if asked is not None else wait
