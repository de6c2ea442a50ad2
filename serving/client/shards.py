"""All shards of a catalogue: which version they have in common, and questions to each of them at once."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfrec.serving.client.errors import ClientError
from tfrec.serving.client.hedging import FINAL, hedged
from tfrec.serving.client.operations import Operation, Operations
from tfrec.serving.client.shard import LOST, Facts, Shard

_LOOK = 5.0  # seconds after which the shards are asked anew for the version that all have
_NEXT_LOOK = 1.0  # seconds between two looks while a shard is missing
Outputs = dict[str, np.ndarray]


class Survey(NamedTuple):
    """What the shards said last.

    Attributes:
        version: the newest that most of them have.
        facts: by number of the shard.
        at: seconds of the monotonic clock.
    """

    version: int
    facts: dict[int, Facts]
    at: float

    @property
    def any(self) -> Facts:
        """Of one of the shards: for what is the same of all."""
        return next(iter(self.facts.values()))


class Shards:
    """Asks shards. One set for each event loop.

    Args:
        shards: in the order of their parts.
        model: the served model's name.
        version: to ask for; None takes the newest that all shards have.
        patience: seconds that a shard has for one answer; after them the others go on without it.
        hedge_after: seconds without an answer after which another server of a shard is asked as well.
    """

    def __init__(
        self, shards: Sequence[Shard], model: str, version: int | None, patience: float, hedge_after: float
    ) -> None:
        self.shards = list(shards)
        self._operations, self._version = Operations(model), version
        self._patience, self._hedge_after = patience, hedge_after
        self._survey: Survey | None = None
        self._looking: asyncio.Task[Survey] | None = None
        self._turn = itertools.count()

    async def survey(self, anew: bool = False) -> Survey:
        """What is known of the shards; looks again now and then, and at once if `anew`.

        Raises:
            ClientError: no shard answers, or they are not parts of one export.
        """
        known, now = self._survey, time.monotonic()
        if known is None or anew:
            return await self._look()
        age = _LOOK if len(known.facts) == len(self.shards) else _NEXT_LOOK
        if now - known.at > age and (self._looking is None or self._looking.done()):
            self._looking = asyncio.ensure_future(self._look())  # requests go on with what is known
            self._looking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return known

    async def _look(self) -> Survey:
        numbers = range(len(self.shards))
        told = await self.each(numbers, self._operations.status(timeout=self._patience))
        versions = {
            number: {one.version for one in statuses if one.state == "AVAILABLE"} for number, statuses in told.items()
        }
        alive = {number: found for number, found in versions.items() if found}
        if not alive:
            raise ClientError("UNAVAILABLE", f"No shard answers at {self._names()}: start them or check the addresses.")
        counts = Counter(version for found in alive.values() for version in found)
        version = self._version
        if version is None:
            version = max(counts, key=lambda one: (counts[one], one))
        asked = self._operations.predict("shard_facts", {"query": np.array([""], object)}, version, (), self._patience)
        facts = {number: _facts(outputs) for number, outputs in (await self.each(alive, asked)).items()}
        if not facts:
            raise ClientError("UNAVAILABLE", f"No shard answers at {self._names()} with version {version}.")
        self._check(facts)
        self._survey = Survey(version, facts, time.monotonic())
        return self._survey

    def _check(self, facts: Mapping[int, Facts]) -> None:
        first = next(iter(facts.values()), None)
        for number, one in facts.items():
            if (one.number, one.of) != (number, len(self.shards)):
                raise ClientError(
                    "FAILED_PRECONDITION",
                    f"The server at {self.shards[number].names[0]} holds shard {one.number} of {one.of}, but is "
                    f"given as {number} of {len(self.shards)}: give all shards, in their order.",
                )
            if first is not None and one.made_of != first.made_of:
                raise ClientError(
                    "FAILED_PRECONDITION", f"The shards at {self._names()} are of different exports: export all anew."
                )

    async def any(self, survey: Survey, missing: set[int], signature: str, inputs: Mapping[str, Any]) -> Outputs:
        """The answer of any one shard, taken in turns.

        Raises:
            ClientError: none of them answers.
        """
        numbers = [number for number in survey.facts if number not in missing and not self.shards[number].rests]
        numbers = numbers or list(survey.facts)
        start = next(self._turn) % max(1, len(numbers))
        turned = [self.shards[number] for number in numbers[start:] + numbers[:start]]
        operation = self._operation(survey, signature, inputs)
        attempts = [shard.attempts(operation)[0] for shard in turned]
        return await hedged(attempts, self._hedge_after, turned[0].budget, len(attempts))

    async def every(
        self, survey: Survey, missing: set[int], signature: str, inputs: Mapping[str, Any]
    ) -> dict[int, Outputs]:
        """The answers of all shards that are not missing, by number; adds to `missing` those that do not answer.

        Raises:
            ClientError: a shard refuses the request, or none answers.
        """
        numbers = [number for number in survey.facts if number not in missing]
        found = await self.each(numbers, self._operation(survey, signature, inputs), ("NOT_FOUND",))
        missing |= set(range(len(self.shards))) - found.keys()
        if not found:
            raise ClientError("UNAVAILABLE", f"No shard answers at {self._names()}: start them or check the addresses.")
        return found

    async def each(self, numbers: Iterable[int], operation: Operation[Any], told: Sequence[str] = ()) -> dict[int, Any]:
        """The answers of those of the shards that answer, by number; errors of the codes `told` are raised."""

        async def one(number: int) -> Any:
            shard = self.shards[number]
            if shard.rests:
                return None
            try:
                return await hedged(shard.attempts(operation), self._hedge_after, shard.budget, len(shard.names))
            except ClientError as error:
                if error.code in (*FINAL, *told):
                    raise
                if error.code in LOST:
                    shard.silent()
                return None

        chosen = list(numbers)
        answers = await asyncio.gather(*map(one, chosen))
        return {number: answer for number, answer in zip(chosen, answers, strict=True) if answer is not None}

    def _operation(self, survey: Survey, signature: str, inputs: Mapping[str, Any]) -> Operation[Any]:
        return self._operations.predict(signature, inputs, survey.version, (), self._patience)

    def _names(self) -> str:
        return ", ".join(name for shard in self.shards for name in shard.names)

    async def close(self) -> None:
        """Closes the connections."""
        if self._looking is not None:
            self._looking.cancel()
        for shard in self.shards:
            await shard.close()


def _facts(outputs: Outputs) -> Facts:
    try:
        return Facts._make([*outputs["shard"][0].tolist(), outputs["made_of"][0]])
    except (KeyError, IndexError, TypeError):
        raise ClientError("FAILED_PRECONDITION", "A server holds no shard: run `tfrec export --shards N`.") from None
