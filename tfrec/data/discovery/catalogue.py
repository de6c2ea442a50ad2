"""Finding the catalogue among a folder's files."""

from __future__ import annotations

from typing import Any

from tfrec.data.discovery.candidates import KNOWN, Found, candidates, query_column
from tfrec.data.discovery.dimensions import dimensions
from tfrec.data.discovery.look import Seen
from tfrec.data.discovery.names import NAMED, likeness
from tfrec.data.discovery.proposal import Answers, Proposal, Question
from tfrec.data.discovery.references import share_of
from tfrec.data.discovery.roles import Choice, choose
from tfrec.data.discovery.variants import languages, nameless, states, variants

_CLOSE = 0.25


def propose_items(seen: list[Seen], answers: Answers, proposal: Proposal) -> Found | None:
    """Adds the catalogue to a proposal.

    Args:
        seen: the files that can be read.
        answers: what the user has said.
        proposal: gets the table items, or why there is none.

    Returns:
        the catalogue.
    """
    found = candidates(seen, answers)
    asked = answers.get("items")
    if asked is not None:
        found = [one for one in found if one.seen.name == asked or one.seen.path.name == asked]
    if not found:
        files = ", ".join(file.name for file in seen)
        proposal.refusal = (
            f"no catalogue is found: none of {files} has a column of titles (name, title ...) beside one of ids; where "
            "there is one, name it, as in --answer items.title=COLUMN --answer items.item_id=COLUMN"
        )
        return None
    best = found[0]
    rivals = [one for one in found[1:] if best.rating - one.rating < _CLOSE and not _same_kind(one, best)]
    options = tuple(one.seen.name for one in [best, *rivals])
    if asked is None and rivals:
        proposal.questions.append(Question("items", "which file is the catalogue?", options))
    elif asked is None and best.doubtful:
        proposal.questions.append(Question("items", f"is {best.seen.name} the catalogue (a row per product)?", options))
    _describe(best, found, seen, answers, proposal)
    return best


def _same_kind(one: Found, other: Found) -> bool:
    return one.seen.header == other.seen.header


def _describe(best: Found, found: list[Found], seen: list[Seen], answers: Answers, proposal: Proposal) -> None:
    file = best.seen
    parts = [one.seen for one in found if one.seen is not file and _same_kind(one, best) and _apart(one, best)]
    paths = sorted([file.name, *(part.name for part in parts)])
    choices = [
        _asked("items.item_id", best.item, answers, proposal),
        _asked("items.title", best.title, answers, proposal),
    ]
    taken = {choice.column for choice in choices}
    for role in KNOWN:
        choice = choose(file, role, taken)
        if choice is not None:
            choices.append(choice)
            taken.add(choice.column)
    columns = {choice.role: choice.column for choice in choices if choice.role != choice.column}
    table: dict[str, Any] = {"path": paths[0] if len(paths) == 1 else paths, **file.settings}
    if columns:
        table["columns"] = columns
    other_ids = [key for key in best.keys if key not in taken and likeness("item_id", key) >= NAMED]
    if other_ids:
        table["aliases"] = other_ids
    if best.of_searches:
        own = best.seen.columns[best.item.column]
        if own.different >= 0.98 and answers.get("items.item_id") is None:
            text = f"each row of {file.name} is a judgment with an id of its own: which column names the product?"
            proposal.questions.append(Question("items.item_id", text, (best.title.column, best.item.column)))
        table["duplicates"] = "most_frequent"
        query = query_column(file, taken)
        assert query is not None
        table.setdefault("columns", {})[query.column] = None  # its words are no words of the product
        table.pop("aliases", None)
    else:
        variants(best, taken, table, proposal)
    languages(best, answers, table, proposal)
    nameless(best, table, proposal)
    states(file, proposal)
    dimensions(best, seen, {choice.role for choice in choices}, table, proposal, choices)
    proposal.tables["items"] = table
    proposal.reasons["items"] = choices


def _apart(one: Found, other: Found) -> bool:
    return share_of(one.seen.columns[one.item.column], other.seen.columns[other.item.column]) < 0.5


def _asked(key: str, choice: Choice, answers: Answers, proposal: Proposal) -> Choice:
    """A choice; a question where several are as likely, or nothing but content speaks."""
    if answers.get(key) is not None:
        return choice
    if choice.score < 0.45 or (choice.others and choice.role == "title"):
        text = f"which column is the product's {'title' if choice.role == 'title' else 'id'}?"
        proposal.questions.append(Question(key, text, (choice.column, *choice.others)))
    return choice
