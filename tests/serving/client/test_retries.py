"""Retries, several targets, deadlines: against real gRPC servers that fail on command."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tfrec.serving.client import Client, ClientError
from tfrec.serving.client.retry import Attempts, RetryBudget, Targets


def test_an_unreachable_server_is_asked_again(scripted: Callable[..., Any]) -> None:
    server = scripted()
    server.script += ["UNAVAILABLE", "UNAVAILABLE"]
    with Client(server.address, retries=2) as client:
        assert client.search("x")[0][0].item_id == "A"
    assert len(server.calls) == 3


def test_retries_are_counted(scripted: Callable[..., Any]) -> None:
    server = scripted()
    server.script += ["UNAVAILABLE"] * 9
    with Client(server.address, retries=1) as client, pytest.raises(ClientError) as failed:
        client.search("x")
    assert failed.value.code == "UNAVAILABLE" and len(server.calls) == 2


@pytest.mark.parametrize(
    "code",
    ["INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN", "ABORTED", "UNAUTHENTICATED"],
)
def test_no_other_failure_is_repeated(scripted: Callable[..., Any], code: str) -> None:
    server = scripted()
    server.script += [code]
    with Client(server.address, retries=5) as client, pytest.raises(ClientError, match=f"scripted {code}") as failed:
        client.search("x")
    assert failed.value.code == code and len(server.calls) == 1


def test_targets_take_turns(scripted: Callable[..., Any]) -> None:
    servers = [scripted(name) for name in "AB"]
    with Client([server.address for server in servers]) as client:
        assert [client.search("x")[0][0].item_id for _ in range(4)] == ["A", "B", "A", "B"]


def test_another_target_answers_at_once_and_the_dead_one_is_left_alone(scripted: Callable[..., Any]) -> None:
    dead, alive = scripted("A"), scripted("B")
    dead.stop()
    with Client([dead.address, alive.address], timeout=20) as client:
        started = time.monotonic()
        assert [client.search("x")[0][0].item_id for _ in range(10)] == ["B"] * 10
        assert time.monotonic() - started < 2
    assert len(alive.calls) == 10


def test_a_machine_that_takes_connections_but_says_nothing_does_not_use_up_the_call(
    scripted: Callable[..., Any],
) -> None:
    alive = scripted("B")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        targets = [f"127.0.0.1:{silent.getsockname()[1]}", alive.address]
        with Client(targets, timeout=8) as client:
            assert [client.search("x")[0][0].item_id for _ in range(4)] == ["B"] * 4


def test_closing_ends_a_call_on_its_way(scripted: Callable[..., Any]) -> None:
    server = scripted()
    server.delay = 0.5
    client, codes = Client(server.address), []

    def ask() -> None:
        with pytest.raises(ClientError, match="is closed") as failed:
            client.search("x")
        codes.append(failed.value.code)

    waiting = threading.Thread(target=ask)
    waiting.start()
    while not server.calls:
        time.sleep(0.01)
    client.close()
    waiting.join(5)
    ask()
    assert codes == ["CANCELLED", "CANCELLED"]


def test_all_targets_dead_are_named(scripted: Callable[..., Any]) -> None:
    servers = [scripted("A"), scripted("B")]
    for server in servers:
        server.stop()
    with Client([server.address for server in servers], timeout=5) as client, pytest.raises(ClientError) as failed:
        client.search("x")
    assert all(server.address in failed.value.message for server in servers)


def test_the_deadline_covers_all_attempts(scripted: Callable[..., Any]) -> None:
    server = scripted()
    server.script += ["UNAVAILABLE"] * 500
    started = time.monotonic()
    with Client(server.address, retries=400, timeout=0.6) as client, pytest.raises(ClientError):
        client.search("x")
    assert time.monotonic() - started < 2
    assert 2 <= len(server.calls) < 200


def test_a_slow_answer_ends_at_the_deadline_and_is_not_repeated(scripted: Callable[..., Any]) -> None:
    server = scripted()
    server.delay = 0.4
    with Client(server.address, timeout=0.1, retries=5) as client, pytest.raises(ClientError) as failed:
        client.search("x")
    assert failed.value.code == "DEADLINE_EXCEEDED" and "0.1 s" in failed.value.message
    assert len(server.calls) == 1


class Clock:
    """A clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_budget_lets_a_fifth_of_the_calls_and_ten_a_second_be_repeated() -> None:
    clock = Clock()
    budget = RetryBudget(clock)
    assert sum(budget.take() for _ in range(100)) == 10
    for _ in range(50):
        budget.call()
    assert sum(budget.take() for _ in range(100)) in (9, 10)  # 50 / 5, less rounding
    clock.now += 1.0
    assert sum(budget.take() for _ in range(100)) in (10, 11)
    clock.now += 3600
    assert sum(budget.take() for _ in range(1000)) == 100


def test_an_empty_budget_ends_the_call() -> None:
    budget = RetryBudget(Clock())
    while budget.take():
        pass
    attempts = Attempts(Targets(["a:1"]), budget, retries=5, timeout=10)
    assert attempts.pause_after("UNAVAILABLE") is None


def test_a_failed_target_comes_last_until_it_has_rested() -> None:
    clock = Clock()
    targets = Targets(["a:1", "b:1", "c:1"], clock)
    assert targets.order() == [0, 1, 2]
    targets.failed(1)
    assert targets.order()[-1] == 1 and targets.order() == [2, 0, 1]
    clock.now = 1.1
    assert targets.order() == [0, 1, 2]
    targets.failed(1)  # the second time in a row: two seconds
    clock.now = 3.0
    assert targets.order()[-1] == 1
    targets.answered(1)
    assert targets.order() == [2, 0, 1] and targets.order() == [0, 1, 2]
    for _ in range(40):
        targets.failed(0)
    clock.now += 30.1
    assert not targets.rests(0)


def test_pauses_grow_and_are_random() -> None:
    clock = Clock()
    firsts, lates = [], []
    for _ in range(200):
        attempts = Attempts(Targets(["a:1"], clock), RetryBudget(clock), retries=9, timeout=1000)
        pauses = [attempts.pause_after("UNAVAILABLE") for _ in range(8)]
        assert None not in pauses
        firsts.append(pauses[0])
        lates.append(pauses[7])
    assert min(firsts) >= 0 and max(firsts) <= 0.2 and len(set(firsts)) > 100
    assert max(firsts) < max(lates) <= 2.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"target": []}, "at least one target"),
        ({"target": ["127.0.0.1:1", "nowhere"]}, "host:port, not 'nowhere'"),
        ({"timeout": 0}, "seconds above 0"),
        ({"retries": -1}, "at least 0"),
    ],
)
def test_wrong_settings_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence) as failed:
        Client(**arguments)
    assert failed.value.code == "INVALID_ARGUMENT"


def test_a_timeout_of_zero_is_refused() -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(ClientError, match="above 0"):
        client.search("x", timeout=0)
