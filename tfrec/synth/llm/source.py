"""The source "llm"."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import polars as pl

from tfrec.config.synth_llm import LlmConfig
from tfrec.errors import ConfigError, TfrecError
from tfrec.progress import Progress
from tfrec.synth.catalogue_queries import normalise
from tfrec.synth.llm.client import Cache, Client, Failed
from tfrec.synth.llm.endpoint import Endpoint, Refused
from tfrec.synth.llm.limits import Budget
from tfrec.synth.llm.prompts import Prompt, prompts
from tfrec.synth.llm.replies import Reply, queries_of
from tfrec.synth.source import SAMPLES, SourceContext

_FIRST = 3  # prompts that may fail whatever max_failed_share says: a share of two or three says nothing


class LlmSource:
    """Asks a language model for queries that items of the catalogue answer, with labelled ones as examples."""

    name = "llm"

    def samples(self, context: SourceContext) -> pl.DataFrame:
        """Makes samples whose item is the one asked about. Answers are kept, so that a killed run pays none twice.

        Raises:
            ConfigError: the endpoint is not configured, or refuses the key or the model.
            TfrecError: it does not answer, or too many prompts fail.
        """
        shop, config = context.shop, context.config
        settings = config.synthesis.llm
        endpoint = Endpoint.of(settings)
        numbers = {item: number for number, item in enumerate(shop.item_ids)}
        labels = {
            query: [numbers[item] for item, gain in judged.items() if gain > 0 and gain >= config.training.min_gain]
            for query, judged in shop.judgments("train").items()
        }
        asked = prompts(shop.item_texts, labels, settings, config.seed)
        folder = Path(settings.cache) if settings.cache else context.folder / "answers"
        replies = ask_all(Client(endpoint, settings, Cache(folder)), asked, settings)
        return _frame(asked, replies, shop.item_ids, list(labels), settings, config.seed)


def ask_all(client: Client, asked: Sequence[Prompt], settings: LlmConfig) -> list[Reply | None]:
    """The answers to prompts, as many as the budget allows.

    Prompts go out in rounds of `concurrency`; whether the next round may go is decided by what the answers before it
    cost, kept ones too, so that a resumed run ends at the same prompt.

    Args:
        client: of the endpoint.
        asked: the prompts.
        settings: limits.

    Returns:
        an answer each, None where all attempts failed; shorter than `asked` when the budget ended first.
    """
    budget, replies, failed = Budget(settings), list[Reply | None](), 0
    with (
        ThreadPoolExecutor(settings.concurrency) as pool,
        Progress("Asking the language model", len(asked)) as progress,
    ):
        for first in range(0, len(asked), settings.concurrency):
            group = asked[first : first + settings.concurrency]
            if not budget.allows(sum(prompt.tokens for prompt in group), len(group) * settings.max_answer_tokens):
                _say(f"the budget ends after {first} of {len(asked)} prompts")
                break
            for future in [pool.submit(client.answer, prompt) for prompt in group]:
                reply, problem = _result(future, settings, budget)
                replies.append(reply)
                if reply is not None:
                    continue
                failed += 1
                if failed == len(replies) > _FIRST or failed > max(_FIRST, settings.max_failed_share * len(asked)):
                    raise TfrecError(
                        f"The language model at {settings.base_url} failed for {failed} of {len(replies)} prompts, "
                        f"the last time with: {problem}. What it did answer is kept: run the same command again later."
                    )
            progress.advance(len(group), f"{budget.prompt_tokens + budget.answer_tokens} tokens")
    cost = f", cost {budget.cost:.2f}" if budget.cost else ""
    spent = f"{budget.prompt_tokens} + {budget.answer_tokens} tokens{cost}"
    _say(f"{len(replies) - failed} answers, {failed} prompts failed, {spent}")
    return replies


def _result(future: Future[Reply], settings: LlmConfig, budget: Budget) -> tuple[Reply | None, str]:
    try:
        reply = future.result()
        budget.spend(reply.prompt_tokens, reply.answer_tokens)
        return reply, ""
    except Refused as error:
        if error.everything:
            raise ConfigError(
                f"The language model at {settings.base_url} refuses ({error}): "
                "look at synthesis.llm.base_url, model and key_variable."
            ) from None
        return None, str(error)
    except Failed as error:
        budget.spend(error.prompt_tokens, error.answer_tokens)
        if not error.reached:
            raise TfrecError(
                f"No language model answers at {settings.base_url} ({error}): start it, correct "
                "synthesis.llm.base_url, or do without (synthesis.sources)."
            ) from None
        return None, str(error)


def _say(text: str) -> None:
    print(f"Language model: {text}", file=sys.stderr)


def _frame(
    asked: Sequence[Prompt],
    replies: Sequence[Reply | None],
    item_ids: Sequence[str],
    labelled: Sequence[str],
    settings: LlmConfig,
    seed: int,
) -> pl.DataFrame:
    """Columns of SAMPLES: no query twice, no labelled one (a model likes to repeat its examples)."""
    taken = {normalise(query) for query in labelled} | {""}
    found: list[tuple[str, int]] = []
    for prompt, reply in zip(asked, replies, strict=False):
        if reply is None:
            continue
        for item, queries in zip(prompt.items, queries_of(reply.content, len(prompt.items)), strict=True):
            for query in queries[: settings.queries_per_item]:
                form = normalise(query)
                if form not in taken:
                    taken.add(form)
                    found.append((form, item))
    return pl.DataFrame(
        {
            "task": ["search"] * len(found),
            "query": [query for query, _ in found],
            "history": pl.Series([[]] * len(found), dtype=pl.List(pl.Int64)),
            "item": [item for _, item in found],
            "source": [LlmSource.name] * len(found),
            "generator": [settings.model or ""] * len(found),
            "parent": [item_ids[item] for _, item in found],
            "score": [1.0] * len(found),
            "confidence": [settings.confidence] * len(found),
            "seed": [seed] * len(found),
        },
        schema=SAMPLES,
    )
