"""Configuration of the queries that a large language model writes."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from tfrec.config.base import Section


class LlmConfig(Section):
    """Queries written by a large language model behind any OpenAI-compatible endpoint (vLLM, Ollama, a cloud).

    The texts of items and labelled training queries are sent to the endpoint.
    """

    base_url: str | None = Field(
        None, description="Address of the endpoint up to /v1, as in http://localhost:11434/v1; the source needs it."
    )
    model: str | None = Field(None, description="Name of the model at the endpoint; the source needs it.")
    key_variable: str | None = Field(
        None, description="Name of the environment variable that holds the key; empty sends none (vLLM, Ollama)."
    )
    items: int = Field(2000, ge=1, description="Items that queries are asked for; drawn from the catalogue.")
    items_per_request: int = Field(5, ge=1, le=50, description="Items in one prompt.")
    queries_per_item: int = Field(3, ge=1, le=20, description="Queries asked for each item.")
    examples: int = Field(
        6, ge=0, le=50, description="Labelled training queries shown in each prompt, drawn anew for each."
    )
    item_characters: int = Field(300, ge=20, description="Characters of an item's text in the prompt.")
    instructions: str = Field("", description="Further sentences for the prompt, such as who the shoppers are.")
    temperature: float = Field(0.8, ge=0, le=2, description="Of the model's sampling.")
    max_answer_tokens: int = Field(600, ge=16, description="Longest answer, in the model's tokens.")
    json_mode: bool = Field(
        False, description="Asks the endpoint for a JSON object (response_format); not all of them know it."
    )
    confidence: float = Field(0.8, gt=0, le=1, description="Weight of the examples.")
    timeout_seconds: float = Field(60, gt=0, description="For one answer, from the first byte sent to the last read.")
    retries: int = Field(5, ge=0, le=20, description="Further attempts after a failed one.")
    first_wait_seconds: float = Field(
        1.0,
        gt=0,
        description="Wait before the second attempt; doubles with each, with jitter, or is what the server says.",
    )
    most_wait_seconds: float = Field(60.0, gt=0, description="Longest wait between two attempts.")
    concurrency: int = Field(4, ge=1, le=64, description="Requests under way at once.")
    requests_per_minute: float | None = Field(None, gt=0, description="Limit of the rate; empty: none.")
    tokens_per_minute: float | None = Field(None, gt=0, description="Limit of the rate; empty: none.")
    max_tokens: int | None = Field(
        2_000_000,
        ge=1,
        description="Tokens of prompts and answers together that may be spent on a run; what is made by then is used.",
    )
    price_per_million_prompt: float = Field(0.0, ge=0, description="Price of a million tokens of prompts.")
    price_per_million_answer: float = Field(0.0, ge=0, description="Price of a million tokens of answers.")
    max_cost: float | None = Field(None, gt=0, description="Most to spend on a run, in the currency of the prices.")
    max_failed_share: float = Field(
        0.2, ge=0, le=1, description="Stop when more than this share of the prompts fails for good."
    )
    cache: str | None = Field(
        None,
        description="Folder of paid answers; empty keeps them in the run folder. Answers are found by their prompt.",
    )

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{value!r} is no http(s) address such as http://localhost:11434/v1")
        if parts.username or parts.password or parts.query:
            raise ValueError("the address must not hold a key or password: name its variable in key_variable")
        return value.rstrip("/")

    @field_validator("key_variable")
    @classmethod
    def _is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            # the value is not repeated: it may be the key itself
            raise ValueError("give the NAME of an environment variable, not the key")
        return value
