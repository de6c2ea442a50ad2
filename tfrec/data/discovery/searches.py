"""Finding searches or judgments among a folder's files, once the catalogue is known."""

from __future__ import annotations

from typing import Any

from tfrec.data.discovery.candidates import Found
from tfrec.data.discovery.columns import Column
from tfrec.data.discovery.look import Seen
from tfrec.data.discovery.proposal import Answers, Proposal, Question
from tfrec.data.discovery.references import joined_by
from tfrec.data.discovery.roles import Choice, choose
from tfrec.data.discovery.words import label_gains


def propose_searches(seen: list[Seen], catalogue: Found, answers: Answers, proposal: Proposal) -> list[Seen]:
    """Adds searches or judgments to a proposal; gives the files that they take."""
    for file in seen:
        reference = catalogue.reference_of(file)
        if reference is None or (file is catalogue.seen and not catalogue.of_searches):
            continue
        itself = {catalogue.title.column} if file is catalogue.seen else set()
        query = choose(file, "query", {reference.column, *itself})
        join: dict[str, Any] | None = None
        number = choose(file, "query_id", {reference.column})
        partner = None
        if query is None and number is not None:
            partner, join = _text_of_queries(file, seen)
        if query is None and join is None:
            continue
        taken = {reference.column, *([query.column] if query is not None else [])}
        gain = choose(file, "gain", taken)
        if query is not None and gain is None and choose(file, "user_id", taken) and choose(file, "timestamp", taken):
            filled = file.columns[query.column].filled
            proposal.said.append(
                f"{file.name} has queries in {query.column}, too ({100 * filled:.0f} % filled): its rows are read as "
                "what shoppers did"
            )
            continue
        choices = [query] if query is not None else []
        choices.append(reference.choice)
        for choice in (gain, number, choose(file, "split", taken)):
            if choice is not None:
                choices.append(choice)
        table: dict[str, Any] = {"path": file.name, **file.settings}
        if join is not None:
            table["join"] = [join]
            proposal.said.append(f"the text of the queries is looked up in {join['path']}")
        columns = {choice.role: choice.column for choice in choices if choice.role != choice.column}
        if columns:
            table["columns"] = columns
        if gain is not None:
            _gains(file.columns[gain.column], table, answers, proposal)
        proposal.tables["searches"], proposal.reasons["searches"] = table, choices
        return [file, *([partner] if partner is not None else [])]
    return []


def _text_of_queries(file: Seen, seen: list[Seen]) -> tuple[Seen | None, dict[str, Any] | None]:
    for other in seen:
        if other is file:
            continue
        on = joined_by(file, other, "query_id")
        query = choose(other, "query") or (_only_text(other) if on is not None else None)
        if query is not None and on is not None and query.column != on[1]:
            return other, {
                "path": other.name,
                "on": on[0] if on[0] == on[1] else {on[0]: on[1]},
                "columns": {"query": query.column},
            }
    return None, None


def _only_text(file: Seen) -> Choice | None:
    """The one column of words beside the ids of queries, whatever it is called."""
    texts = [column for column in file.columns.values() if column.is_text]
    return Choice("query", texts[0].name, 0.6, "the only words of its file") if len(texts) == 1 else None


def _gains(column: Column, table: dict[str, Any], answers: Answers, proposal: Proposal) -> None:
    given = answers.numbers("searches.gains")
    if given is not None:
        table["gains"] = given
    elif column.plain < 0.95:  # numbers are scaled when they are read
        gains = label_gains(column.values)
        if gains is not None:
            table["gains"] = gains
        else:
            words = ", ".join(sorted(column.values)[:8])
            text = f"how good is an item with each of the labels {words}, from 0 to 1 (as in A=1,B=0.5,C=0)?"
            even = sorted(column.values)
            guess = ",".join(f"{label}={1 - place / max(1, len(even) - 1):g}" for place, label in enumerate(even))
            proposal.questions.append(Question("searches.gains", text, (guess,)))
            table["gains"] = {label: round(1 - place / max(1, len(even) - 1), 4) for place, label in enumerate(even)}
