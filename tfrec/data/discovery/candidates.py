"""Which of a folder's files could be the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field

from tfrec.data.discovery.look import Seen
from tfrec.data.discovery.names import NAMED, file_says, likeness
from tfrec.data.discovery.proposal import Answers
from tfrec.data.discovery.references import Reference, item_reference, share_of, unique_ids
from tfrec.data.discovery.roles import Choice, choose
from tfrec.data.layouts.spelling import form_of

KNOWN = ("description", "brand", "category", "color", "price", "image")
_DOUBTFUL_PURCHASES = -0.5
DOUBTFUL = 1.1  # a file rated lower is perhaps no catalogue
_SURE = 0.5
_NO_TITLE = "no column is called a title, and these texts are short"
_ALIKE = 1.3  # titles per id, on average, of purchases that name their products
_SHORT = 12  # words that a description may have to stand as a title
_PEOPLE = {
    "email", "mail", "phone", "telephone", "address", "street", "city", "zip", "zipcode", "postcode", "firstname",
    "lastname", "surname", "birthday", "birthdate", "gender", "age", "vorname", "nachname", "strasse", "straße", "plz",
    "ort", "telefon", "prénom", "prenom", "adresse", "ville", "apellido", "apellidos", "ciudad", "dirección",
    "teléfono",
    "imię", "imie", "nazwisko", "miasto", "salary", "hiredate", "手机", "电话", "地址", "姓名", "性别", "年龄",
}  # fmt: skip


@dataclass
class Found:
    """A file that could be the catalogue.

    Attributes:
        seen: the file.
        rating: how likely it is.
        title: its column of titles.
        item: its column of ids.
        keys: every column that names its items, the id first.
        evident: whether anything but a title and an id speaks for it.
        of_purchases: whether its rows are purchases, which name each product alike.
    """

    seen: Seen
    rating: float
    title: Choice
    item: Choice
    keys: list[str] = field(default_factory=list)
    evident: bool = False
    of_purchases: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether it has to be asked for, even as the only one."""
        return not self.evident or self.rating < (_DOUBTFUL_PURCHASES if self.of_purchases else DOUBTFUL)

    @property
    def of_searches(self) -> bool:
        """Whether the rows are judged queries, each with its product."""
        return query_column(self.seen, {self.title.column, self.item.column}) is not None

    def reference_of(self, file: Seen) -> Reference | None:
        """How a file names the catalogue's items; its own rows name themselves."""
        if file is self.seen:
            return Reference(self.item.column, self.item.column, 1.0)
        return item_reference(file, self.seen, self.keys)


def candidates(seen: list[Seen], answers: Answers) -> list[Found]:
    """The files that could be the catalogue, the likeliest first.

    Args:
        seen: the files that can be read.
        answers: a title or an id that the user has named makes its file one.
    """
    found = [rated for file in seen if (rated := _rated(file, answers)) is not None]
    for one in found:
        refers = [item_reference(file, one.seen, one.keys) for file in seen if file is not one.seen]
        shares = [reference.share for reference in refers if reference is not None]
        keys = [reference.key for reference in refers if reference is not None and reference.share > _SURE]
        if keys and one.item.column not in keys and answers.get("items.item_id") is None:
            one.item = Choice("item_id", max(keys, key=keys.count), 1.0, "other files name products by it")
        one.rating += 0.4 * max(shares, default=0.0)
        one.evident = one.evident or bool(shares)
    found = [one for one in found if not _of_descriptions(one, found)]
    return sorted(found, key=lambda one: one.rating, reverse=True)


def _of_descriptions(one: Found, found: list[Found]) -> bool:
    """Whether a file only describes the products that another one has titles of."""
    return one.title.why == _NO_TITLE and any(
        other.title.why != _NO_TITLE
        and share_of(one.seen.columns[one.item.column], other.seen.columns[other.item.column]) > _SURE
        for other in found
    )


def query_column(seen: Seen, taken: set[str]) -> Choice | None:
    """The column of queries, where the name leaves no doubt."""
    choice = choose(seen, "query", taken)
    return choice if choice is not None and choice.score >= 0.7 and likeness("query", choice.column) > 0.9 else None


def _rated(seen: Seen, answers: Answers) -> Found | None:
    title = _answered(seen, "title", answers) or _title(seen)
    if title is None:
        return None
    item = _answered(seen, "item_id", answers) or choose(seen, "item_id", {title.column})
    keys = [name for name in unique_ids(seen) if name != title.column and not _counts(seen, name)]
    user, time = choose(seen, "user_id", {title.column}), choose(seen, "timestamp", {title.column})
    order = choose(seen, "order_id", {title.column})
    if item is None and (user is not None or order is not None):
        item = Choice("item_id", title.column, 0.6, "no column of ids: the title itself names a product")
    elif item is None and keys:
        item = Choice("item_id", keys[0], 0.4, "each value stands there once", tuple(keys[1:]))
    if item is None:
        return None
    item = _of_judgments(seen, item, title)
    own = seen.columns[item.column]
    rating = title.score + item.score * (1.0 if own.different >= 0.98 else 0.5)
    taken = {title.column, item.column}
    known = [role for role in KNOWN if choose(seen, role, taken) is not None]
    catalogue, other = file_says(seen.path.stem)
    rating += 0.2 * len(known) + 0.5 * (catalogue - other)
    told = time is not None or any(choose(seen, role, taken) is not None for role in ("rating", "quantity"))
    behaviour = (user is not None or order is not None) and told
    rating -= 1.0 * behaviour + 0.6 * (query_column(seen, taken) is not None) + 0.6 * (seen.frame.height < 3)
    people = sum(form_of(name) in _PEOPLE for name in seen.header)
    alike = behaviour and _named_alike(seen, item, title)
    rating -= (0.0 if alike else min(2.0, 1.0 * people)) + 1.5 * _is_long(seen)
    found = [item.column, *(key for key in keys if key != item.column)]
    return Found(seen, rating, title, item, found, bool(known) or catalogue or behaviour, alike)


def _of_judgments(seen: Seen, item: Choice, title: Choice) -> Choice:
    """In a file of judged queries each row may have an id of its own, beside the product's."""
    if query_column(seen, {title.column, item.column}) is None or seen.columns[item.column].different < 0.98:
        return item
    repeated = [
        column.name
        for column in seen.columns.values()
        if column.is_id and column.different < 0.98 and likeness("item_id", column.name) >= NAMED
    ]
    return Choice("item_id", repeated[0], 0.9, "products repeat there, rows do not") if repeated else item


def _answered(seen: Seen, role: str, answers: Answers) -> Choice | None:
    given = answers.get(f"items.{role}")
    file = answers.get("items")
    if given not in seen.columns or (file is not None and file not in (seen.name, seen.path.name)):
        return None
    return Choice(role, str(given), 1.0, "you said so")


def _title(seen: Seen) -> Choice | None:
    """The title; where no column is called so a short description."""
    title = choose(seen, "title")
    if title is not None and likeness("description", title.column) < likeness("title", title.column):
        return title
    described = title or choose(seen, "description")
    if described is None or seen.columns[described.column].words > _SHORT or described.score < 0.3:
        return None
    return Choice("title", described.column, 0.6, _NO_TITLE)


def _named_alike(seen: Seen, item: Choice, title: Choice) -> bool:
    """Whether each id has one title, wherever it stands: then purchases tell the catalogue, too."""
    pairs = seen.frame.select(item.column, title.column) if item.column != title.column else None
    if pairs is None:
        return True
    return pairs.unique().height <= _ALIKE * max(1, pairs[item.column].n_unique())


def _is_long(seen: Seen) -> bool:
    """Whether the rows are properties of things: a name and a value each."""
    names = {name.casefold() for name in seen.header}
    return bool(names & {"name", "property", "attribute", "key"}) and "value" in names


def _counts(seen: Seen, name: str) -> bool:
    return any(likeness(role, name) >= NAMED for role in ("price", "quantity", "rating", "timestamp", "order_id"))
