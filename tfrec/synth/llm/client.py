"""Answers to prompts: from the cache, or from the endpoint with patience."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import tenacity

from tfrec.config.synth_llm import LlmConfig
from tfrec.errors import TfrecError
from tfrec.files import read_json, write_json
from tfrec.synth.llm.endpoint import Endpoint, Unavailable
from tfrec.synth.llm.limits import Rate
from tfrec.synth.llm.prompts import Prompt
from tfrec.synth.llm.replies import BadReply, Reply, has_queries, read_reply


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
        usable: whether a text holds anything that was asked for of so many items.
        sleep: waits so many seconds.
    """

    def __init__(
        self, endpoint: Endpoint, settings: LlmConfig, cache: Cache, usable: Callable[[str, int], bool] = has_queries,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._endpoint, self._settings, self._cache, self._usable = endpoint, settings, cache, usable
        self._rate = Rate(settings.requests_per_minute, settings.tokens_per_minute, sleep=sleep)
        self._again = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(settings.retries + 1),
            wait=_wait(settings),
            retry=tenacity.retry_if_exception_type((Unavailable, BadReply)),
            sleep=sleep,
            reraise=True,
        )

    def answer(self, prompt: Prompt) -> Reply:
        """The answer to a prompt.

        Raises:
            Refused: the endpoint refuses it, or everything.
            Failed: all attempts failed.
        """
        kept = self._cache.get(prompt)
        if kept is not None:
            return kept
        reached = False
        wasted = [0, 0]  # tokens of bad answers, which are paid too
        try:
            for attempt in self._again.copy():
                with attempt:
                    try:
                        reply = self._ask(prompt, attempt.retry_state.attempt_number - 1)
                    except BadReply as error:
                        wasted = [wasted[0] + error.prompt_tokens, wasted[1] + error.answer_tokens]
                        raise
                    except Unavailable as error:
                        reached = reached or error.reached
                        raise
        except (Unavailable, BadReply) as error:
            raise Failed(str(error), reached or isinstance(error, BadReply), wasted[0], wasted[1]) from None
        reply = Reply(reply.content, reply.prompt_tokens + wasted[0], reply.answer_tokens + wasted[1])
        self._cache.put(prompt, reply)
        return reply

    def _ask(self, prompt: Prompt, attempt: int) -> Reply:
        self._rate.wait(prompt.tokens + self._settings.max_answer_tokens)
        payload = dict(prompt.payload)
        if attempt:
            # a model that heeds the seed would repeat a bad answer word by word
            payload["seed"] = prompt.payload["seed"] + attempt
        body = self._endpoint.ask(payload)
        return read_reply(body, prompt.tokens, lambda content: self._usable(content, len(prompt.items)))


def _wait(settings: LlmConfig) -> Callable[[tenacity.RetryCallState], float]:
    """Exponential backoff with full jitter above a half; never less than the server asked for, within bounds."""
    backoff = tenacity.wait_exponential(settings.first_wait_seconds, max=settings.most_wait_seconds)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, Unavailable) and error.wait is not None else 0.0
        return min(settings.most_wait_seconds, max(backoff(state) * random.uniform(0.5, 1.0), asked))

    return wait
