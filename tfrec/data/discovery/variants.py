"""What the rows of one product are, when it has several: variants, languages; and which rows are not for sale."""

from __future__ import annotations

from typing import Any

from tfrec.data.discovery.candidates import Found
from tfrec.data.discovery.look import Seen
from tfrec.data.discovery.names import NAMED, likeness
from tfrec.data.discovery.proposal import Answers, Proposal, Question
from tfrec.data.discovery.roles import choose
from tfrec.data.layouts.spelling import form_of

_LANGUAGE = {
    "language",
    "lang",
    "locale",
    "productlocale",
    "storeviewcode",
    "culture",
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


def variants(best: Found, taken: set[str], table: dict[str, Any], proposal: Proposal) -> None:
    """Says that rows are variants of products, where they are."""
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


def languages(best: Found, answers: Answers, table: dict[str, Any], proposal: Proposal) -> None:
    """Keeps one language of a catalogue that has each product in several."""
    file = best.seen
    if file.columns[best.item.column].different >= 0.98:
        return
    for column in file.columns.values():
        if form_of(column.name) in _LANGUAGE and 2 <= column.distinct <= 30:
            table.pop("variants", None)
            given = answers.get("items.language")
            counts = file.frame[column.name].value_counts(sort=True)[column.name].to_list()
            if given is None:
                text = f"{file.name} has each product in several languages ({column.name}): which one is read?"
                proposal.questions.append(Question("items.language", text, tuple(counts[:5])))
            table["where"] = {column.name: given or counts[0]}
            return


def nameless(best: Found, table: dict[str, Any], proposal: Proposal) -> None:
    """Keeps the rows of the kind that has ids, where another column tells rows without one apart."""
    file, item = best.seen, best.item.column
    empty = file.frame[item].str.strip_chars() == ""
    if file.columns[item].filled >= 0.9 or not empty.any() or "variants" in table:
        return
    for column in file.columns.values():
        kinds = file.frame[column.name].str.strip_chars()
        named = kinds.filter(~empty).unique()
        if len(named) == 1 and column.distinct <= 10 and not (kinds.filter(empty) == named[0]).any():
            table["where"] = {**table.get("where", {}), column.name: named[0]}
            others = ", ".join(kinds.filter(empty).unique(maintain_order=True).head(4))
            proposal.said.append(f"rows whose {column.name} is {others} have no {item}: only {named[0]} is read")
            return


def states(file: Seen, proposal: Proposal) -> None:
    """Says that there are rows that are perhaps not for sale."""
    for column in file.columns.values():
        if form_of(column.name) in _STATE and 2 <= column.distinct <= 10:
            counts = file.frame[column.name].value_counts(sort=True)
            told = ", ".join(f"{value or 'empty'} {count:,}" for value, count in counts.head(4).iter_rows())
            proposal.said.append(f"{column.name} of {file.name} is {told}: all are read; `where` in items keeps some")


def _is_option(name: str) -> bool:
    return form_of(name) in {
        "size", "color", "colour", "grösse", "größe", "groesse", "farbe", "taille", "couleur", "talla", "rozmiar",
        "kolor", "taglia", "colore",
        "option1value", "option2value", "option3value", "variant", "variantname", "尺码", "颜色", "规格", "尺寸",
    }  # fmt: skip


def _column(table: dict[str, Any], role: str) -> str:
    return table.get("columns", {}).get(role, role)
