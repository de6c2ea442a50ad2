"""Finding the catalogue among a folder's files."""

from __future__ import annotations

from typing import Any

from tfrec.data.discovery.candidates import KNOWN, Found, candidates, query_column
from tfrec.data.discovery.look import Seen
from tfrec.data.discovery.names import NAMED, file_says, likeness
from tfrec.data.discovery.proposal import Answers, Proposal, Question
from tfrec.data.discovery.references import joined_by, share_of, unique_ids
from tfrec.data.discovery.roles import Choice, choose

_CLOSE = 0.25
_LANGUAGE = {
    "language",
    "lang",
    "locale",
    "languageid",
    "idlang",
    "langcode",
    "sprache",
    "langue",
    "idioma",
    "język",
    "storeview",
    "语言",
}
_STATE = {
    "status",
    "published",
    "active",
    "enabled",
    "visibility",
    "state",
    "isactive",
    "availability",
    "instock",
    "isdeleted",
    "deleted",
}


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
        _variants(best, taken, table, proposal)
    _languages(best, answers, table, proposal)
    _states(file, proposal)
    _dimensions(best, seen, {choice.role for choice in choices}, table, proposal, choices)
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


def _variants(best: Found, taken: set[str], table: dict[str, Any], proposal: Proposal) -> None:
    file = best.seen
    own = file.columns[best.item.column]
    options = [name for name in file.columns if name not in taken - {_column(table, "color")} and _is_option(name)]
    parent = choose(file, "parent", taken)
    if own.different >= 0.98:
        if parent is not None and file.columns[parent.column].filled < 0.98:
            ids = {value for key in best.keys for value in file.columns[key].values}
            values = file.columns[parent.column].values
            if len(values & ids) >= 0.5 * len(values) and values:
                table["variants"] = {"parent": parent.column, **({"options": options} if options else {})}
                proposal.said.append(f"{parent.column} names the product of a variant: one product of all its variants")
        return
    one_of_rows = next(
        (key for key in best.keys if key != best.item.column and likeness("item_id", key) >= NAMED), None
    )
    exploded = "explode" in file.settings and not best.item.column.startswith(f"{file.settings['explode']}.")
    if exploded or one_of_rows is not None or options or file.columns[best.title.column].filled < 0.98:
        table["variants"] = {"options": options} if options else {}
        proposal.said.append(f"{best.item.column} repeats: rows of the same product are its variants")


def _column(table: dict[str, Any], role: str) -> str:
    return table.get("columns", {}).get(role, role)


def _is_option(name: str) -> bool:
    plain = "".join(sign for sign in name.casefold() if sign.isalnum())
    return plain in {
        "size", "color", "colour", "grösse", "größe", "groesse", "farbe", "taille", "couleur", "talla", "rozmiar",
        "kolor", "taglia", "colore",
        "option1value", "option2value", "option3value", "variant", "variantname", "尺码", "颜色", "规格", "尺寸",
    }  # fmt: skip


def _languages(best: Found, answers: Answers, table: dict[str, Any], proposal: Proposal) -> None:
    file = best.seen
    if file.columns[best.item.column].different >= 0.98:
        return
    for column in file.columns.values():
        plain = "".join(sign for sign in column.name.casefold() if sign.isalnum())
        if plain in _LANGUAGE and 2 <= column.distinct <= 30:
            table.pop("variants", None)
            given = answers.get("items.language")
            counts = file.frame[column.name].value_counts(sort=True)[column.name].to_list()
            if given is None:
                text = f"{file.name} has each product in several languages ({column.name}): which one is read?"
                proposal.questions.append(Question("items.language", text, tuple(counts[:5])))
            table["where"] = {column.name: given or counts[0]}
            return


def _states(file: Seen, proposal: Proposal) -> None:
    for column in file.columns.values():
        plain = "".join(sign for sign in column.name.casefold() if sign.isalnum())
        if plain in _STATE and 2 <= column.distinct <= 10:
            counts = file.frame[column.name].value_counts(sort=True)
            told = ", ".join(f"{value or 'empty'} {count:,}" for value, count in counts.head(4).iter_rows())
            proposal.said.append(f"{column.name} of {file.name} is {told}: all are read; `where` in items keeps some")


def _dimensions(
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
