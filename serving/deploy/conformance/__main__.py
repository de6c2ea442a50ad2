"""Compares two model servers.

python -m serving.deploy.conformance --reference 127.0.0.1:8500,http://127.0.0.1:8501 \\
    --candidate 127.0.0.1:9500,http://127.0.0.1:9501

Ends with 0 if every answer is the same, with 1 if any differs, with 2 if a server cannot be asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from serving.client import ClientError
from serving.deploy.conformance.cases import QUERIES, Case, discover, grpc_cases, grpc_mistakes, rest_cases
from serving.deploy.conformance.compare import SAME, values
from serving.deploy.conformance.side import Refusal, RestAnswer, Side


class Outcome(NamedTuple):
    """One case: its name, what differs ("" for nothing), and in a word what both gave."""

    name: str
    differs: str
    answer: str


def compare(one: Any, other: Any, tolerance: float) -> tuple[str, str]:
    """Compares two answers.

    Returns:
        (what differs, what the first gave in a word).
    """
    if isinstance(one, Refusal) or isinstance(other, Refusal):
        codes = [side.code if isinstance(side, Refusal) else "an answer" for side in (one, other)]
        return (SAME if codes[0] == codes[1] else f"{codes[1]}, not {codes[0]}"), codes[0]
    if isinstance(one, RestAnswer):
        told = str(one.status)
        if one.status != other.status:
            return f"HTTP {other.status}, not {one.status}", told
        if one.status != 200:
            said = [
                isinstance(side.content, dict) and isinstance(side.content.get("error"), str) for side in (one, other)
            ]
            return (SAME if said[0] == said[1] else "only one of them says why in JSON"), told
        return values(one.content, other.content, tolerance), told
    return values(_plain(one), _plain(other), tolerance), "answer"


def _plain(value: Any) -> Any:
    """Named tuples as mappings, tuples as lists."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(part) for name, part in value._asdict().items()}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def run(reference: Side, candidate: Side, queries: Sequence[str], tolerance: float) -> Iterator[Outcome]:
    """Asks both servers every question.

    Raises:
        ClientError: the reference does not even answer a search.
    """
    items = discover(reference, queries)
    cases: Iterable[Case] = [*grpc_cases(queries, items), *grpc_mistakes()]
    if reference.rest_url and candidate.rest_url:
        cases = [*cases, *rest_cases(queries, items)]
    for case in cases:
        differs, answer = compare(reference.ask(case.ask), candidate.ask(case.ask), tolerance)
        yield Outcome(case.name, differs, answer)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the comparison and prints it."""
    parser = argparse.ArgumentParser(prog="python -m serving.deploy.conformance", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--reference", required=True, help="host:port[,http://host:port] of the server that is right")
    add("--candidate", required=True, help="the same of the other")
    add("--model", default="tfrec", help="name of the served model")
    add("--queries", type=Path, help="file with queries, one on each line; without it, a built-in few")
    add("--tolerance", type=float, default=1e-3, help="rounding of scores; 0.03 for bf16 exports on unlike processors")
    add("--wait", type=float, default=60.0, help="seconds that both have to become ready")
    add("--ca", type=Path, help="authority of both servers' certificates (PEM)")
    add("--token-file", type=Path, help="file with the token for both servers")
    add("--json", type=Path, help="write the outcome there")
    given = parser.parse_args(arguments)
    try:
        queries = QUERIES if given.queries is None else given.queries.read_text("utf-8").splitlines()
        reference, candidate = (
            Side(address, given.model, given.ca, given.token_file) for address in (given.reference, given.candidate)
        )
        for side in (reference, candidate):
            side.client.wait_until_ready(given.wait)
        outcomes = []
        for outcome in run(reference, candidate, queries, given.tolerance):
            outcomes.append(outcome)
            print(f"{'DIFFERS' if outcome.differs else 'same':8} {outcome.name}: {outcome.differs or outcome.answer}")
    except (ClientError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    wrong = sum(bool(outcome.differs) for outcome in outcomes)
    rest = "gRPC and REST" if reference.rest_url and candidate.rest_url else "gRPC alone"
    print(f"{len(outcomes) - wrong} of {len(outcomes)} requests answered alike ({rest}).")
    if given.json is not None:
        given.json.write_text(json.dumps([outcome._asdict() for outcome in outcomes], indent=1), "utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
