"""Finding purchases and clicks among a folder's files, once the catalogue is known."""

from __future__ import annotations

from typing import Any

from tfrec.data.discovery.candidates import Found
from tfrec.data.discovery.look import Seen
from tfrec.data.discovery.names import likeness
from tfrec.data.discovery.proposal import Answers, Proposal, Question
from tfrec.data.discovery.references import joined_by
from tfrec.data.discovery.roles import Choice, choose
from tfrec.data.discovery.worth import event_worth, rating_worth

# What a file's name says of it, the most telling first.
_STRENGTH = (
    "purchas", "order", "transact", "bestell", "kauf", "command", "pedido", "zamow", "zamów", "ordin", "sale",
    "invoice", "订单", "购买", "cart", "basket", "event", "log", "click", "rating", "review", "view", "session",
)  # fmt: skip
_OPTIONAL = ("event", "quantity", "order_id", "rating")


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
        item = next(choice for choice in choices if choice.role == "item_id")
        event_worth(file.frame.select(item.column, event.column), table, answers, proposal)
    rating = next((choice for choice in choices if choice.role == "rating"), None)
    if rating is not None:
        rating_worth(file.columns[rating.column], table, proposal)
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
    reference = catalogue.reference_of(file)
    if reference is None:
        return None
    taken = {reference.column}
    user = choose(file, "user_id", taken)
    taken |= {user.column} if user is not None else set()
    time = choose(file, "timestamp", taken)
    choices = [reference.choice]
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
        if order is None or (file is catalogue.seen and not catalogue.of_purchases):
            return None
        user = Choice("user_id", order.column, 0.5, "no column names a shopper: each order stands for one")
    if file is catalogue.seen and time is None and not catalogue.of_purchases:
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
        outside = _of_the_whole(file) if role in ("quantity", "rating") else set()
        choice = choose(file, role, taken | {one.column for one in choices if one.column != user.column} | outside)
        if choice is not None:
            choices.append(choice)
    looked_up = {role for join in table.get("join", []) for role in join["columns"]}
    columns = {one.role: one.column for one in choices if one.role not in looked_up and one.role != one.column}
    if columns:
        table["columns"] = columns
    return table, choices, partners


def _of_the_whole(file: Seen) -> set[str]:
    """Columns that speak of a whole list of items and of none of them."""
    inside = f"{file.settings['explode']}." if "explode" in file.settings else ""
    return {name for name in file.columns if not name.startswith(inside)}


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
