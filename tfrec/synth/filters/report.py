"""What the checks dropped, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class CheckReport:
    """One check's work.

    Attributes:
        name: of the check.
        seen: search samples it was given.
        dropped: of those.
        by_source: dropped per source.
        seconds: it took.
        examples: dropped samples (query, source, generator, parent, measure); not the evaluated queries they resemble.
    """

    name: str
    seen: int
    dropped: int
    by_source: dict[str, int]
    seconds: float
    examples: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class FilterReport:
    """The work of all checks, in their order.

    Attributes:
        given: samples of all tasks before the checks.
        kept: after them.
        checks: what each did.
    """

    given: int
    kept: int
    checks: list[CheckReport]

    def to_json(self) -> dict[str, Any]:
        """Plain values for report.json."""
        return asdict(self)
