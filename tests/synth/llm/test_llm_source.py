"""The source llm against a server on this machine: prompts, limits, failures, and a kill in the middle."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tfrec.config import load_config
from tfrec.data.prepare import prepare
from tfrec.errors import ConfigError, TfrecError
from tfrec.synth.llm.source import LlmSource
from tfrec.synth.source import SAMPLES, SourceContext

Write = Callable[..., Path]
KEY = "sk-very-secret-0123456789"


def _made(path: Path, folder: Path, **settings: Any) -> pl.DataFrame:
    config = load_config(path, [f"synthesis.llm.{name}={value}" for name, value in settings.items()])
    context = SourceContext(config, prepare(config), lambda: pytest.fail("no teacher is needed"), folder)
    return LlmSource().samples(context)


def _failing(status: int, count: int, body: Any = "busy", headers: dict[str, str] | None = None) -> Any:
    def behave(handler: Any, number: int, payload: dict[str, Any]) -> bool:
        if number < count:
            handler.send(status, body, headers)
        return number < count

    return behave


def test_queries_belong_to_the_items_asked_about(server: Any, llm_shop: Write, tmp_path: Path) -> None:
    path = llm_shop(server.url)
    made = _made(path, tmp_path)
    titles = prepare(load_config(path)).item_texts
    assert made.schema == pl.Schema(SAMPLES) and made.height == 24 and made["item"].n_unique() == 12
    assert all(titles[item] in query for query, item in made.select("query", "item").iter_rows())
    assert set(made["generator"]) == {"tiny"} and made["confidence"].to_list() == pytest.approx([0.8] * 24)
    assert len(server.seen) == 6 and sorted(server.products()) == sorted(titles)


def test_prompts_show_training_queries_and_never_evaluated_ones(server: Any, llm_shop: Write, tmp_path: Path) -> None:
    _made(llm_shop(server.url, instructions="Shoppers are students."), tmp_path)
    sent = [message["content"] for _, _, payload in server.seen for message in payload["messages"]]
    assert any("crimson couch" in text and "red sofa" in text for text in sent)
    assert not any("secret" in text for text in sent)
    assert any("Shoppers are students." in text for text in sent)
    path, _, payload = server.seen[0]
    assert path == "/v1/chat/completions" and payload["model"] == "tiny"


def test_answers_are_paid_once(server: Any, llm_shop: Write, tmp_path: Path) -> None:
    path = llm_shop(server.url)
    first = _made(path, tmp_path)
    asked = len(server.seen)
    assert _made(path, tmp_path).equals(first) and len(server.seen) == asked
    assert _made(path, tmp_path, cache=tmp_path / "other").equals(first) and len(server.seen) == 2 * asked
    damaged = next((tmp_path / "answers").rglob("*.json"))
    damaged.write_text('{"content": "cut o')
    assert _made(path, tmp_path).equals(first) and len(server.seen) == 2 * asked + 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failing_server_is_asked_again(server: Any, llm_shop: Write, tmp_path: Path, status: int) -> None:
    server.behave = _failing(status, 3)
    assert _made(llm_shop(server.url), tmp_path).height == 24
    assert len(server.seen) == 6 + 3


def test_the_wait_is_what_the_server_asks_for(server: Any, llm_shop: Write, tmp_path: Path) -> None:
    server.behave = _failing(429, 1, headers={"Retry-After": "0.4"})
    started = time.monotonic()
    _made(llm_shop(server.url, most_wait_seconds=1, items=2), tmp_path)
    assert time.monotonic() - started > 0.4 and len(server.seen) == 2


@pytest.mark.parametrize(
    "body",
    ["<html>gateway</html>", {"choices": []}, {"choices": [{"message": {"content": "Sorry, I cannot."}}]}, "[1]", ""],
)
def test_a_bad_answer_is_asked_for_again_with_another_seed(
    server: Any, llm_shop: Write, tmp_path: Path, body: Any
) -> None:
    server.behave = _failing(200, 1, body)
    assert _made(llm_shop(server.url, items=2), tmp_path).height == 4
    seeds = [payload["seed"] for _, _, payload in server.seen]
    assert len(seeds) == 2 and seeds[0] != seeds[1]


def test_a_server_that_hangs_or_drips_is_given_up_after_the_timeout(
    server: Any, llm_shop: Write, tmp_path: Path
) -> None:
    def behave(handler: Any, number: int, payload: dict[str, Any]) -> bool:
        if number == 0:
            time.sleep(0.6)
            handler.close_connection = True
            return True
        if number == 1:
            handler.drip(8.0)
            return True
        return False

    server.behave = behave
    started = time.monotonic()
    assert _made(llm_shop(server.url, timeout_seconds=0.3, items=2), tmp_path).height == 4
    assert time.monotonic() - started < 7


def test_an_answer_that_breaks_off_is_asked_for_again(server: Any, llm_shop: Write, tmp_path: Path) -> None:
    def behave(handler: Any, number: int, payload: dict[str, Any]) -> bool:
        if number == 0:
            handler.send_response(200)
            handler.send_header("Content-Length", "5000")
            handler.end_headers()
            handler.wfile.write(b'{"choices": [')
            handler.close_connection = True
        return number == 0

    server.behave = behave
    assert _made(llm_shop(server.url, items=2), tmp_path).height == 4


def test_a_wrong_key_ends_it_at_once_and_is_never_shown(
    server: Any, llm_shop: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOP_LLM_KEY", KEY)
    server.behave = _failing(401, 99, {"error": f"wrong key {KEY}"})
    with pytest.raises(ConfigError, match="key_variable") as told:
        _made(llm_shop(server.url, key_variable="SHOP_LLM_KEY", concurrency=1), tmp_path)
    assert len(server.seen) == 1 and server.seen[0][1]["Authorization"] == f"Bearer {KEY}"
    server.behave = None
    _made(tmp_path / "shop.yaml", tmp_path)
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    shown = "".join(capsys.readouterr())
    assert KEY not in str(told.value) + repr(told.value.__context__) + shown and KEY.encode() not in written


def test_a_redirect_does_not_carry_the_key_away(
    server: Any, llm_shop: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_LLM_KEY", KEY)
    server.behave = _failing(307, 99, "elsewhere", {"Location": f"{server.url}/else"})
    with pytest.raises(ConfigError, match="307"):
        _made(llm_shop(server.url, key_variable="SHOP_LLM_KEY", concurrency=1), tmp_path)
    assert len(server.seen) == 1


def test_one_refused_prompt_is_left_out(server: Any, llm_shop: Write, tmp_path: Path) -> None:
    server.behave = _failing(413, 1, "too long")
    assert _made(llm_shop(server.url, concurrency=1), tmp_path).height == 20


def test_a_server_that_always_fails_ends_it_with_a_sentence(server: Any, llm_shop: Write, tmp_path: Path) -> None:
    server.behave = _failing(500, 999, "boom")
    with pytest.raises(TfrecError, match="failed for 4 of 4 prompts.*boom"):
        _made(llm_shop(server.url, retries=1), tmp_path)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"base_url": None}, "synthesis.llm.base_url"),
        ({"model": None}, "synthesis.llm.model"),
        ({"key_variable": "NO_SUCH_VARIABLE"}, "NO_SUCH_VARIABLE"),
        ({"base_url": "http://127.0.0.1:9/v1", "retries": 0}, "No language model answers"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(
    llm_shop: Write, tmp_path: Path, settings: dict[str, Any], says: str
) -> None:
    path = llm_shop(settings.pop("base_url", "http://127.0.0.1:9/v1"), **settings)
    with pytest.raises(TfrecError, match=says):
        _made(path, tmp_path)


@pytest.mark.parametrize("field", [f"key_variable={KEY}", f"base_url=http://me:{KEY}@host/v1"])
def test_a_key_in_the_configuration_is_refused_without_repeating_it(llm_shop: Write, field: str) -> None:
    with pytest.raises(ConfigError) as told:
        load_config(llm_shop("http://127.0.0.1:9/v1"), [f"synthesis.llm.{field}"])
    assert KEY not in str(told.value)


@pytest.mark.parametrize(
    "limit", [{"max_tokens": 1000}, {"max_cost": 0.01, "price_per_million_prompt": 5, "price_per_million_answer": 12}]
)
def test_the_budget_ends_it_at_the_same_prompt_on_every_run(
    server: Any, llm_shop: Write, tmp_path: Path, limit: dict[str, Any]
) -> None:
    path = llm_shop(server.url, concurrency=1, **limit)
    first = _made(path, tmp_path)
    assert 0 < len(server.seen) < 6 and first.height == 4 * len(server.seen)
    asked = len(server.seen)
    assert _made(path, tmp_path).equals(first) and len(server.seen) == asked


def test_the_rate_is_kept(server: Any, llm_shop: Write, tmp_path: Path) -> None:
    times: list[float] = []
    server.behave = lambda handler, number, payload: bool(times.append(time.monotonic()))
    _made(llm_shop(server.url, requests_per_minute=600, concurrency=6), tmp_path)
    assert times[-1] - times[0] > 5 * 0.1 - 0.05


def test_a_kill_in_the_middle_resumes_to_the_same_samples(server: Any, llm_shop: Write, tmp_path: Path) -> None:
    whole = _made(llm_shop(server.url, concurrency=1), tmp_path / "whole")
    asked = len(server.seen)
    server.behave = lambda handler, number, payload: bool(time.sleep(0 if number < asked + 3 else 3))
    (tmp_path / "killed").mkdir()
    command = [sys.executable, str(Path(__file__).with_name("asking.py")), tmp_path / "shop.yaml", tmp_path / "killed"]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 90
    while len(server.seen) < asked + 4 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    kept = len(list((tmp_path / "killed" / "answers").rglob("*.json")))
    assert kept == 3 and not (tmp_path / "killed" / "made.parquet").exists()
    server.behave, before = None, len(server.seen)
    assert _made(tmp_path / "shop.yaml", tmp_path / "killed").equals(whole)
    assert len(server.seen) == before + asked - kept
