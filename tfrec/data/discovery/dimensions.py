"""Looking up what the catalogue lacks in other files: of its ids, or of its categories' and brands'."""

from __future__ import annotations

from typing import Any

from tfrec.data.discovery.candidates import KNOWN, Found, query_column
from tfrec.data.discovery.look import Seen
from tfrec.data.discovery.names import NAMED, file_says, likeness
from tfrec.data.discovery.proposal import Proposal
from tfrec.data.discovery.references import joined_by, share_of, unique_ids
from tfrec.data.discovery.roles import Choice, choose


def dimensions(
    best: Found, seen: list[Seen], roles: set[str], table: dict[str, Any], proposal: Proposal, choices: list[Choice]
) -> None:
    """Looks up what the catalogue lacks in tables of its ids, or of its categories' and brands'."""
    joins: list[dict[str, Any]] = []
    for other in sorted(seen, key=lambda file: not file_says(file.path.stem)[0]):
        if (
            other is best.seen
            or choose(other, "order_id") is not None
            or choose(other, "user_id") is not None
            and choose(other, "timestamp") is not None
        ):
            continue
        if choose(other, "query") is not None and query_column(other, set()) is not None:
            continue
        on = joined_by(best.seen, other, "item_id")
        if on is not None and on[0] in best.keys:
            added: dict[str, str] = {}
            for role in KNOWN:
                choice = choose(other, role, {on[1], *added.values()})
                if role not in roles and choice is not None:
                    added[role] = choice.column
        else:
            on, added = _label_of(best.seen, other, roles)
        if on is not None and added:
            roles.update(added)
            join: dict[str, Any] = {
                "path": other.name, "on": on[0] if on[0] == on[1] else {on[0]: on[1]}, "columns": added
            }  # fmt: skip
            for third in seen:
                key, more = _label_of(other, third, roles) if third not in (other, best.seen) else (None, {})
                if key is not None and more and not set(more) & roles:
                    roles.update(more)
                    inner = {
                        "path": third.name,
                        "on": key[0] if key[0] == key[1] else {key[0]: key[1]},
                        "columns": more,
                    }
                    join.setdefault("join", []).append(inner)
                    proposal.said.append(f"{third.name} is looked up by {key[0]} of {other.name} for {', '.join(more)}")
            joins.append(join)
            proposal.said.append(f"{other.name} is looked up by {on[0]} for {', '.join(added)}")
            choices[:] = [choice for choice in choices if choice.role not in added]
            for role in added:
                if table.get("columns", {}).get(role) is not None:
                    del table["columns"][role]
    if joins:
        table["join"] = joins


def _label_of(file: Seen, other: Seen, roles: set[str]) -> tuple[tuple[str, str] | None, dict[str, str]]:
    """Category or brand by a number: its name stands in another table."""
    for role in ("category", "brand"):
        for column in file.columns.values():
            stem = _stem(column.name)
            if column.name.casefold() == stem or likeness(role, stem) < 0.9:
                continue
            for key in unique_ids(other):
                if not ({key.casefold(), _stem(key)} & {column.name.casefold(), "id", stem}):
                    continue
                name = choose(other, "title", {key}) or choose(other, role, {key})
                if name is None or name.column == key or share_of(column, other.columns[key]) < 0.8:
                    continue
                if (
                    key.casefold() == "id"
                    and likeness(role, other.path.stem.rstrip("s").replace("ie", "y")) < NAMED
                    and stem not in other.path.stem.casefold()
                ):
                    continue
                return (column.name, key), {role: name.column}
    return None, {}


def _stem(name: str) -> str:
    """category of category_id."""
    plain = name.casefold()
    for ending in ("_id", " id", "id", "_code", "_key", "_nr"):
        if plain.endswith(ending) and len(plain) > len(ending):
            return plain.removesuffix(ending).rstrip("_ ")
    return plain
