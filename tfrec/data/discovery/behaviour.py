"""Finding searches and purchases among a folder's files, once the catalogue is known."""

from __future__ import annotations

from typing import Any

from tfrec.data.discovery.candidates import Found
from tfrec.data.discovery.columns import Column
from tfrec.data.discovery.look import Seen
from tfrec.data.discovery.names import likeness
from tfrec.data.discovery.proposal import Answers, Proposal, Question
from tfrec.data.discovery.references import Reference, item_reference, joined_by
from tfrec.data.discovery.roles import Choice, choose
from tfrec.data.discovery.words import event_weights, label_gains

# What a file's name says of it, the most telling first.
_STRENGTH = (
    "purchas", "order", "transact", "bestell", "kauf", "command", "pedido", "zamow", "zamów", "ordin", "sale",
    "invoice", "订单", "购买", "cart", "basket", "event", "log", "click", "rating", "review", "view", "session",
)  # fmt: skip
_OPTIONAL = ("event", "quantity", "order_id", "rating")


def propose_searches(seen: list[Seen], catalogue: Found, answers: Answers, proposal: Proposal) -> list[Seen]:
    """Adds searches or judgments to a proposal; gives the files that they take."""
    for file in seen:
        reference = _reference(file, catalogue)
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
        choices.append(_referring(reference, file))
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
        query = choose(other, "query")
        on = joined_by(file, other, "query_id")
        if query is not None and on is not None and query.column != on[1]:
            return other, {
                "path": other.name,
                "on": on[0] if on[0] == on[1] else {on[0]: on[1]},
                "columns": {"query": query.column},
            }
    return None, None


def _gains(column: Column, table: dict[str, Any], answers: Answers, proposal: Proposal) -> None:
    given = answers.get("searches.gains")
    if given is not None:
        table["gains"] = {
            label.strip(): float(value) for label, _, value in (part.partition("=") for part in given.split(","))
        }
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


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def propose_interactions(seen: list[Seen], catalogue: Found, answers: Answers, proposal: Proposal) -> list[Seen]:
    """Adds purchases or clicks to a proposal; gives the files that they take."""
    found: list[tuple[float, Seen, dict[str, Any], list[Choice], list[Seen]]] = []
    for file in seen:
        described = _described(file, seen, catalogue, answers)
        if described is not None:
            table, choices, partners = described
            strength = next(
                (1 - 0.03 * place for place, word in enumerate(_STRENGTH) if word in file.path.stem.casefold()), 0.3
            )
            strength += 0.1 * ("event" in {choice.role for choice in choices})
            found.append((strength, file, table, choices, partners))
    if not found:
        return []
    found.sort(key=lambda entry: entry[0], reverse=True)
    asked = answers.get("interactions")
    if asked is not None:
        found = [entry for entry in found if asked in (entry[1].name, entry[1].path.name)] or found
    _, file, table, choices, partners = found[0]
    same = [entry[1] for entry in found[1:] if entry[1].header == file.header and not entry[4]]
    others = [entry[1] for entry in found[1:] if entry[1].header != file.header]
    rivals = [entry[1].name for entry in found[1:] if entry[1] in others and found[0][0] - entry[0] < 0.02]
    if same and _are_parts([file, *same]):
        table["path"] = sorted([file.name, *(one.name for one in same)])
    elif same:
        rivals += [one.name for one in same]
    if rivals and asked is None:
        proposal.questions.append(
            Question("interactions", "several files tell what shoppers did: which one is read?", (file.name, *rivals))
        )
    for one in others:
        if one.name not in rivals:
            proposal.said.append(f"{one.name} tells what shoppers did, too; {file.name} is read")
    event = next((choice for choice in choices if choice.role == "event"), None)
    if event is not None:
        _events(file.columns[event.column], table, answers, proposal)
    if "rating" in {choice.role for choice in choices}:
        _ratings(file.columns[next(choice.column for choice in choices if choice.role == "rating")], table, proposal)
    if table.get("order_is_time"):
        proposal.said.append(
            f"{file.name} has no times: the order of each shopper's rows stands for them; baskets, seasons and trends "
            "are lost"
        )
    if _role(choices, "user_id") == _role(choices, "order_id") is not None:
        proposal.said.append(
            f"{file.name} names no shopper: each order stands for one, so nobody has a history of several"
        )
    proposal.tables["interactions"], proposal.reasons["interactions"] = table, choices
    return [file, *same, *partners]


def _role(choices: list[Choice], role: str) -> str | None:
    return next((choice.column for choice in choices if choice.role == role), None)


def _are_parts(files: list[Seen]) -> bool:
    """Whether the names of files differ in numbers, dates or months alone."""
    import re

    months = r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|train|test|part"
    return len({re.sub(rf"\d+|{months}|[-_. ]", "", file.path.stem.casefold()) for file in files}) == 1


def _described(
    file: Seen, seen: list[Seen], catalogue: Found, answers: Answers
) -> tuple[dict[str, Any], list[Choice], list[Seen]] | None:
    reference = _reference(file, catalogue)
    if reference is None:
        return None
    taken = {reference.column}
    user = choose(file, "user_id", taken)
    taken |= {user.column} if user is not None else set()
    time = choose(file, "timestamp", taken)
    choices = [_referring(reference, file)]
    table: dict[str, Any] = {"path": file.name, **file.settings}
    partners: list[Seen] = []
    if user is None or time is None:
        join, partner, own = _order_of(file, seen, catalogue, user is None, time is None)
        if join is not None and partner is not None:
            table["join"] = [join]
            partners.append(partner)
            choices += own
            user, time = user or own[0], time or next((one for one in own if one.role == "timestamp"), None)
    order = choose(file, "order_id", taken)
    if user is None:
        if order is None or file is catalogue.seen:
            return None
        user = Choice("user_id", order.column, 0.5, "no column names a shopper: each order stands for one")
    if file is catalogue.seen and time is None:
        return None
    columns: dict[str, str] = {}
    for choice in (user, time):
        if choice is not None and choice not in choices:
            choices.append(choice)
    if time is None:
        table["order_is_time"] = True
        if file.columns[user.column].different >= 0.98 and not partners:
            return None  # a row for each: no shopper has two
    for role in _OPTIONAL:
        choice = choose(file, role, taken | {one.column for one in choices if one.column != user.column})
        if choice is not None and not (role == "rating" and "quantity" in columns):
            choices.append(choice)
    looked_up = {role for join in table.get("join", []) for role in join["columns"]}
    columns = {one.role: one.column for one in choices if one.role not in looked_up and one.role != one.column}
    if columns:
        table["columns"] = columns
    return table, choices, partners


def _reference(file: Seen, catalogue: Found) -> Reference | None:
    """How a file names the catalogue's items; its own rows name themselves."""
    if file is catalogue.seen:
        return Reference(catalogue.item.column, catalogue.item.column, 1.0)
    return item_reference(file, catalogue.seen, catalogue.keys)


def _referring(reference: Reference, file: Seen) -> Choice:
    share = 100 * reference.share
    return Choice("item_id", reference.column, 1.0, f"{share:.0f} % of its values are the catalogue's {reference.key}")


def _order_of(
    file: Seen, seen: list[Seen], catalogue: Found, needs_user: bool, needs_time: bool
) -> tuple[dict[str, Any] | None, Seen | None, list[Choice]]:
    """The table of orders in which the shopper and the time of an order's lines stand."""
    for other in seen:
        if other is file or other is catalogue.seen:
            continue
        on = joined_by(file, other, "order_id")
        if on is None or likeness("item_id", on[0]) > likeness("order_id", on[0]):
            continue
        user = choose(other, "user_id", {on[1]}) if needs_user else None
        time = choose(other, "timestamp", {on[1]}) if needs_time else None
        if (needs_user and user is None) or (user is None and time is None):
            continue
        added = [choice for choice in (user, time) if choice is not None]
        columns = {choice.role: choice.column for choice in added}
        why = [Choice(one.role, f"{other.name}: {one.column}", one.score, one.why) for one in added]
        return {"path": other.name, "on": on[0] if on[0] == on[1] else {on[0]: on[1]}, "columns": columns}, other, why
    return None, None, []


def _events(column: Column, table: dict[str, Any], answers: Answers, proposal: Proposal) -> None:
    weights, other, unknown = event_weights(column.values)
    given = answers.get("interactions.events")
    if given is not None:
        table["events"] = {
            name.strip(): float(value or 1) for name, _, value in (part.partition("=") for part in given.split(","))
        }
        return
    if unknown:
        guess = {**weights, **dict.fromkeys(unknown, 1.0)}
        words = ", ".join(unknown[:8])
        text = f"which events of {column.name} speak of liking, and how much (as in view=1,cart=3)? Unknown: {words}"
        proposal.questions.append(
            Question("interactions.events", text, (",".join(f"{k}={v:g}" for k, v in guess.items()),))
        )
        weights = guess
    table["events"] = weights
    if other:
        proposal.said.append(f"events that are no sign of liking are left out: {', '.join(other)}")


def _ratings(column: Column, table: dict[str, Any], proposal: Proposal) -> None:
    values = sorted(float(value) for value in column.values if _is_number(value))
    if not values:
        return
    highest = values[-1]
    table["min_rating"] = 4.0 if highest == 5 else round(0.7 * highest, 4)
    proposal.said.append(f"ratings of {column.name} from {table['min_rating']:g} of {highest:g} up count as liking")
