"""Compares two model servers, or a server with the export that it serves.

python -m tfrec.serving.deploy.conformance --reference 127.0.0.1:8500,http://127.0.0.1:8501 \\
    --candidate 127.0.0.1:9500,http://127.0.0.1:9501
python -m tfrec.serving.deploy.conformance --reference runs/demo/export --candidate 127.0.0.1:8500,http://127.0.0.1:8501

Ends with 0 if every answer is the same, with 1 if any differs, with 2 if a server cannot be asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tfrec.errors import TfrecError
from tfrec.output import replaceable_output
from tfrec.serving.client import ClientError
from tfrec.serving.deploy.conformance import cases
from tfrec.serving.deploy.conformance.compare import SAME, values
from tfrec.serving.deploy.conformance.export_side import REFUSED, ExportSide
from tfrec.serving.deploy.conformance.side import Refusal, RestAnswer, Side


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
    if isinstance(one, Refusal) and one.code == REFUSED:
        refused = other.status >= 400 if isinstance(other, RestAnswer) else isinstance(other, Refusal)
        return (SAME if refused else "an answer, where the export refuses"), REFUSED
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


def run(reference: Side | ExportSide, candidate: Side, queries: Sequence[str], tolerance: float) -> Iterator[Outcome]:
    """Asks both every question that both can answer.

    Raises:
        ClientError: the reference does not even answer a search.
    """
    items = cases.discover(reference, queries)
    asked = [*cases.grpc_answers(queries, items), *cases.grpc_mistakes()]
    servers, rest = isinstance(reference, Side), bool(reference.rest_url and candidate.rest_url)
    asked += [*(cases.grpc_versions() if servers else ()), *(cases.rest_predictions(queries, items) if rest else ())]
    asked += cases.rest_server() if servers and rest else ()
    for case in asked:
        differs, answer = compare(reference.ask(case.ask), candidate.ask(case.ask), tolerance)
        yield Outcome(case.name, differs, answer)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the comparison and prints it."""
    replaceable_output()
    parser = argparse.ArgumentParser(
        prog="python -m tfrec.serving.deploy.conformance", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add("--reference", required=True, help="what is right: host:port[,http://host:port], or the folder of an export")
    add("--candidate", required=True, help="host:port[,http://host:port] of the server to check")
    add("--model", default="tfrec", help="name of the served model")
    add("--queries", type=Path, help="file with queries, one on each line; without it, a built-in few")
    add("--tolerance", type=float, default=1e-3, help="rounding of scores; 0.03 for bf16 exports on unlike processors")
    add("--wait", type=float, default=60.0, help="seconds that both have to become ready")
    add("--ca", type=Path, help="authority of both servers' certificates (PEM)")
    add("--token-file", type=Path, help="file with the token for both servers")
    add("--json", type=Path, help="write the outcome there")
    given = parser.parse_args(arguments)
    try:
        queries = cases.QUERIES if given.queries is None else _lines(given.queries)
        candidate = Side(given.candidate, given.model, given.ca, given.token_file)
        candidate.client.wait_until_ready(given.wait)
        reference = _reference(given)
        outcomes = []
        for outcome in run(reference, candidate, queries, given.tolerance):
            outcomes.append(outcome)
            print(f"{'DIFFERS' if outcome.differs else 'same':8} {outcome.name}: {outcome.differs or outcome.answer}")
    except (ClientError, TfrecError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"error: loading an export needs {error.name}: pip install 'tfrec-shop[all]'.", file=sys.stderr)
        return 2
    wrong = sum(bool(outcome.differs) for outcome in outcomes)
    rest = "gRPC and REST" if reference.rest_url and candidate.rest_url else "gRPC alone"
    print(f"{len(outcomes) - wrong} of {len(outcomes)} requests answered alike ({rest}).")
    if given.json is not None:
        given.json.write_text(json.dumps([outcome._asdict() for outcome in outcomes], indent=1), "utf-8")
    return 1 if wrong else 0


def _reference(given: argparse.Namespace) -> Side | ExportSide:
    if Path(given.reference).is_dir():
        return ExportSide(Path(given.reference), given.model)
    if ":" not in given.reference:
        raise TfrecError(f"There is no folder {given.reference}: name an export, or a server as host:port.")
    side = Side(given.reference, given.model, given.ca, given.token_file)
    side.client.wait_until_ready(given.wait)
    return side


def _lines(file: Path) -> list[str]:
    lines = file.read_text("utf-8", "replace").splitlines()
    if not lines:
        raise TfrecError(f"{file} holds no query: write one on each line.")
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
