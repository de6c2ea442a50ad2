"""Answers of language models as they really look."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrec.config.synth_llm import LlmConfig
from tfrec.synth.llm.limits import Budget, Rate
from tfrec.synth.llm.prompts import prompts
from tfrec.synth.llm.replies import queries_of


@pytest.mark.parametrize(
    "content",
    [
        '{"1": ["red sofa"], "2": ["lamp"]}',
        'Sure!\n```json\n{"1": ["red sofa"], "2": ["lamp"]}\n```\nAnything else?',
        '<think>{"1": ["wrong"]}</think>{"1": "red sofa", "2": "lamp"}',
        '{"queries": {"1": [" \\"red  sofa\\" ", ""], "2": ["lamp", 3, null]}}',
        '[["red sofa"], ["lamp"]]',
        '{"Product 1": {"queries": ["red sofa"]}, "2.": ["lamp", "lamp"], "7": ["beyond"]}',
    ],
)
def test_answers_in_any_dress_are_understood(content: str) -> None:
    assert queries_of(content, 2) == [["red sofa"], ["lamp"]]


def test_one_product_needs_no_number() -> None:
    assert queries_of('["a b", "c"]', 1) == queries_of('{"queries": ["a b", "c"]}', 1) == [["a b", "c"]]


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text(alphabet='{}[]":,1 a', max_size=40)), st.integers(1, 3))
def test_no_answer_breaks_the_reader(content: str, items: int) -> None:
    found = queries_of(content, items)
    assert len(found) == items and all(query.strip() for queries in found for query in queries)


def test_prompts_are_the_same_for_a_seed_and_each_item_is_asked_about_once() -> None:
    wanted = LlmConfig(model="m", items=7, items_per_request=3, examples=2)
    texts, labels = [f"thing {number}" for number in range(9)], {"q": [1], "r": [2, 3], "none": []}
    first = prompts(texts, labels, wanted, 1)
    assert [prompt.digest for prompt in first] == [prompt.digest for prompt in prompts(texts, labels, wanted, 1)]
    assert {prompt.digest for prompt in first}.isdisjoint(prompt.digest for prompt in prompts(texts, labels, wanted, 2))
    asked = [item for prompt in first for item in prompt.items]
    assert len(asked) == len(set(asked)) == 7
    assert all("none" not in prompt.payload["messages"][1]["content"] for prompt in first)
    bare = prompts(texts, {}, wanted, 1)
    assert all("xamples" not in message["content"] for prompt in bare for message in prompt.payload["messages"])


def test_rates_space_requests_evenly() -> None:
    now, waits = [0.0], []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    rate = Rate(60, 6000, clock=lambda: now[0], sleep=sleep)
    for tokens in (50, 300, 10):
        rate.wait(tokens)
    assert waits == pytest.approx([1.0, 3.0])  # one request a second; 300 tokens are three seconds' worth


def test_the_budget_counts_tokens_and_cost() -> None:
    budget = Budget(LlmConfig(max_tokens=100, max_cost=1, price_per_million_prompt=1e4, price_per_million_answer=2e4))
    assert budget.allows(60, 20) and not budget.allows(60, 21) and not budget.allows(101, 0)
    budget.spend(30, 10)
    assert budget.cost == pytest.approx(0.5) and not budget.allows(60, 0) and budget.allows(50, 0)
