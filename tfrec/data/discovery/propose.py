"""From a folder to a proposal: layouts that are known first, then names and contents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfrec.data.discovery.candidates import Found, candidates
from tfrec.data.discovery.catalogue import propose_items
from tfrec.data.discovery.interactions import propose_interactions
from tfrec.data.discovery.look import Seen, look
from tfrec.data.discovery.proposal import Answers, Proposal
from tfrec.data.discovery.roles import Choice
from tfrec.data.discovery.searches import propose_searches
from tfrec.data.discovery.unread import unread
from tfrec.data.layouts.layout import Layout, layouts
from tfrec.data.layouts.resolve import tables_of

_FROM_LAYOUT = 1.0


def propose(root: Path, answers: Answers) -> tuple[Proposal, list[Seen]]:
    """Looks at a folder and proposes its configuration.

    Args:
        root: the folder.
        answers: what the user has said, by the keys of questions.

    Returns:
        the proposal, perhaps with questions or a refusal; the files that were looked at.

    Raises:
        DataError: there is no such folder.
    """
    seen = look(root)
    readable = [file for file in seen if not file.refused and file.frame.height and file.frame.width]
    proposal = Proposal()
    if not readable:
        told = "; ".join(file.refused for file in seen if file.refused) or "it holds no file of rows"
        proposal.refusal = f"nothing in {root} can be read as a table ({told.rstrip('.')})"
        return proposal, seen
    used: list[Seen] = []
    if answers.get("items") is None:
        used = _of_layout(seen, root, proposal)
        _titles_elsewhere(proposal, [file for file in readable if file not in used], answers)
    catalogue = _catalogue(proposal, readable, used, answers)
    if catalogue is None:
        if proposal.tables.get("items") is None and not proposal.refusal:
            proposal.refusal = "no catalogue is found"
        return proposal, seen
    rest = [file for file in readable if file not in used and file is not catalogue.seen]
    if "searches" not in proposal.tables:
        itself = [catalogue.seen] if catalogue.seen not in used and catalogue.of_searches else []
        used += propose_searches([*rest, *itself], catalogue, answers, proposal)
    rest = [file for file in rest if file not in used]
    if "interactions" not in proposal.tables:
        itself = [catalogue.seen] if catalogue.seen not in used else []
        used += propose_interactions([*rest, *itself], catalogue, answers, proposal)
    if proposal.tables.get("interactions", {}).get("path") == proposal.tables["items"]["path"]:
        proposal.tables["items"].pop("variants", None)
        proposal.tables["items"].pop("aliases", None)
        proposal.tables["items"].setdefault("duplicates", "most_frequent")
    named = str(proposal.data())
    left = [file for file in readable if file not in used and file is not catalogue.seen and file.name not in named]
    proposal.files = [file.name for file in left]
    proposal.said += [sentence for file in left if (sentence := unread(file, catalogue))]
    return proposal, seen


def _titles_elsewhere(proposal: Proposal, others: list[Seen], answers: Answers) -> None:
    """Forgets the catalogue that a layout makes of bare numbers or categories where another file has the titles."""
    columns = proposal.tables.get("items", {}).get("columns", {})
    title = columns.get("title", "title")
    if not columns or (title != columns.get("item_id") and "{" not in title):
        return
    if any(not found.doubtful for found in candidates(others, answers)):
        del proposal.tables["items"], proposal.reasons["items"]
        proposal.said = [sentence for sentence in proposal.said if not sentence.startswith("its products have no")]


def _of_layout(seen: list[Seen], root: Path, proposal: Proposal) -> list[Seen]:
    """Adds the tables of the layout that the files are in; gives its files."""
    headers = {file.path: [name for name in _header(file)] for file in seen}
    best: tuple[int, Layout, dict[str, dict[str, Any]]] | None = None
    for layout in layouts().values():
        found = tables_of(layout, headers, root, {file.path: _filled(file) for file in seen})
        weight = sum(_weight(layout, name) for name in found)
        if found and (best is None or weight > best[0]):
            best = weight, layout, found
    if best is None:
        return []
    _, layout, found = best
    proposal.layout, proposal.tables, proposal.template = layout.name, found, layout.template
    proposal.said.append(f"the files are in the layout {layout.name}: {layout.about}")
    named = str(found)
    used = [file for file in seen if f"'{file.name}'" in named]
    for name, table in found.items():
        proposal.reasons[name] = [
            Choice(role, column, _FROM_LAYOUT, f"as {layout.name} names it")
            for role, column in table.get("columns", {}).items()
        ]
    proposal.said += [
        str(alternative["note"]) for name in found for alternative in layout.tables[name][:1] if "note" in alternative
    ]
    return used


def _header(file: Seen) -> list[str]:
    """A file's own columns, and places in nested ones."""
    return [] if "header" in file.settings else list(dict.fromkeys([*file.top, *file.header]))


def _filled(file: Seen) -> set[str]:
    """Columns that have a value somewhere."""
    filled = [name for name, column in file.columns.items() if column.filled > 0]
    return {*filled, *(top for top in file.top if any(name.startswith(f"{top}.") for name in filled))}


def _weight(layout: Layout, name: str) -> int:
    """How much it says that a file fits: the columns that it must have; a catalogue counts double."""
    count = max(len(alternative.get("known_by", [])) or 2 for alternative in layout.tables[name])
    return count * (2 if name == "items" else 1)


def _catalogue(proposal: Proposal, readable: list[Seen], used: list[Seen], answers: Answers) -> Found | None:
    if "items" not in proposal.tables:
        others = [file for file in readable if file not in used]
        return propose_items(others or readable, answers, proposal)
    table = proposal.tables["items"]
    path = table["path"] if isinstance(table["path"], str) else table["path"][0]
    file = next((one for one in readable if one.name == path), None)
    if file is None or "names" in table:
        return None
    columns = table.get("columns", {})
    item, title = columns.get("item_id", "item_id"), columns.get("title", "title")
    keys = [name for name in (item, *table.get("aliases", [])) if name in file.columns]
    chosen = [Choice(role, name, 1.0, "") for role, name in (("title", title), ("item_id", item))]
    return Found(file, 2.0, chosen[0], chosen[1], keys)
