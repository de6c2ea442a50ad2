"""Load for the serving benchmarks: closed loops (each client waits for its answer) and open ones (Poisson arrivals).

Requests are serialised beforehand and answers are not read, because client and server share the cores. In an open loop
a request's time counts from when it was due, not from when the client got round to sending it.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PREDICT = "/tensorflow.serving.PredictionService/Predict"
Send = Callable[[bytes], Awaitable[bytes]]


@dataclass
class Outcome:
    """What one run of load found.

    Attributes:
        seconds: how long it ran.
        milliseconds: of each request that was answered.
        failures: how often each error came.
    """

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Rate and percentiles, rounded."""
        times = np.array(self.milliseconds or [float("nan")])
        found = {f"p{level}": round(float(np.percentile(times, level)), 2) for level in (50, 95, 99)}
        rate = round(len(self.milliseconds) / self.seconds, 1)
        return {"qps": rate, **found, "max": round(float(times.max()), 2), "failed": sum(self.failures.values())}


def predict_requests(queries: Sequence[str], model: str = "tfrec", k: int = 10) -> list[bytes]:
    """Serialised PredictRequests of the signature `search`, one query each."""
    from tfrec.serving.client import schema
    from tfrec.serving.client.tensors import fill

    made = []
    for query in queries:
        request = schema.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = model, "search"
        fill(request.inputs["query"], np.array([query], object), content=True)
        fill(request.inputs["k"], np.asarray(np.int32(k)), content=True)
        made.append(request.SerializeToString(deterministic=True))
    return made


async def _one(send: Send, body: bytes, since: float, outcome: Outcome, look: Callable[[bytes], None] | None) -> None:
    try:
        answer = await send(body)
    except Exception as error:  # every failure is counted by its name
        code = getattr(error, "code", None)
        name = code().name if callable(code) else type(error).__name__
        outcome.failures[name] = outcome.failures.get(name, 0) + 1
        return
    outcome.milliseconds.append(1e3 * (time.perf_counter() - since))
    if look is not None:
        look(answer)


async def closed_loop(
    sends: Sequence[Send], bodies: Sequence[bytes], seconds: float, look: Callable[[bytes], None] | None = None
) -> Outcome:
    """As many clients as `sends`, each with one request at a time."""
    outcome, started = Outcome(), time.perf_counter()

    async def client(number: int, send: Send) -> None:
        place = number * 997
        while time.perf_counter() - started < seconds:
            await _one(send, bodies[place % len(bodies)], time.perf_counter(), outcome, look)
            place += 1

    await asyncio.gather(*(client(number, send) for number, send in enumerate(sends)))
    outcome.seconds = time.perf_counter() - started
    return outcome


async def open_loop(
    send: Send, bodies: Sequence[bytes], rate: float, seconds: float, look: Callable[[bytes], None] | None = None,
    seed: int = 17,
) -> Outcome:  # fmt: skip
    """Requests at random times, `rate` per second on average, whether or not earlier ones are answered."""
    outcome, draw, tasks = Outcome(), random.Random(seed), set()
    started = due = time.perf_counter()
    while due - started < seconds:
        due += draw.expovariate(rate)
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        task = asyncio.ensure_future(_one(send, draw.choice(bodies), due, outcome, look))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    outcome.seconds = time.perf_counter() - started
    return outcome


@asynccontextmanager
async def _grpc_send(address: str, timeout: float) -> AsyncIterator[Send]:
    async with grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = channel.unary_unary(PREDICT)

        async def send(body: bytes) -> bytes:
            return await stub(body, timeout=timeout)

        yield send


def grpc_closed(
    address: str, bodies: Sequence[bytes], clients: int, seconds: float, timeout: float = 30.0,
    look: Callable[[bytes], None] | None = None,
) -> Outcome:  # fmt: skip
    """A closed loop of gRPC clients over one channel."""

    async def run() -> Outcome:
        async with _grpc_send(address, timeout) as send:
            return await closed_loop([send] * clients, bodies, seconds, look)

    return asyncio.run(run())


def grpc_open(
    address: str, bodies: Sequence[bytes], rate: float, seconds: float, timeout: float = 30.0,
    look: Callable[[bytes], None] | None = None,
) -> Outcome:  # fmt: skip
    """An open loop of gRPC requests over one channel."""

    async def run() -> Outcome:
        async with _grpc_send(address, timeout) as send:
            return await open_loop(send, bodies, rate, seconds, look)

    return asyncio.run(run())


def http_closed(host: str, port: int, bodies: Sequence[bytes], clients: int, seconds: float, path: str) -> Outcome:
    """A closed loop of HTTP clients, each over a connection of its own that stays open."""

    async def connect() -> Send:
        reader, writer = await asyncio.open_connection(host, port)

        async def send(body: bytes) -> bytes:
            head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: "
            writer.write(head.encode() + str(len(body)).encode() + b"\r\n\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"(?i)content-length: *(\d+)", answer)
            content = await reader.readexactly(int(size.group(1))) if size else b""
            if not answer.startswith(b"HTTP/1.1 200"):
                raise ConnectionError(answer[:80].decode("latin-1"))
            return content

        return send

    async def run() -> Outcome:
        return await closed_loop([await connect() for _ in range(clients)], bodies, seconds)

    return asyncio.run(run())


@contextmanager
def program(arguments: Sequence[str], ready: str, log: Path, seconds: float = 600.0) -> Iterator[tuple[Any, str]]:
    """Starts a program, waits for the line that begins with `ready`, and ends it with SIGTERM.

    Yields:
        (the process, that line).

    Raises:
        RuntimeError: it ended before, or took too long; its log tells why.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        )
        try:
            until = time.monotonic() + seconds
            assert process.stdout is not None
            line = next((line for line in process.stdout if line.startswith(ready)), None)
            if line is None or time.monotonic() > until:
                raise RuntimeError(f"{arguments[1:3]} did not start: see {log}")
            yield process, line
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def model_server(export: Path, log: Path, *flags: str) -> Iterator[tuple[Any, str]]:
    """A server of an export under the name "tfrec", in a process of its own: (the process, "host:port")."""
    arguments = ["-m", "tfrec.serving.server", "--port=0", "--model_name=tfrec", f"--model_base_path={export}", *flags]
    with program(arguments, "Running", log) as (process, line):
        [address] = [word for word in line.split() if re.fullmatch(r"127\.0\.0\.1:\d+", word)][:1]
        yield process, address
