"""Files that look as if they told of purchases or searches, and that no table takes."""

from __future__ import annotations

from tfrec.data.discovery.candidates import Found
from tfrec.data.discovery.look import Seen
from tfrec.data.discovery.references import share_of
from tfrec.data.discovery.roles import choose


def unread(file: Seen, catalogue: Found) -> str:
    """Why a file is not read that the user may expect to be.

    Returns:
        a sentence without its full stop; "" for a file that nobody would miss.
    """
    tells = [choice for role in ("query", "user_id", "order_id", "timestamp") if (choice := choose(file, role))]
    item = choose(file, "item_id", {choice.column for choice in tells})
    if not tells or (len(tells) == 1 and tells[0].role != "query" and item is None):
        return ""  # as a list of customers
    found = f"{file.name} has {' and '.join(choice.column for choice in tells[:2])}, and is not read"
    if item is None:
        return f"{found}: no column of it is known to name products (columns in the configuration can name one)"
    share = max(share_of(file.columns[item.column], catalogue.seen.columns[key]) for key in catalogue.keys)
    lacks = "" if share > 0.5 else f"; {100 * share:.0f} % of its {item.column} are in {catalogue.seen.name}"
    return f"{found}: it does not tell who took or searched what and when{lacks}"
