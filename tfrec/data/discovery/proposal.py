"""What is proposed for a folder: the configuration, why, and what has to be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tfrec.data.discovery.roles import Choice
from tfrec.errors import ConfigError


@dataclass(frozen=True)
class Question:
    """Something that the files do not tell.

    Attributes:
        key: by which it is answered, as items.title.
        text: the question.
        options: what can be answered, the likeliest first.
    """

    key: str
    text: str
    options: tuple[str, ...]


@dataclass
class Proposal:
    """The configuration for a folder.

    Attributes:
        tables: items, searches, interactions -> settings as the configuration has them.
        reasons: table -> its columns with why.
        said: what else was found, a sentence each without its full stop.
        questions: what has to be asked; a proposal with some is not certain.
        refusal: why nothing can be proposed; "" where something is.
        layout: name of the layout that the files are in; "" for none.
        template: text of an item; None for the default.
        files: names of files that no table takes.
    """

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[str, list[Choice]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    refusal: str = ""
    layout: str = ""
    template: str | None = None
    files: list[str] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """The section data, without root."""
        tree: dict[str, Any] = {
            name: self.tables[name] for name in ("items", "searches", "interactions") if name in self.tables
        }
        return {**tree, "template": self.template} if self.template else tree


class Answers:
    """What the user has said, by key; asked once each."""

    def __init__(self, given: dict[str, str]) -> None:
        self.given = given
        self.used: set[str] = set()

    def get(self, key: str) -> str | None:
        """The answer to a question, None where it is not given."""
        if key in self.given:
            self.used.add(key)
        return self.given.get(key)

    def numbers(self, key: str) -> dict[str, float] | None:
        """The answer to a question for numbers of several words, as in A=1,B=0.5; a word alone counts 1.

        Raises:
            ConfigError: what is given for a word is no number.
        """
        given = self.get(key)
        if given is None:
            return None
        try:
            parts = (part.partition("=") for part in given.split(","))
            return {word.strip(): float(value or 1) for word, _, value in parts}
        except ValueError:
            raise ConfigError(f"The answer to {key} is as in A=1,B=0.5, not {given!r}.") from None
